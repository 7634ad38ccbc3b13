"""Which signs the shipped fonts have: what none of them has is printed as the sign for that.

One thing to remember: the fonts themselves are read, so a font that is exchanged needs no table of ours.
"""

import struct
from functools import cache
from pathlib import Path
from typing import Final

FONTS: Final = Path(__file__).parent / "fonts"
MISSING: Final = "\ufffd"
"""What is printed in place of a sign no font has."""


PRIVATE: Final = frozenset(range(0xE000, 0xF900))
"""Signs that mean nothing to anybody else; an archive (PDF/A) must not hold them."""


def plain(text: str) -> str:
    """A text with every sign that no font of ours has replaced by the sign for that."""
    known = signs()
    return "".join(sign if sign in "\n\t" or ord(sign) in known else MISSING for sign in text)


@cache
def signs() -> frozenset[int]:
    """Every sign that some font has; upright Inter stands for its other two cuts."""
    files = [file for file in FONTS.iterdir() if file.suffix in (".otf", ".ttf")]
    found: set[int] = set().union(*(_signs(file.read_bytes()) for file in files))
    return frozenset(found - PRIVATE - set(range(0x20)))


def _signs(font: bytes) -> set[int]:
    """The signs of one font, from its ``cmap`` table (formats 4 and 12)."""
    (tables,) = struct.unpack_from(">H", font, 4)
    places = {font[12 + 16 * n : 16 + 16 * n]: struct.unpack_from(">I", font, 20 + 16 * n)[0] for n in range(tables)}
    cmap = places[b"cmap"]
    (parts,) = struct.unpack_from(">H", font, cmap + 2)
    found: set[int] = set()
    for n in range(parts):
        start = cmap + struct.unpack_from(">I", font, cmap + 8 + 8 * n)[0]
        (form,) = struct.unpack_from(">H", font, start)
        found |= _segments(font, start) if form == 4 else _groups(font, start) if form == 12 else set()
    return found


def _segments(font: bytes, start: int) -> set[int]:
    (twice,) = struct.unpack_from(">H", font, start + 6)
    number = twice // 2
    ends = struct.unpack_from(f">{number}H", font, start + 14)
    starts = struct.unpack_from(f">{number}H", font, start + 16 + twice)
    return {sign for low, high in zip(starts, ends, strict=True) for sign in range(low, high + 1)} - {0xFFFF}


def _groups(font: bytes, start: int) -> set[int]:
    (number,) = struct.unpack_from(">I", font, start + 12)
    groups = (struct.unpack_from(">II", font, start + 16 + 12 * n) for n in range(number))
    return {sign for low, high in groups for sign in range(low, high + 1)}
