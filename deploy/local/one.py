"""One program alone, for as long as a block lasts: what tests use when they need a single server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.local.child import Child, Program, Started
from deploy.local.probes import until_ready


class DidNotStart(RuntimeError):
    """A program ended, or was not ready in time; the message holds the end of its log."""


@asynccontextmanager
async def one(program: Program, log: Path, *, patience: float = 30) -> AsyncIterator[Child]:
    """Start a program, wait until it is ready, and stop it at the end of the block."""
    await program.before()
    child = Started(program, log)
    try:
        await ready_or_ended(child, log, patience)
        await program.after()
        yield child
    finally:
        await child.stop()


async def ready_or_ended(child: Child, log: Path, patience: float) -> None:
    """Wait until the child is ready; raise when it ends before, or when patience does."""
    ready, ended = (
        asyncio.ensure_future(until_ready(child.program.ready)),
        asyncio.ensure_future(child.ended()),
    )
    try:
        await asyncio.wait({ready, ended}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        if not ready.done():
            why = f"ended with code {child.code}" if ended.done() else f"was not ready after {patience:.0f} s"
            raise DidNotStart(f"{child.program.name} {why}\n{last_lines(log)}")
        ready.result()
    finally:
        ready.cancel()
        ended.cancel()


def last_lines(log: Path, number: int = 12) -> str:
    """The end of a log, for the message of a failure."""
    try:
        with open(log, "rb") as file:
            file.seek(max(0, log.stat().st_size - 8_000))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-number:])
    except OSError:
        return ""
