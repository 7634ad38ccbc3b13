"""How one knows that a program is ready: somebody answers, and answers well."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

from deploy.local.ports import LOOPBACK

_KNOCK: Final = 2.0  # seconds for one answer


def http(port: int, path: str = "/health") -> Callable[[], Awaitable[bool]]:
    """Ready when `GET path` answers 200."""
    question = f"GET {path} HTTP/1.1\r\nHost: {LOOPBACK}:{port}\r\nConnection: close\r\n\r\n".encode()
    return lambda: _answers(port, question, b"HTTP/1.1 200")


def greeting(port: int, words: bytes) -> Callable[[], Awaitable[bool]]:
    """Ready when the server greets with these words."""
    return lambda: _answers(port, b"", words)


async def until_ready(ready: Callable[[], Awaitable[bool]], *, every: float = 0.05) -> None:
    """Ask again and again until the answer is yes."""
    while not await ready():
        await asyncio.sleep(every)


async def _answers(port: int, question: bytes, expected: bytes) -> bool:
    with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
        async with asyncio.timeout(_KNOCK):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            try:
                writer.write(question)
                return await reader.readexactly(len(expected)) == expected
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    return False
