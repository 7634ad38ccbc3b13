"""NATS with JetStream: the bell between the services."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.local.child import Child, Program
from deploy.local.one import one
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.probes import greeting
from deploy.local.wheels import script

_SETTINGS: Final = Path(__file__).parent.parent / "nats.conf"


@dataclass(frozen=True)
class Bus:
    """A running NATS."""

    url: str
    child: Child


def program(folder: Path, port: int) -> Program:
    """NATS that keeps its streams in this folder."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Program(
        name="nats",
        command=(
            script("nats-server"),
            "-c",
            str(_SETTINGS),
            "-a",
            LOOPBACK,
            "-p",
            str(port),
            "-sd",
            str(folder),
            "-n",
            "local",
        ),
        ready=greeting(port, b"INFO {"),
        alarming=r"\[(WRN|ERR|FTL)\]",
    )


@asynccontextmanager
async def nats(folder: Path, port: int | None = None) -> AsyncIterator[Bus]:
    """A NATS of one's own, for tests: `async with nats(folder) as bus: … bus.url`."""
    port = port or free_port()
    async with one(program(folder / "nats", port), folder / "nats.log") as child:
        yield Bus(f"nats://{LOOPBACK}:{port}", child)
