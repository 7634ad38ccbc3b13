"""Where files lie: an object store behind one interface, a folder under VAR by default.

One thing to remember: an object is there whole or not at all, and is never changed. Its key is an id of ours, never
something a sender wrote. Another store is one more class like these, and one more line in `stores.py`.
"""

import asyncio
import os
import re
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import uuid4

from shared.rules.refusals import Refused

PIECE: Final = 256 * 1024
KEY: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(\.preview)?", re.ASCII)
UNFINISHED: Final = ".part"


class Objects(ABC):
    """Keeps files by key."""

    @abstractmethod
    async def put(self, key: str, pieces: AsyncIterator[bytes]) -> None:
        """Keep what comes; when it breaks off, or refuses to go on, nothing is kept."""

    @abstractmethod
    def get(self, key: str) -> AsyncIterator[bytes]:
        """The file, piece by piece; ``not_found`` when there is none."""

    @abstractmethod
    async def remove(self, key: str) -> None:
        """Forget a file; forgetting what is not there is no error."""

    @abstractmethod
    async def sweep(self, older: timedelta) -> int:
        """Remove what somebody began to send and never finished, if it is older than this; how many there were."""


class FolderObjects(Objects):
    """Files in a folder, in subfolders by the first signs of their key."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, key: str, pieces: AsyncIterator[bytes]) -> None:
        whole = self._path(key)
        part = self._root / f"{uuid4()}{UNFINISHED}"
        await asyncio.to_thread(self._root.mkdir, mode=0o700, parents=True, exist_ok=True)
        descriptor = await asyncio.to_thread(os.open, part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            try:
                async for piece in pieces:
                    await asyncio.to_thread(_write, descriptor, piece)
                await asyncio.to_thread(os.fsync, descriptor)
            finally:
                os.close(descriptor)
            await asyncio.to_thread(whole.parent.mkdir, mode=0o700, exist_ok=True)
            await asyncio.to_thread(os.replace, part, whole)
        finally:
            part.unlink(missing_ok=True)

    async def get(self, key: str) -> AsyncIterator[bytes]:
        try:
            file = await asyncio.to_thread(self._path(key).open, "rb")
        except FileNotFoundError:
            raise Refused("not_found") from None
        try:
            while piece := await asyncio.to_thread(file.read, PIECE):
                yield piece
        finally:
            file.close()

    async def remove(self, key: str) -> None:
        await asyncio.to_thread(self._path(key).unlink, missing_ok=True)

    async def sweep(self, older: timedelta) -> int:
        return await asyncio.to_thread(self._sweep, time.time() - older.total_seconds())

    def _sweep(self, before: float) -> int:
        left = [each for each in self._root.glob(f"*{UNFINISHED}") if each.stat().st_mtime < before]
        for each in left:
            each.unlink(missing_ok=True)
        return len(left)

    def _path(self, key: str) -> Path:
        if not KEY.fullmatch(key):
            raise Refused("not_found")
        return self._root / key[:2] / key


def _write(descriptor: int, piece: bytes) -> None:
    rest = memoryview(piece)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def folder_of(url: str, var: Path) -> Objects:
    """The folder the settings name, or the one under VAR when they name none."""
    if not url:
        return FolderObjects(var / "documents")
    if url.startswith("file:///"):
        return FolderObjects(Path(url.removeprefix("file://")))
    raise ValueError(f"OBJECTS_URL names a store this version does not speak to: {url.partition(':')[0]}")
