"""What the holder of a copy may learn without signing in: no persons, and no parties but the issuing body.

One thing to remember: a wrong number and a wrong code are the same to us.
"""

import json
from datetime import datetime

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.certificates import store
from services.certificates.copies import fits, journal_of
from services.certificates.models import CertificateRow, ExtractRow, PartyRow
from shared.contracts.verification import Presented, PublicView
from shared.kit.keys import Keyring
from shared.rules.extracts import ExtractStatus
from shared.rules.refusals import Refused
from shared.rules.status import Action, Status

ISSUES = frozenset({Action.SIGN})
ENDORSES = frozenset({Action.VERIFY, Action.RELEASE_CONVENTIONAL, Action.REJECT})


async def presented(session: AsyncSession, number: str, code: str, revision: int | None, codes: Keyring) -> PublicView:
    """The certificate or extract as the public sees it."""
    row = await by_number(session, number)
    right = fits(code, row.id if row else number, codes)
    if row is None or not right:
        raise Refused("not_found")
    return await public(session, row, revision)


async def by_number(session: AsyncSession, number: str) -> CertificateRow | ExtractRow | None:
    """The certificate or extract with this number, typed in whatever case."""
    plain = number.strip().upper()
    found = await session.exec(select(CertificateRow).where(CertificateRow.number == plain))
    if (certificate := found.one_or_none()) is not None:
        return certificate
    return (await session.exec(select(ExtractRow).where(ExtractRow.number == plain))).one_or_none()


async def public(session: AsyncSession, row: CertificateRow | ExtractRow, revision: int | None) -> PublicView:
    """What stands on paper now, without persons and without parties other than the issuing body."""
    of = await store.found(session, row.parent_id) if isinstance(row, ExtractRow) else None
    parent = of or row
    assert isinstance(parent, CertificateRow)
    assert row.number is not None
    body = await session.get(PartyRow, parent.issuing_body) if parent.issuing_body else None
    return PublicView(
        number=row.number,
        form_model=row.form_model,
        status=ExtractStatus(row.status) if of else Status(row.status),
        status_since=row.entered_at,
        issuing_body=str(body.record["name"]) if body else "",
        issuing_body_code=body.record.get("code") if body else None,
        country_of_export=parent.country_of_export,
        issued_at=await _signed(session, parent, ISSUES),
        endorsed_at=await _signed(session, row, ENDORSES) if of else None,
        revision=row.revision,
        updated_at=row.updated_at,
        replaces=await _number(session, parent.replaces) if of is None else None,
        replaced_by=await _number(session, parent.replaced_by) if of is None else None,
        extract_of=of.number if of else None,
        certificate_status=Status(of.status) if of else None,
        presented=compared(row.revision, revision),
    )


def compared(current: int, revision: int | None) -> Presented | None:
    """How a copy of this revision compares with the current one."""
    if revision is None:
        return None
    if not 0 < revision <= current:
        return Presented.UNKNOWN
    return Presented.CURRENT if revision == current else Presented.OLDER


async def of_record(session: AsyncSession, record: str) -> PublicView | None:
    """What the certificate or extract is now whose record this is; the seal around the record has been checked."""
    try:
        document = json.loads(record)["document"]
        row = await by_number(session, str(document["number"]))
        of_it = row is not None and row.id == document["certificate"]
        return await public(session, row, int(document["revision"])) if row is not None and of_it else None
    except (ValueError, TypeError, LookupError):
        return None


async def _signed(
    session: AsyncSession, row: CertificateRow | ExtractRow, actions: frozenset[Action]
) -> datetime | None:
    return next((line.at for line in await journal_of(session, row) if line.action in actions), None)


async def _number(session: AsyncSession, certificate_id: str | None) -> str | None:
    other = await session.get(CertificateRow, certificate_id) if certificate_id else None
    return other.number if other else None
