"""A file that a stranger sent in, examined in a process of its own (``seal_check``): its memory and time are bounded.

One thing to remember: the file goes in by a pipe and is kept nowhere; a few at a time, the others wait their turn.
"""

import asyncio
import base64
import json
import sys
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.certificates import seal_check

AT_ONCE: Final = 2
PATIENCE: Final = 20.0
"""Seconds; the process gives itself ten of the processor."""
_turn = asyncio.Semaphore(AT_ONCE)


@dataclass(frozen=True)
class Examined:
    """What the other process says of the file."""

    sealed: bool = False
    intact: bool = False
    trusted: bool = False
    by: str | None = None
    at: datetime | None = None
    wrong: tuple[str, ...] = ("not_a_pdf",)
    record: str | None = None


async def examine(pdf: bytes, authorities: list[bytes], clocks: list[bytes]) -> Examined:
    """What a file's seal says; a file that ends the process, or takes too long, is none that can be read."""
    if b"%PDF-" not in pdf[:1024]:
        return Examined()
    roots, stamps = ([base64.b64encode(each).decode() for each in kind] for kind in (authorities, clocks))
    async with _turn:
        asked = await asyncio.create_subprocess_exec(
            sys.executable, "-m", seal_check.__name__, *roots, seal_check.CLOCKS, *stamps,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            said, _ = await asyncio.wait_for(asked.communicate(pdf), PATIENCE)
        except (TimeoutError, OSError):
            return Examined()
        finally:
            if asked.returncode is None:
                asked.kill()
                await asked.wait()
    try:
        told = json.loads(said)
        at = datetime.fromisoformat(told["at"]) if told["at"] else None
        return Examined(**{**told, "at": at, "wrong": tuple(told["wrong"])})
    except (ValueError, TypeError, LookupError):
        return Examined()
