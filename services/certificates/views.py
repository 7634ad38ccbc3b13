"""What a reader gets to see: certificates as views, problems as sentences, journals with their proofs."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.certificates import paper, questions, store
from services.certificates.models import (
    CertificateRow,
    ExtractRow,
    IrregularityRow,
    JournalRow,
    PartyRow,
    SealedRow,
    SigningKeyRow,
)
from services.certificates.seal import ALGORITHM, canonical, fingerprint
from shared.contracts.certificate_views import (
    AwaitedView,
    CertificateLink,
    CertificateView,
    Confirmation,
    IrregularityView,
    JournalLine,
    JournalView,
    MayView,
    PartyView,
    ProblemView,
    SignatureView,
)
from shared.rules import boxes, lengths
from shared.rules import content as contents
from shared.rules import problems as judged
from shared.rules.actor import Actor
from shared.rules.forms import SIGNATURES
from shared.rules.parties import Facts
from shared.rules.permissions import Tie, offered
from shared.rules.refusals import Refused
from shared.rules.roles import AuthorityRole, RoleType
from shared.rules.sentences import SENTENCES
from shared.rules.status import Action, Status
from shared.words import say

UNCHECKED = frozenset({Status.DRAFT, Status.DESCRIPTION_COMPLETED, Status.ISSUED})
"""Before box 20 nobody signals an irregularity."""


async def named(session: AsyncSession, certificate_id: str) -> CertificateRow:
    """The certificate of this id, whoever asks; what is no id names nothing."""
    try:
        wanted = str(UUID(certificate_id))
    except ValueError:
        raise Refused("not_found") from None
    return await store.found(session, wanted)


async def seen(session: AsyncSession, certificate_id: str, actor: Actor) -> CertificateRow:
    """The certificate, if this organisation may see it; otherwise it is not there."""
    row = await named(session, certificate_id)
    if actor.organisation_id in row.visible_to:
        return row
    if row.submitted and row.clearance_country and row.clearance_country == await customs_of(session, actor):
        return row
    raise Refused("not_found")


async def seen_whole(session: AsyncSession, certificate_id: str, actor: Actor, now: datetime) -> CertificateRow:
    """The certificate, if this organisation may see all of it: a journal cannot be shown in part."""
    row = await seen(session, certificate_id, actor)
    known, _ = await store.facts(session, row.content, now, also=[row.creator])
    if contents.seen_by(actor.organisation_id, paper.ties(row, known, actor), row.content) != row.content:
        raise Refused("not_permitted")
    return row


async def customs_of(session: AsyncSession, actor: Actor) -> str | None:
    """The country whose certificates a customs office may read; None for everybody else."""
    if actor.role_type != RoleType.AUTHORITY:
        return None
    office = await session.get(PartyRow, actor.organisation_id)
    return office.record["country"] if office and office.record.get("authority_role") == AuthorityRole.CUSTOMS else None


def next_action(row: CertificateRow, mine: frozenset[Tie]) -> Action | None:
    """The action a certificate is being made ready for, to tell what still stands in its way."""
    status = Status(row.status)
    if status is Status.DRAFT:
        return Action.SIGN if Tie.ISSUER in mine else Action.SUBMIT
    if status is Status.ISSUED:
        return Action.OPEN_BATCHES if row.content.get("release_by_batches") else Action.VERIFY
    return {Status.DESCRIPTION_COMPLETED: Action.SIGN, Status.CONSIGNMENT_VERIFIED: Action.RECEIVE}.get(status)


async def after(
    session: AsyncSession, certificate_id: str, key: str, actor: Actor, now: datetime, language: str
) -> CertificateView:
    """What the asker may see once his order is on paper; a certificate he may no longer see is shown to him once."""
    row = await store.found(session, certificate_id)
    return await certificate(session, row, actor, now, language)


async def certificate(
    session: AsyncSession, row: CertificateRow, actor: Actor, now: datetime, language: str
) -> CertificateView:
    """A certificate as this organisation may see it."""
    known, sources = await store.facts(session, row.content, now, also=[row.creator, actor.organisation_id])
    status = Status(row.status)
    mine = paper.ties(row, known, actor)
    may = paper.may_now(row, offered(status, mine, row.submitted))
    known = await store.circumstances(session, row, known)
    content = contents.seen_by(actor.organisation_id, mine, row.content)
    named = contents.organisations_in(content) | {row.creator}
    ahead = next_action(row, mine) if may.edit or may.do else None
    return CertificateView(
        id=row.id,
        number=row.number,
        form_model=row.form_model,
        status=status,
        revision=row.revision,
        created_at=row.created_at,
        updated_at=row.updated_at,
        entered_at=row.entered_at,
        content=content,
        parties={each: party_view(sources[each]) for each in sorted(named) if each in sources},
        ties=sorted(mine),
        may=MayView(edit=sorted(may.edit), do=sorted(may.do)),
        problems=problem_views(
            judged.problems(row.content, ahead, paper.model_of(row), known) if ahead else (), language
        ),
        awaited=_awaited(row, known, sources, actor),
        signatures=await signatures(session, row.id, sources),
        flags=paper.flags(row),
        replaces=await _link(session, row.replaces, actor),
        replaced_by=await _link(session, row.replaced_by, actor),
        irregularities=await _irregularities(session, row) if mine and status not in UNCHECKED else [],
        documents=row.documents if mine else [],
        questions=await questions.open_ones(session, row) if mine and row.submitted else 0,
    )


async def _link(session: AsyncSession, certificate_id: str | None, actor: Actor) -> CertificateLink | None:
    """The certificate beside this one, for those who may see it; a successor is a draft until its box 18 is signed."""
    row = await session.get(CertificateRow, certificate_id) if certificate_id else None
    if row is None or actor.organisation_id not in row.visible_to:
        return None
    return CertificateLink(id=row.id, number=row.number, status=Status(row.status))


async def _irregularities(session: AsyncSession, row: CertificateRow) -> list[IrregularityView]:
    """The notices of irregularity of a certificate, newest first."""
    rows = await session.exec(
        select(IrregularityRow)
        .where(IrregularityRow.certificate_id == row.id)
        .order_by(col(IrregularityRow.signalled_at).desc())
    )
    shown = IrregularityView.model_fields.keys() - {"reply_until"}
    return [
        IrregularityView(
            **{name: getattr(each, name) for name in shown},
            reply_until=each.signalled_at + lengths.time_of("reply_overdue"),
        )
        for each in rows
    ]


def party_view(row: PartyRow) -> PartyView:
    """An organisation as a certificate shows it."""
    record = row.record
    place = " ".join(part for part in (record.get("postal_code"), record.get("city")) if part)
    return PartyView(
        id=row.id,
        name=record["name"],
        kind=record["kind"],
        country=record["country"],
        code=record.get("code"),
        address=", ".join(part for part in (record.get("address"), place) if part),
        status=record["status"],
    )


def problem_views(problems: Iterable[boxes.Problem], language: str) -> list[ProblemView]:
    """Problems with their sentence in the reader's language."""
    return [
        ProblemView(
            field=each.field,
            box=str(each.box) if each.box else None,
            title=say(each.title, language),
            code=each.code,
            message=say(SENTENCES.get(each.code, each.code), language, **each.params),
            severity=each.severity,
            params=dict(each.params),
        )
        for each in problems
    ]


def _awaited(row: CertificateRow, known: Facts, sources: dict[str, PartyRow], actor: Actor) -> AwaitedView | None:
    tied = paper.bound(row, known)
    awaits = paper.awaits_of(row, tied.get(actor.organisation_id, ()))
    if awaits is None:
        return None
    return AwaitedView(
        code=awaits.code,
        organisations=[party_view(sources[each]) for each in paper.turn_of([awaits], tied) if each in sources],
        since=row.entered_at,
        until=row.due_at,
        clock=row.due_name,
        mine=actor.organisation_id in row.awaited_by,
    )


async def signatures(session: AsyncSession, of: str, sources: dict[str, PartyRow]) -> list[SignatureView]:
    """The signatures in the journal of a certificate or an extract, oldest first."""
    lines = await session.exec(
        select(JournalRow)
        .where(JournalRow.certificate_id == of, col(JournalRow.seal).is_not(None))
        .order_by(col(JournalRow.seq))
    )
    signed = []
    for line in lines:
        assert line.seal is not None
        statement = line.seal["statement"]
        source = sources.get(line.organisation_id)
        signed.append(
            SignatureView(
                box=statement["box"],
                action=line.action,
                person=line.person,
                organisation=party_view(source)
                if source
                else PartyView(id=line.organisation_id, name=line.organisation, kind="", country=""),
                at=line.at,
                revision=statement["revision"],
                fingerprint=statement["fingerprint"],
                form=line.form,
            )
        )
    return signed


async def confirmation(
    session: AsyncSession, row: CertificateRow, actor: Actor, action: str, now: datetime, language: str
) -> Confirmation:
    """The whole content of the present revision with its fingerprint, for somebody who may take this action now."""
    if action not in SIGNATURES:
        raise Refused("unknown_action", action=action, field="action")
    known, sources = await store.facts(session, row.content, now, also=[row.creator, actor.organisation_id])
    mine = paper.ties(row, known, actor)
    known = await store.circumstances(session, row, known)
    if Action(action) not in offered(Status(row.status), mine, row.submitted).do:
        raise Refused("not_permitted", action=action)
    shown = paper.document(row, sources)
    return Confirmation(
        action=action,
        revision=row.revision,
        fingerprint=fingerprint(canonical(shown)),
        document=shown,
        problems=problem_views(judged.problems(row.content, Action(action), paper.model_of(row), known), language),
    )


async def journal(session: AsyncSession, row: CertificateRow | ExtractRow) -> JournalView:
    """The whole journal of a certificate or an extract, oldest line first."""
    lines = await session.exec(
        select(JournalRow).where(JournalRow.certificate_id == row.id).order_by(col(JournalRow.seq))
    )
    return JournalView(
        certificate_id=row.id,
        number=row.number,
        length=row.journal_length,
        head=row.journal_head,
        lines=[JournalLine(**paper.covered(line), hash=line.hash) for line in lines],
    )


async def export(session: AsyncSession, row: CertificateRow | ExtractRow) -> dict[str, Any]:
    """The journal, the documents under its seals byte for byte, and the public keys that check them."""
    view = await journal(session, row)
    sealed = await session.exec(select(SealedRow).where(SealedRow.certificate_id == row.id))
    lines = [{**line.model_dump(mode="json"), "at": line.at.isoformat()} for line in view.lines]
    used = {line.seal["key"] for line in view.lines if line.seal}
    return {
        "format": "bordereau-journal-1",
        "certificate_id": view.certificate_id,
        "number": view.number,
        "length": view.length,
        "head": view.head,
        "lines": lines,
        "documents": {each.fingerprint: each.document for each in sealed},
        "keys": [each for each in await signing_keys(session) if each["id"] in used],
    }


async def signing_keys(session: AsyncSession) -> list[dict[str, Any]]:
    """Every organisation's public signing key."""
    rows = await session.exec(select(SigningKeyRow).order_by(col(SigningKeyRow.created_at)))
    return [
        {"id": row.id, "organisation_id": row.organisation_id, "algorithm": ALGORITHM, "public_key": row.public_key}
        for row in rows
    ]
