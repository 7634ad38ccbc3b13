"""Where the programs are that came as wheels. Nothing is downloaded and nothing is looked for elsewhere."""

import sysconfig
from pathlib import Path


def script(name: str) -> str:
    """The program of this name beside our own Python."""
    path = Path(sysconfig.get_path("scripts")) / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: `make .venv` installs it")
    return str(path)


def packages() -> Path:
    """The folder of the installed packages."""
    return Path(sysconfig.get_path("platlib"))
