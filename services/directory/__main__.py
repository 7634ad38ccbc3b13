"""``python -m services.directory [all|api|worker|migrate]``."""

from services.directory.app import create_app
from services.directory.settings import Settings
from services.directory.worker import working
from shared.kit.process import main
from shared.rules import lengths

if __name__ == "__main__":
    settings = Settings()
    lengths.use(settings.clocks)
    main("directory", settings, create_app, working)
