"""``python -m services.directory [all|api|worker|migrate]``."""

from services.directory.app import create_app
from services.directory.settings import Settings
from services.directory.worker import working
from shared.kit.process import main

if __name__ == "__main__":
    main("directory", Settings(), create_app, working)
