"""``python -m services.identity [all|api|worker|migrate|rotate]``."""

from services.identity.app import create_app
from services.identity.rotation import rotate
from services.identity.settings import Settings
from services.identity.worker import working
from shared.kit.process import main
from shared.rules import lengths

if __name__ == "__main__":
    settings = Settings()
    lengths.use(settings.clocks)
    main("identity", settings, create_app, working, {"rotate": rotate})
