"""Checks the seal of a PDF with pyHanko's own validation. Imports nothing of ours on purpose: it is the second opinion.

``python -m services.certificates.seal_check ROOT… clocks ROOT…`` reads a file from its standard input and answers with
one line of JSON; roots are certificates (DER) in base64, of seals and of time stamps. What strangers send in is read
there and nowhere else: in a process of its own with little memory and little time, which ends with its answer.
"""

import asyncio
import base64
import io
import json
import logging
import resource
import sys
import zlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from asn1crypto import cms
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import async_validate_pdf_signature, async_validate_pdf_timestamp
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

RECORDS: Final = ("certificate.json", "extract.json")
"""What the record within a copy is called."""
CLOCKS: Final = "clocks"
MEMORY: Final = 1 << 30
SECONDS: Final = 10

# fmt: off
UNREADABLE: Final = (
    PdfError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError, OSError, zlib.error,
    AssertionError, NotImplementedError, ArithmeticError,
)
# fmt: on
"""What the libraries raise over a file that somebody broke: found by flipping bits, not by reading their manuals."""


@dataclass(frozen=True)
class Checked:
    """What the seal of a file says."""

    sealed: bool = False
    intact: bool = False
    """The seal fits, and nothing but its own validation material came after it."""
    trusted: bool = False
    """It leads to one of the given authorities."""
    by: str | None = None
    at: datetime | None = None
    """The time of its time stamp."""
    wrong: tuple[str, ...] = ()
    files: dict[str, bytes] = field(default_factory=dict)
    """The files within the file."""

    @property
    def record(self) -> bytes | None:
        """The record within a copy of ours."""
        return next((self.files[name] for name in RECORDS if name in self.files), None)


async def check(pdf: bytes, authorities: list[bytes], clocks: list[bytes] | None = None) -> Checked:
    """What a file's seal says; a file that is no PDF, or has no seal of ours, is told by ``wrong``.

    Time stamps lead to one of the ``clocks``, which are the same authorities unless they are named.
    """
    try:
        reader = PdfFileReader(io.BytesIO(pdf))
        files = attached(reader)
        embedded = list(reader.embedded_regular_signatures)
    except UNREADABLE:
        return Checked(wrong=("not_a_pdf",))
    if not embedded:
        return Checked(wrong=("no_seal",), files=files)
    trust, timed = _trusting(authorities), _trusting(authorities if clocks is None else clocks)
    try:
        status = await async_validate_pdf_signature(embedded[0], trust, timed)
        last = [await async_validate_pdf_timestamp(each, timed) for each in reader.embedded_timestamp_signatures[-1:]]
    except (SignatureValidationError, *UNREADABLE):
        return Checked(sealed=True, wrong=("seal_broken",), files=files)
    stamp = status.timestamp_validity
    stamped = stamp is not None and stamp.intact and stamp.valid
    fits = bool(status.intact and status.valid)
    padded = all(_is_padded(each.pkcs7_content) for each in reader.embedded_signatures)
    # the last time stamp covers the file to its end: whatever is added or changed after the seal is seen by it
    closed = all(each.intact and each.valid and each.coverage is SignatureCoverageLevel.ENTIRE_FILE for each in last)
    quiet = status.modification_level in (ModificationLevel.NONE, ModificationLevel.LTA_UPDATES)
    untouched = bool(last) and closed and padded and quiet and len(embedded) == 1
    trusted = bool(status.trusted and all(each.trusted for each in last))
    found = {"seal_broken": not fits, "changed_after": not untouched, "not_ours": not trusted, "no_time": not stamped}
    subject = status.signing_cert.subject.native
    return Checked(
        sealed=True,
        intact=fits and untouched,
        trusted=trusted,
        by=str(subject.get("common_name") or subject.get("organization_name") or ""),
        at=stamp.timestamp if stamped and stamp is not None else None,
        wrong=tuple(code for code, is_wrong in found.items() if is_wrong),
        files=files,
    )


def _trusting(authorities: list[bytes]) -> ValidationContext:
    roots = [asn1_x509.Certificate.load(each) for each in authorities]
    return ValidationContext(trust_roots=roots, allow_fetching=False, revocation_mode="soft-fail")


def _is_padded(content: bytes) -> bool:
    """Whether a signature's place holds the signature and then nothing but zeros; no signature covers that rest."""
    return not content[len(cms.ContentInfo.load(content).dump()) :].strip(b"\0")


def attached(reader: PdfFileReader) -> dict[str, bytes]:
    """The files within a PDF, by name."""
    found: dict[str, bytes] = {}
    names = reader.root.get("/Names", {}).get("/EmbeddedFiles", None)
    waiting = [names] if names is not None else []
    while waiting and len(found) < 1000:
        node = waiting.pop()
        waiting += [each.get_object() for each in node.get("/Kids", [])][:1000]
        pairs = list(node.get("/Names", []))
        for name, entry in zip(pairs[::2], pairs[1::2], strict=False):
            found[str(name)] = bytes(entry.get_object()["/EF"]["/F"].data)
    return found


def main(roots: list[str]) -> int:
    """Check the file that comes in, and say so in one line."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    logging.getLogger("pyhanko").setLevel(logging.CRITICAL)
    named = " ".join(roots).split(CLOCKS)
    seals, clocks = ([base64.b64decode(each) for each in kind.split()] for kind in (named[0], named[-1]))
    found = asyncio.run(check(sys.stdin.buffer.read(), seals, clocks))
    said = {
        "sealed": found.sealed,
        "intact": found.intact,
        "trusted": found.trusted,
        "by": found.by,
        "at": found.at.isoformat() if found.at else None,
        "wrong": found.wrong,
        "record": found.record.decode("utf-8", "replace") if found.record else None,
    }
    sys.stdout.write(json.dumps(said) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
