"""``python -m services.notifications [all|api|worker|migrate]``."""

from services.notifications.app import create_app
from services.notifications.settings import Settings
from services.notifications.worker import working
from shared.kit.process import main
from shared.rules import lengths

if __name__ == "__main__":
    settings = Settings()
    lengths.use(settings.clocks)
    main("notifications", settings, create_app, working)
