"""The first page of a PDF as a picture, drawn in a process of its own.

One thing to remember: a PDF comes from a stranger. What draws it may crash, hang or eat memory; it does so alone, for
ten seconds at most, and whoever looks then sees no preview.
"""

import asyncio
import contextlib
import resource
import struct
import sys
import zlib
from collections.abc import AsyncIterator
from typing import Final

from services.certificates.objects import Objects
from shared.kit.log import logger
from shared.rules.refusals import Refused

WIDTH: Final = 900
"""Pixels."""
TALLEST: Final = 1800
PATIENCE: Final = 10.0
MEMORY: Final = 1024**3
_AT_ONCE: Final = asyncio.Semaphore(2)
log = logger("preview")


async def first_page(objects: Objects, key: str, body: bytes) -> bytes:
    """The first page as PNG, drawn once and kept beside the file; ``not_found`` when it cannot be drawn."""
    kept = f"{key}.preview"
    with contextlib.suppress(Refused):
        return b"".join([piece async for piece in objects.get(kept)])
    async with _AT_ONCE:
        picture = await _drawn(body)
    if picture is None:
        raise Refused("not_found")
    await objects.put(kept, _once(picture))
    return picture


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def _drawn(body: bytes) -> bytes | None:
    draw = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.certificates.preview",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        picture, _ = await asyncio.wait_for(draw.communicate(body), PATIENCE)
    except (TimeoutError, OSError) as problem:
        log.warning("no preview", reason=type(problem).__name__)
        return None
    finally:
        if draw.returncode is None:
            draw.kill()
            await draw.wait()
    return picture if draw.returncode == 0 and picture else None


def draw(body: bytes) -> bytes:
    """The first page of this PDF as PNG."""
    import pypdfium2

    with pypdfium2.PdfDocument(body) as document:
        page = document[0]
        wide, tall = page.get_size()
        scale = min(WIDTH / max(wide, 1), TALLEST / max(tall, 1))
        bitmap = page.render(scale=scale, may_draw_forms=False, rev_byteorder=True, prefer_bgrx=False)
        return png(bytes(bitmap.buffer), bitmap.width, bitmap.height, bitmap.stride, bitmap.n_channels)


def png(pixels: bytes, width: int, height: int, stride: int, channels: int) -> bytes:
    """Pixels as a PNG file: grey, RGB or RGBA, eight bits each."""
    colour = {1: 0, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + pixels[row * stride : row * stride + width * channels] for row in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (int(PATIENCE), int(PATIENCE)))
    sys.stdout.buffer.write(draw(sys.stdin.buffer.read()))
