"""``python -m services.certificates [all|api|worker|migrate]``."""

from services.certificates.app import make_app
from services.certificates.settings import Settings
from services.certificates.worker import working
from shared.kit.process import main

if __name__ == "__main__":
    main("certificates", Settings(), make_app, working)
