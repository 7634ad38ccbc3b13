"""``python -m services.notifications [all|api|worker|migrate]``."""

from services.notifications.app import create_app
from services.notifications.settings import Settings
from services.notifications.worker import working
from shared.kit.process import main

if __name__ == "__main__":
    main("notifications", Settings(), create_app, working)
