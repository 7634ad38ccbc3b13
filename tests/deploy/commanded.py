"""The command `python -m deploy.local` with a program that stands for our services, on ports of its own."""

import sys

from deploy.local.__main__ import main
from deploy.local.programs import Service

if __name__ == "__main__":
    standin = Service("alpha", "tests.deploy.standin", ("alpha",), heavy=False)
    sys.exit(main(services=(standin,), ports="free"))
