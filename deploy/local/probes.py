"""How one knows that a program is ready: somebody answers, and answers well."""

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable
from typing import Final

from deploy.local.ports import LOOPBACK

_KNOCK: Final = 2.0  # seconds for one answer
_FIRST: Final = 12  # bytes of the answer that are looked at


def http(port: int, path: str = "/health") -> Callable[[], Awaitable[bool]]:
    """Ready when `GET path` answers 200."""
    question = f"GET {path} HTTP/1.1\r\nHost: {LOOPBACK}:{port}\r\nConnection: close\r\n\r\n".encode()
    return lambda: _answers(port, question, rb"HTTP/1\.[01] 200")


def greeting(port: int, words: bytes) -> Callable[[], Awaitable[bool]]:
    """Ready when the server greets with these words."""
    return lambda: _answers(port, b"", re.escape(words))


async def until_ready(ready: Callable[[], Awaitable[bool]], *, every: float = 0.05) -> None:
    """Ask again and again until the answer is yes."""
    while True:
        if await ready():
            return
        await asyncio.sleep(every)


async def _answers(port: int, question: bytes, expected: bytes) -> bool:
    with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
        async with asyncio.timeout(_KNOCK):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            try:
                writer.write(question)
                return re.match(expected, await reader.readexactly(_FIRST)) is not None
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    return False
