"""The signed statement in a copy's second square code: made with an organisation's key, checked without network.

One thing to remember: it says what number, revision, status and fingerprint were when the copy was printed, and
nothing of what became of them since.
"""

import base64
import json
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlmodel.ext.asyncio.session import AsyncSession

from services.certificates.models import CertificateRow, ExtractRow
from services.certificates.seal import Seals, canonical

STATEMENT: Final = "BDR1"
"""How the statement in the second square code begins."""
LONGEST: Final = 1000
"""Signs of a statement; more does not fit into a square code that a telephone reads."""


async def stated(
    session: AsyncSession, row: CertificateRow | ExtractRow, organisation_id: str, mark: str, seals: Seals
) -> tuple[str, str]:
    """What the second square code says, signed with the key of this organisation; and the key's id."""
    said = {"at": row.updated_at.isoformat(), "copy": 1, "f": mark, "n": row.number, "r": row.revision, "s": row.status}
    seal = await seals.sign(session, organisation_id, said)
    parts = (canonical(said).encode(), base64.b64decode(seal["signature"]))
    return ".".join(
        [STATEMENT, seal["key"], *(base64.urlsafe_b64encode(each).decode().rstrip("=") for each in parts)]
    ), seal["key"]


def statement_said(text: str, published: dict[str, Any]) -> dict[str, Any]:
    """What a square code says, checked against published signing keys and nothing else; ``ValueError`` says why not."""
    parts = text.strip().split(".")
    if len(text) > LONGEST or len(parts) != 4 or parts[0] != STATEMENT:
        raise ValueError("this is no statement of a square code")
    known = next((each for each in published["keys"] if each["id"] == parts[1]), None)
    if known is None:
        raise ValueError("its key is not published")
    said = _bytes(parts[2])
    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(known["public_key"])).verify(_bytes(parts[3]), said)
    except InvalidSignature:
        raise ValueError("its signature does not fit") from None
    body = json.loads(said)
    if not isinstance(body, dict) or body.get("copy") != 1:
        raise ValueError("this is no statement of a square code")
    return {**body, "key": known}


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
