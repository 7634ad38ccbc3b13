"""``python -m services.certificates [all|api|worker|migrate]``."""

from services.certificates.app import make_app
from services.certificates.settings import Settings
from services.certificates.worker import working
from shared.kit.process import main
from shared.rules import lengths

if __name__ == "__main__":
    settings = Settings()
    lengths.use(settings.clocks)
    main("certificates", settings, make_app, working)
