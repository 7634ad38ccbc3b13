"""A supervisor that opens a nursery, has it fork two stand-ins, says who was born, and waits to be killed."""

import asyncio
import sys
from pathlib import Path

from deploy.local.child import Program
from deploy.local.nursery import Nursery
from deploy.local.ports import free_port
from deploy.local.probes import http
from deploy.local.programs import ROOT


async def main(folder: Path) -> None:
    """Until somebody ends it."""
    nursery = Nursery(folder / "nursery.log", ROOT, libraries=())
    nursery.open()
    for _ in range(2):
        port = free_port()
        program = Program(
            name="alpha",
            command=(),
            ready=http(port),
            forked=("tests.deploy.standin", "alpha"),
            environment={"ALPHA_PORT": str(port)},
            folder=ROOT,
        )
        print((await nursery.fork(program, folder / "alpha.log")).pid, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
