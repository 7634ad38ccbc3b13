"""Copies of certificates and extracts: what one is printed from, its code, and the records it carries.

One thing to remember: a code is derived from the installation's secret and kept nowhere; whoever has number and code
holds a copy, and learns no more than stands on it.
"""

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.certificates import commodities, extract_paper, extract_views, extracts, paper, store, views
from services.certificates.models import CertificateRow, ExtractRow, JournalRow, PartyRow, SealedRow
from services.certificates.pdf import Attached, Copy
from services.certificates.seal import Seals, canonical, fingerprint
from services.certificates.sps.writing import written
from services.certificates.statements import stated
from shared.contracts.certificate_views import CertificateView, CommodityView, ExtractView
from shared.kit.keys import Keyring
from shared.rules import content as contents
from shared.rules.actor import Actor
from shared.rules.boxes import bare_root
from shared.rules.status import Action

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH: Final = 10
UNSEALED: Final = frozenset({Action.RECEIVE})
"""A consignee signs without the seal of a body or an authority: the file keeps the seal before his."""
# fmt: off
LATER: Final = {
    # what others than its signer may still change -> the signature that does not cover it
    "clearance_country":  Action.SIGN,                      # guide 002 §3.3
    "entry_authority":    Action.SIGN,
    "first_consignee":    Action.SIGN,
    "release_by_batches": Action.SIGN,
    "customs_procedure":  Action.START_CUSTOMS_PROCEDURE,   # its reference: Regulation 2021/2306, article 7
}
# fmt: on
RECORDS: Final = ("certificate.json", "extract.json")
"""What the record within a copy is called."""
SPS: Final = "sps-certificate.xml"
View = TypeVar("View", CertificateView, ExtractView)


@dataclass(frozen=True)
class Press:
    """What every copy of this installation is printed with."""

    seals: Seals
    codes: Keyring
    portal: str
    """The address of the web site."""
    demo: bool


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
    session: AsyncSession, row: CertificateRow, actor: Actor, now: datetime, language: str, press: Press
) -> Copy[CertificateView]:
    """All that a copy of a certificate is printed from, in its present revision."""
    view = await views.certificate(session, row, actor, now, language)
    _, sources = await store.facts(session, row.content, now, also=[row.creator])
    document = paper.document(row, sources)
    lines = contents.lines(row.content)
    return await _copy(session, row, view, document, sources, lines, row.created_at, language, press)


async def extract_copy_of(
    session: AsyncSession, row: ExtractRow, actor: Actor, now: datetime, language: str, press: Press
) -> Copy[ExtractView]:
    """All that a copy of an extract is printed from; it holds nothing that its consignee may not see."""
    view = await extract_views.extract(session, row, actor, now, language)
    parent = await store.found(session, row.parent_id)
    _, sources = await extracts.facts(session, row, parent, now)
    document = extract_paper.document(row, parent, sources)
    lines = contents.lines(view.parent.content)
    return await _copy(session, row, view, document, sources, lines, parent.created_at, language, press)


async def _copy(
    session: AsyncSession,
    row: CertificateRow | ExtractRow,
    view: View,
    document: dict[str, Any],
    sources: Mapping[str, PartyRow],
    goods: Iterable[Mapping[str, Any]],
    born: datetime,
    language: str,
    press: Press,
) -> Copy[View]:
    mark = fingerprint(canonical(document))
    lines = await journal_of(session, row)
    signed = [line for line in lines if line.seal is not None]
    last = next((line for line in reversed(signed) if line.action not in UNSEALED), None)
    code = code_of(row.id, press.codes) if row.number else ""
    address = f"{press.portal}/verify/{quote(row.number or '', safe='')}"
    statement, key = await stated(session, row, last.organisation_id, mark, press.seals) if last else ("", "")
    return Copy(
        view=view,
        goods=await _goods(session, goods, born, language),
        fingerprint=mark,
        address=f"{address}?{urlencode({'c': code, 'r': row.revision})}" if code else "",
        page=f"{press.portal}/verify",
        code=code,
        later=_later(lines) if isinstance(row, CertificateRow) else {},
        statement=statement,
        statement_key=key,
        statement_by=_name(last, sources),
        sealed_by=_name(last, sources),
        sealed_id=last.organisation_id if last else "",
        sealed_country=_country(last, sources),
        attached=await _attached(session, row, view, document, signed),
        demo=press.demo,
    )


async def _goods(
    session: AsyncSession, lines: Iterable[Mapping[str, Any]], born: datetime, language: str
) -> dict[str, CommodityView]:
    codes = sorted({str(each["cn_code"]) for each in lines if each.get("cn_code")})
    return {each.code: each for each in await commodities.by_code(session, codes, born.date(), language)}


def _name(line: JournalRow | None, sources: Mapping[str, PartyRow]) -> str:
    if line is None:
        return ""
    source = sources.get(line.organisation_id)
    return str(source.record["name"]) if source else line.organisation


def _country(line: JournalRow | None, sources: Mapping[str, PartyRow]) -> str:
    source = sources.get(line.organisation_id) if line else None
    return str(source.record["country"]) if source else ""


async def journal_of(session: AsyncSession, row: CertificateRow | ExtractRow) -> list[JournalRow]:
    """The lines of a journal, oldest first."""
    found = await session.exec(
        select(JournalRow).where(JournalRow.certificate_id == row.id).order_by(col(JournalRow.seq))
    )
    return list(found)


def _later(lines: list[JournalRow]) -> dict[str, datetime]:
    """Fields changed after the signature above them and outside it, each with the last time."""
    changed: dict[str, datetime] = {}
    signed: set[str] = set()
    for line in lines:
        touched = LATER.keys() & {bare_root(name) for name in line.changes}
        changed |= {name: line.at for name in touched if LATER[name] in signed}
        signed.add(line.action)
        changed = {name: at for name, at in changed.items() if LATER[name] != line.action}
    return changed


async def _attached(
    session: AsyncSession,
    row: CertificateRow | ExtractRow,
    view: CertificateView | ExtractView,
    document: dict[str, Any],
    signed: list[JournalRow],
) -> tuple[Attached, ...]:
    """The record of this revision with its signatures and keys, each sealed document byte for byte, and SPS XML."""
    kind = "certificate" if isinstance(row, CertificateRow) else "extract"
    used = {line.seal["key"] for line in signed if line.seal}
    record = {
        "format": f"bordereau-{kind}-1",
        "status": row.status,
        "document": document,
        "signatures": [line.seal for line in signed],
        "keys": [each for each in await views.signing_keys(session) if each["id"] in used],
    }
    sealed = await session.exec(
        select(SealedRow).where(SealedRow.certificate_id == row.id).order_by(col(SealedRow.revision))
    )
    return (
        Attached(f"{kind}.json", canonical(record), "The record of this revision, with signatures and public keys"),
        *(
            Attached(
                f"sealed-{each.fingerprint}.json",
                each.document,
                f"The document under a signature, revision {each.revision}",
            )
            for each in sealed
        ),
        *_as_sps(view),
    )


def _as_sps(view: CertificateView | ExtractView) -> tuple[Attached, ...]:
    """A certificate in the form other systems exchange; the standard knows no extracts."""
    if not isinstance(view, CertificateView):
        return ()
    says = "The certificate as UN/CEFACT SPS certificate"
    return (Attached(SPS, written(view).decode(), says, "application/xml"),)
