"""Copies of a certificate: what one is printed from, its code, and what its holder may learn without signing in.

One thing to remember: a code is derived from the installation's secret and kept nowhere; whoever has number and code
holds a copy, and learns no more than stands on it.
"""

import base64
import hmac
import json
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote, urlencode

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.certificates import commodities, paper, store, views
from services.certificates.models import CertificateRow, JournalRow, PartyRow, SealedRow
from services.certificates.pdf import Attached, Copy
from services.certificates.seal import Seals, canonical, fingerprint
from shared.contracts.verification import Presented, PublicView
from shared.kit.keys import Keyring
from shared.rules.actor import Actor
from shared.rules.boxes import bare_root
from shared.rules.refusals import Refused
from shared.rules.status import Action, Status

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH: Final = 10
STATEMENT: Final = "BDR1"
"""How the statement in the second square code begins."""
UNSEALED: Final = frozenset({Action.RECEIVE})
"""The first consignee signs without the seal of a body or an authority: the file keeps the seal before his."""
AFTER_ISSUE: Final = frozenset({"clearance_country", "entry_authority", "first_consignee", "release_by_batches"})
"""What others than the issuing body may still change after it signed (guide 002 §3.3)."""


# ---- the code ---------------------------------------------------------------------------------------------------


def code_of(certificate_id: str, codes: Keyring) -> str:
    """The short code printed on every copy of a certificate."""
    return _code(certificate_id, codes[codes.current])


def fits(code: str, certificate_id: str, codes: Keyring) -> bool:
    """Whether this is the certificate's code, under any key of ours; typed as people type."""
    typed = read_aloud(code)
    known = [hmac.compare_digest(typed, read_aloud(_code(certificate_id, key))) for key in codes.values()]
    return any(known)


def read_aloud(code: str) -> str:
    """A code without what people add or mistake: spaces, hyphens, small letters, O for 0, I and L for 1."""
    plain = "".join(sign for sign in code.upper() if sign.isascii() and sign.isalnum())
    return plain.translate(str.maketrans("OIL", "011"))


def _code(certificate_id: str, key: bytes) -> str:
    digest = int.from_bytes(hmac.digest(key, certificate_id.encode(), "sha256"))
    signs = "".join(ALPHABET[(digest >> 5 * place) % 32] for place in range(LENGTH))
    return f"{signs[:5]}-{signs[5:]}"


# ---- a copy -----------------------------------------------------------------------------------------------------


async def copy_of(
    session: AsyncSession,
    row: CertificateRow,
    actor: Actor,
    now: datetime,
    language: str,
    *,
    seals: Seals,
    codes: Keyring,
    portal: str,
    demo: bool,
) -> Copy:
    """All that a copy of a certificate is printed from, in its present revision."""
    view = await views.certificate(session, row, actor, now, language)
    _, sources = await store.facts(session, row.content, now, also=[row.creator])
    document = paper.document(row, sources)
    mark = fingerprint(canonical(document))
    lines = await _journal(session, row)
    signed = [line for line in lines if line.seal is not None]
    last = next((line for line in reversed(signed) if line.action not in UNSEALED), None)
    cn_codes = sorted({str(each["cn_code"]) for each in row.content.get("product_lines") or () if each.get("cn_code")})
    code = code_of(row.id, codes) if row.number else ""
    address = f"{portal}/verify/{quote(row.number or '', safe='')}"
    statement, key = await _statement(session, row, last, mark, seals) if last else ("", "")
    return Copy(
        view=view,
        goods={
            each.code: each for each in await commodities.by_code(session, cn_codes, row.created_at.date(), language)
        },
        fingerprint=mark,
        address=f"{address}?{urlencode({'c': code, 'r': row.revision})}" if code else "",
        page=f"{portal}/verify",
        code=code,
        later=_later(lines),
        statement=statement,
        statement_key=key,
        statement_by=_name(last, sources),
        sealed_by=_name(last, sources),
        sealed_id=last.organisation_id if last else "",
        sealed_country=_country(last, sources),
        attached=await _attached(session, row, document, signed),
        demo=demo,
    )


def _name(line: JournalRow | None, sources: dict[str, PartyRow]) -> str:
    if line is None:
        return ""
    source = sources.get(line.organisation_id)
    return str(source.record["name"]) if source else line.organisation


def _country(line: JournalRow | None, sources: dict[str, PartyRow]) -> str:
    source = sources.get(line.organisation_id) if line else None
    return str(source.record["country"]) if source else ""


async def _journal(session: AsyncSession, row: CertificateRow) -> list[JournalRow]:
    found = await session.exec(
        select(JournalRow).where(JournalRow.certificate_id == row.id).order_by(col(JournalRow.seq))
    )
    return list(found)


def _later(lines: list[JournalRow]) -> dict[str, datetime]:
    """Fields changed after box 18 was signed and outside the seals, each with the last time."""
    changed: dict[str, datetime] = {}
    issued = False
    for line in lines:
        if issued:
            changed |= {bare_root(name): line.at for name in line.changes if bare_root(name) in AFTER_ISSUE}
        issued = issued or line.action == Action.SIGN
    return changed


async def _statement(
    session: AsyncSession, row: CertificateRow, last: JournalRow, mark: str, seals: Seals
) -> tuple[str, str]:
    """What the second square code says, signed with the key of the last organisation that sealed; and the key's id."""
    said = {"at": row.updated_at.isoformat(), "copy": 1, "f": mark, "n": row.number, "r": row.revision, "s": row.status}
    seal = await seals.sign(session, last.organisation_id, said)
    parts = (canonical(said).encode(), base64.b64decode(seal["signature"]))
    return ".".join(
        [STATEMENT, seal["key"], *(base64.urlsafe_b64encode(each).decode().rstrip("=") for each in parts)]
    ), seal["key"]


async def _attached(
    session: AsyncSession, row: CertificateRow, document: dict[str, Any], signed: list[JournalRow]
) -> tuple[Attached, ...]:
    """The record of this revision with its signatures and keys, and each sealed document byte for byte."""
    used = {line.seal["key"] for line in signed if line.seal}
    record = {
        "format": "bordereau-certificate-1",
        "status": row.status,
        "document": document,
        "signatures": [line.seal for line in signed],
        "keys": [each for each in await views.signing_keys(session) if each["id"] in used],
    }
    sealed = await session.exec(
        select(SealedRow).where(SealedRow.certificate_id == row.id).order_by(col(SealedRow.revision))
    )
    return (
        Attached("certificate.json", canonical(record), "The record of this revision, with signatures and public keys"),
        *(
            Attached(
                f"sealed-{each.fingerprint}.json",
                each.document,
                f"The document under a signature, revision {each.revision}",
            )
            for each in sealed
        ),
    )


# ---- what the holder of a copy may learn -----------------------------------------------------------------------


async def presented(session: AsyncSession, number: str, code: str, revision: int | None, codes: Keyring) -> PublicView:
    """The certificate as the public sees it; a wrong number and a wrong code are the same to us."""
    row = await by_number(session, number)
    right = fits(code, row.id if row else number, codes)
    if row is None or not right:
        raise Refused("not_found")
    return await public(session, row, revision)


async def by_number(session: AsyncSession, number: str) -> CertificateRow | None:
    """The certificate with this number, typed in whatever case."""
    found = await session.exec(select(CertificateRow).where(CertificateRow.number == number.strip().upper()))
    return found.one_or_none()


async def public(session: AsyncSession, row: CertificateRow, revision: int | None) -> PublicView:
    """A certificate without persons and without parties other than its issuing body."""
    body = await session.get(PartyRow, row.issuing_body) if row.issuing_body else None
    lines = await _journal(session, row)
    compared = None
    if revision is not None:
        compared = Presented.UNKNOWN
        if 0 < revision <= row.revision:
            compared = Presented.CURRENT if revision == row.revision else Presented.OLDER
    assert row.number is not None
    return PublicView(
        number=row.number,
        form_model=row.form_model,
        status=Status(row.status),
        status_since=row.entered_at,
        issuing_body=str(body.record["name"]) if body else "",
        issuing_body_code=body.record.get("code") if body else None,
        country_of_export=row.country_of_export,
        issued_at=next((line.at for line in lines if line.action == Action.SIGN), None),
        revision=row.revision,
        updated_at=row.updated_at,
        replaces=await _number(session, row.replaces),
        replaced_by=await _number(session, row.replaced_by),
        presented=compared,
    )


async def _number(session: AsyncSession, certificate_id: str | None) -> str | None:
    other = await session.get(CertificateRow, certificate_id) if certificate_id else None
    return other.number if other else None


def statement_said(text: str, published: dict[str, Any]) -> dict[str, Any]:
    """What a square code says, checked against published signing keys and nothing else; ``ValueError`` says why not."""
    parts = text.strip().split(".")
    if len(parts) != 4 or parts[0] != STATEMENT:
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
    return body


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
