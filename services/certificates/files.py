"""What a file really is: told from its first and last bytes and, for XML, by reading all of it.

One thing to remember: a name and a content type are what the sender says. Here a file is looked at while it comes in,
so that one that is too large, or no document, is refused before it is kept.
"""

import hashlib
from typing import Any, Final
from xml.parsers import expat

from shared.rules.documents import LARGEST, Media
from shared.rules.refusals import Refused

# fmt: off
BEGINS: Final = (
    (Media.PDF,  b"%PDF-"),
    (Media.JPEG, b"\xff\xd8\xff"),
    (Media.PNG,  b"\x89PNG\r\n\x1a\n"),
)
ENDS: Final = {
    Media.PDF:  b"%%EOF",
    Media.JPEG: b"\xff\xd9",
    Media.PNG:  b"IEND\xaeB`\x82",
}
# fmt: on
TAIL: Final = 2048
"""Bytes at the end in which a file must say that it is over; scanners append a little."""
DEEPEST: Final = 200
"""Elements within elements of an XML file."""
_MARKS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


class Incoming:
    """One file while it comes in: counted, hashed and looked at piece by piece."""

    def __init__(self, largest: int = LARGEST) -> None:
        self.size = 0
        self.media: Media | None = None
        self._largest = largest
        self._digest = hashlib.sha256()
        self._first = b""
        self._last = b""
        self._xml: Any = None
        self._depth = 0

    @property
    def sha256(self) -> str:
        """The fingerprint of what has come in, in hexadecimal."""
        return self._digest.hexdigest()

    def take(self, piece: bytes) -> bytes:
        """The next piece, unchanged; refused as soon as it cannot become a document."""
        self.size += len(piece)
        if self.size > self._largest:
            raise Refused("file_too_large", megabytes=self._largest // (1024 * 1024), field="file")
        self._digest.update(piece)
        self._last = (self._last + piece)[-TAIL:]
        if self.media is None:
            self._first += piece
            if len(self._first) >= 64:
                self._recognise()
        elif self._xml is not None:
            self._read(piece)
        return piece

    def finish(self) -> Media:
        """The kind of the whole file; refused when it is none of ours, or stops in the middle."""
        if self.size == 0:
            raise Refused("file_empty", field="file")
        if self.media is None:
            self._recognise()
        assert self.media is not None
        if self._xml is not None:
            self._read(b"", final=True)
        elif ENDS[self.media] not in self._last:
            raise Refused("file_damaged", field="file")
        return self.media

    def _recognise(self) -> None:
        self.media = next((media for media, begins in BEGINS if self._first.startswith(begins)), None)
        if self.media is None:
            bare = self._first
            for mark in _MARKS:
                bare = bare.removeprefix(mark)
            if not bare.replace(b"\x00", b"").lstrip().startswith(b"<"):
                raise Refused("file_kind", field="file")
            self.media = Media.XML
            self._xml = self._reader()
            self._read(self._first)
        self._first = b""

    def _reader(self) -> Any:
        """A reader that follows nothing and expands nothing: no entity, no other file, no endless nesting."""
        reader = expat.ParserCreate()
        reader.EntityDeclHandler = _refuse_entities
        reader.ExternalEntityRefHandler = _refuse_entities
        reader.StartElementHandler = self._deeper
        reader.EndElementHandler = self._higher
        return reader

    def _deeper(self, _name: str, _attributes: object) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise Refused("file_damaged", field="file")

    def _higher(self, _name: str) -> None:
        self._depth -= 1

    def _read(self, piece: bytes, final: bool = False) -> None:
        try:
            self._xml.Parse(piece, final)
        except (expat.ExpatError, ValueError, LookupError):
            raise Refused("file_damaged", field="file") from None


def _refuse_entities(*_: object) -> int:
    raise Refused("file_entities", field="file")


def plain_name(name: str, media: Media) -> str:
    """A file's name as it may be shown and saved: no folder, no control signs, the ending of its kind."""
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(sign for sign in last if sign.isprintable() and sign not in '<>:"|?*;').strip(". ")
    stem, dot, ending = kept.rpartition(".")
    known = {"jpeg": "jpg"}.get(ending.lower(), ending.lower())
    if not dot or known != ENDING[media]:
        stem = kept
    return f"{(stem or 'document')[:120]}.{ENDING[media]}"


ENDING: Final = {Media.PDF: "pdf", Media.JPEG: "jpg", Media.PNG: "png", Media.XML: "xml"}
