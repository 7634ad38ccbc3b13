"""Passwords: argon2id in a small pool of threads, and as much work for an unknown person as for a known one."""

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher

from services.identity.settings import Settings

Answer = TypeVar("Answer")


class Passwords:
    """Hashes and compares, a few at a time: each takes megabytes and milliseconds on purpose."""

    def __init__(self, settings: Settings) -> None:
        self._hasher = PasswordHash(
            (
                Argon2Hasher(
                    time_cost=settings.argon2_passes,
                    memory_cost=settings.argon2_memory_kib,
                    parallelism=settings.argon2_lanes,
                ),
            )
        )
        self._pool = ThreadPoolExecutor(settings.hashes_at_once, thread_name_prefix="hash")
        self._nobodys: str | None = None

    async def hashed(self, password: str) -> str:
        """The hash to keep instead of a password."""
        return await self._work(lambda: self._hasher.hash(_composed(password)))

    async def matches(self, password: str, kept: str | None) -> tuple[bool, str | None]:
        """Whether it is the password, and a new hash to keep when the old one was made with other parameters.

        Without a hash the same work is done for nothing, so that nobody learns from the time whether a person is known.
        """
        if self._nobodys is None:
            self._nobodys = await self.hashed("the password of nobody")
        return await self._work(lambda: self._compare(password, kept))

    def _compare(self, password: str, kept: str | None) -> tuple[bool, str | None]:
        try:
            right, renewed = self._hasher.verify_and_update(_composed(password), kept or str(self._nobodys))
        except UnknownHashError:
            right, renewed = False, None
        return (right, renewed) if kept else (False, None)

    async def _work(self, work: Callable[[], Answer]) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _composed(password: str) -> str:
    """The same letters, however the keyboard composed them."""
    return unicodedata.normalize("NFC", password)
