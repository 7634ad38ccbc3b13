"""What the holder of a copy may learn without signing in: no persons, and no parties but the issuing body.

One thing to remember: a wrong number and a wrong code are the same to us. Anybody may ask, and often: a number is one
question to the database, and no box is read.
"""

import json
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, bindparam, func, select
from sqlalchemy.orm import aliased
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from services.certificates.copies import fits
from services.certificates.models import CertificateRow, ExtractRow, JournalRow, PartyRow
from shared.contracts.verification import Presented, PublicView
from shared.kit.keys import Keyring
from shared.rules.extracts import ExtractStatus
from shared.rules.refusals import Refused
from shared.rules.status import Action, Status

ENDORSES: Final = (Action.VERIFY, Action.RELEASE_CONVENTIONAL, Action.REJECT)
_PREDECESSOR, _SUCCESSOR = aliased(CertificateRow), aliased(CertificateRow)
_NUMBER: Final[ColumnElement[Any]] = bindparam("number")
_OF_BODY: Final = (col(PartyRow.record)["name"].astext.label("body"), col(PartyRow.record)["code"].astext.label("code"))
_OF_PARENT: Final = (col(CertificateRow.country_of_export), col(CertificateRow.issued_at), *_OF_BODY)


def _own(of: type[CertificateRow] | type[ExtractRow]) -> tuple[Any, ...]:
    return (
        col(of.id), col(of.number), col(of.form_model), col(of.status), col(of.entered_at), col(of.revision),
        col(of.updated_at),
    )  # fmt: skip


CERTIFICATE: Final = (
    select(
        *_own(CertificateRow),
        *_OF_PARENT,
        col(_PREDECESSOR.number).label("replaces"),
        col(_SUCCESSOR.number).label("replaced_by"),
    )
    .outerjoin(PartyRow, col(PartyRow.id) == col(CertificateRow.issuing_body))
    .outerjoin(_PREDECESSOR, col(_PREDECESSOR.id) == col(CertificateRow.replaces))
    .outerjoin(_SUCCESSOR, col(_SUCCESSOR.id) == col(CertificateRow.replaced_by))
    .where(col(CertificateRow.number) == _NUMBER)
)
EXTRACT: Final = (
    select(
        *_own(ExtractRow),
        *_OF_PARENT,
        col(CertificateRow.number).label("extract_of"),
        col(CertificateRow.status).label("certificate_status"),
        select(func.min(col(JournalRow.at)))
        .where(col(JournalRow.certificate_id) == col(ExtractRow.id), col(JournalRow.action).in_(ENDORSES))
        .scalar_subquery()
        .label("endorsed_at"),
    )
    .join(CertificateRow, col(CertificateRow.id) == col(ExtractRow.parent_id))
    .outerjoin(PartyRow, col(PartyRow.id) == col(CertificateRow.issuing_body))
    .where(col(ExtractRow.number) == _NUMBER)
)


async def presented(session: AsyncSession, number: str, code: str, revision: int | None, codes: Keyring) -> PublicView:
    """The certificate or extract as the public sees it."""
    found = await _by_number(session, number)
    right = fits(code, found.id if found else number, codes)
    if found is None or not right:
        raise Refused("not_found")
    return _view(found, revision)


async def of_record(session: AsyncSession, record: str) -> PublicView | None:
    """What the certificate or extract is now whose record this is; the seal around the record has been checked."""
    try:
        document = json.loads(record)["document"]
        found = await _by_number(session, str(document["number"]))
        of_it = found is not None and found.id == document["certificate"]
        return _view(found, int(document["revision"])) if found is not None and of_it else None
    except (ValueError, TypeError, LookupError):
        return None


def compared(current: int, revision: int | None) -> Presented | None:
    """How a copy of this revision compares with the current one."""
    if revision is None:
        return None
    if not 0 < revision <= current:
        return Presented.UNKNOWN
    return Presented.CURRENT if revision == current else Presented.OLDER


async def _by_number(session: AsyncSession, number: str) -> Row[Any] | None:
    """What may be said of the certificate or extract with this number, typed in whatever case."""
    plain = number.strip().upper()
    for query in (CERTIFICATE, EXTRACT):
        found: Row[Any] | None = (await session.execute(query, {"number": plain})).one_or_none()
        if found is not None:
            return found
    return None


def _view(found: Row[Any], revision: int | None) -> PublicView:
    """What stands on paper now, without persons and without parties other than the issuing body."""
    told = dict(found._mapping)
    of_extract = "extract_of" in told
    return PublicView(
        number=found.number,
        form_model=found.form_model,
        status=ExtractStatus(found.status) if of_extract else Status(found.status),
        status_since=found.entered_at,
        issuing_body=found.body or "",
        issuing_body_code=found.code,
        country_of_export=found.country_of_export,
        issued_at=found.issued_at,
        endorsed_at=told.get("endorsed_at"),
        revision=found.revision,
        updated_at=found.updated_at,
        replaces=told.get("replaces"),
        replaced_by=told.get("replaced_by"),
        extract_of=told.get("extract_of"),
        certificate_status=Status(found.certificate_status) if of_extract else None,
        presented=compared(found.revision, revision),
    )
