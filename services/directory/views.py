"""What readers see of roles, proposals and records: rows become views, ids become names, and rights become ``may``."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from services.directory import deciders, history, operators, proposals, roles, standing, store
from services.directory.models import LineRow, OrganisationRow, ProposalRow, RoleRow
from services.directory.records import Alike
from shared.contracts.directory import ClaimView, LineView, ProposalView, RoleRequestView, Sides
from shared.contracts.organisations import (
    ActivityView,
    Difference,
    Evidence,
    HistoryLine,
    HistoryView,
    LookAlike,
    Named,
    OrganisationMay,
    OrganisationView,
    PublicOrganisation,
    RecognitionView,
)
from shared.rules import lengths
from shared.rules import requests as law
from shared.rules.actor import Actor
from shared.rules.refusals import Refused
from shared.rules.requests import RoleStatus, Side
from shared.rules.roles import RoleType

SILENT = ("key", "create", "edit")
"""Lines that remember a key and tell a reader nothing."""


async def named(session: AsyncSession, ids: Iterable[str | None]) -> dict[str, Named]:
    """Organisations by their names."""
    rows = await store.organisations(session, {each for each in ids if each})
    return {row.id: name_of(row) for row in rows}


def name_of(row: OrganisationRow) -> Named:
    """An organisation by its name."""
    return Named(id=row.id, name=row.name, country=row.country, code=row.code)


async def organisation_views(session: AsyncSession, rows: Sequence[OrganisationRow]) -> list[OrganisationView]:
    """Public records, with the codes of the control bodies their activities name."""
    bodies = {each["control_body"] for row in rows for each in row.activities if each.get("control_body")}
    codes = await store.codes(session, bodies)
    return [_organisation(row, codes) for row in rows]


def _organisation(row: OrganisationRow, codes: Mapping[str, str | None]) -> OrganisationView:
    return OrganisationView(
        **row.model_dump(include=OrganisationView.model_fields.keys() - {"activities", "recognitions"}),
        activities=[
            ActivityView(
                **{name: each[name] for name in ActivityView.model_fields if name in each},
                control_body_code=codes.get(each.get("control_body") or ""),
            )
            for each in row.activities
        ],
        recognitions=[RecognitionView(**each) for each in row.recognitions],
    )


# ── Roles ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def role_views(
    session: AsyncSession,
    rows: Sequence[RoleRow],
    side: Side | None = None,
    private: bool = True,
    reader: str = "",
) -> list[RoleRequestView]:
    """Roles as lists show them; ``private`` also shows what the applicant wrote to whoever decides."""
    ids = {each for row in rows for each in (row.organisation_id, *row.awaited_by, *row.told)}
    where = {row.id: row for row in await store.organisations(session, ids)}
    return [_role(row, where, side, private, reader) for row in rows]


def _role(
    row: RoleRow,
    where: Mapping[str, OrganisationRow],
    side: Side | None,
    private: bool,
    reader: str,
    lines: Sequence[LineView] = (),
) -> RoleRequestView:
    organisation = where[row.organisation_id]
    return RoleRequestView(
        id=row.id,
        revision=row.revision,
        person_id=row.person_id,
        person=row.person,
        role_type=row.role_type,
        status=row.status,
        administrator=row.administrator,
        organisation=name_of(organisation),
        organisation_kind=organisation.kind,
        organisation_status=organisation.status,
        city=organisation.city,
        postal_code=organisation.postal_code,
        authority_role=organisation.authority_role,
        countries=row.countries,
        since=row.since,
        requested_at=row.requested_at,
        message=row.message if private else "",
        email=row.email if private else "",
        phone=row.phone if private else "",
        awaits=[name_of(where[each]) for each in row.awaited_by if each in where],
        told=[name_of(where[each]) for each in row.told if each in where],
        claim=_claim(row, where) if private else None,
        question=row.question if private else "",
        reason=row.reason if private else "",
        due_at=row.due_at,
        due=row.due_name,
        expires_at=_expires(row),
        proposal_id=row.proposal_id,
        may=_offered(law.ROLE_MOVES, row, side, reader),
        lines=list(lines),
    )


def _expires(row: RoleRow | ProposalRow) -> datetime | None:
    if row.status != RoleStatus.REQUESTED:
        return None
    return (row.asked_at or row.counted_from) + lengths.time_of("unanswered" if row.asked_at else "expired")


def _claim(row: RoleRow | ProposalRow, where: Mapping[str, OrganisationRow]) -> ClaimView | None:
    """Who has taken it on, as long as the organisation he did it for may decide."""
    if row.claimed_at is None or row.claimed_for not in where or row.claimed_for not in row.awaited_by:
        return None
    return ClaimView(person=row.claimer, organisation=name_of(where[row.claimed_for]), at=row.claimed_at)


def _offered(moves: tuple[law.Move, ...], row: RoleRow | ProposalRow, side: Side | None, reader: str) -> list[str]:
    """The steps of a side, without those that would change nothing."""
    if side is None:
        return []
    idle = set()
    if row.asked_at is None:
        idle.add(law.Step.ANSWER)
    idle.add(law.Step.CLAIM if reader and row.claimed_by == reader else law.Step.RELEASE)
    if isinstance(row, RoleRow):
        idle.add(law.Step.APPOINT if row.administrator else law.Step.DISMISS)
    return [step for step in law.offered(moves, row.status, side) if step not in idle]


async def role_view(session: AsyncSession, actor: Actor, row: RoleRow) -> RoleRequestView:
    """One role with its history, for the applicant, whoever decides, and the authority above that was told."""
    where = await store.organisation(session, row.organisation_id)
    side = await deciders.side_of(session, actor, row, await deciders.of_role(session, where, row.person_id))
    if side is None and not await _told(session, actor, row):
        raise Refused("not_found")
    organisations = {
        each.id: each for each in await store.organisations(session, {where.id, *row.awaited_by, *row.told})
    }
    return _role(row, organisations, side, True, actor.person_id, await _lines(session, row.id))


async def _told(session: AsyncSession, actor: Actor, row: RoleRow | ProposalRow) -> bool:
    post = await deciders.post_of(session, actor)
    return post is not None and post.organisation_id in row.told


async def _lines(session: AsyncSession, about: str) -> list[LineView]:
    told = [line for line in await history.lines(session, about) if line.action not in SILENT]
    names = await named(session, (line.acting_for for line in told))
    return [_line(line, names) for line in told]


def _line(line: LineRow, names: Mapping[str, Named]) -> LineView:
    return LineView(
        at=line.at,
        action=line.action,
        person=line.person,
        organisation=names.get(line.acting_for or ""),
        said=line.said,
        status=line.status,
    )


async def sides(session: AsyncSession, actor: Actor, row: RoleRow) -> Sides:
    """Everything needed to decide: the applicant, the organisation, its proposal and evidence, his other roles."""
    role = await role_view(session, actor, row)
    where = await store.organisation(session, row.organisation_id)
    pending = await proposals.proposal(session, row.proposal_id) if row.proposal_id else None
    mine = actor.person_id == row.person_id
    others = [each for each in await roles.of_person(session, row.person_id) if each.id != row.id]
    people = await roles.in_organisation(session, where.id)
    proposed = await proposal_view(session, actor, pending) if pending else None
    return Sides(
        role=role,
        organisation=(await organisation_views(session, [where]))[0],
        proposal=proposed,
        look_alikes=proposed.look_alikes if proposed else [] if mine else await _resembling(session, where),
        others=[] if mine else await role_views(session, others, private=False),
        colleagues=sum(each.status == RoleStatus.VALID for each in people),
    )


async def _resembling(session: AsyncSession, where: OrganisationRow) -> list[LookAlike]:
    """What may be the same as an operator that is there already."""
    if where.kind != RoleType.OPERATOR:
        return []
    found = await operators.look_alikes(session, store.record(where), besides=where.id)
    return [look_alike(*pair) for pair in found]


# ── Proposals ─────────────────────────────────────────────────────────────────────────────────────────────────


async def proposal_view(session: AsyncSession, actor: Actor, row: ProposalRow) -> ProposalView:
    """One proposal with its differences and look-alikes, for whoever proposed it, decides, or was told."""
    where = await store.organisation(session, row.organisation_id)
    side = await deciders.side_of(session, actor, row, await deciders.of_operator(session, where))
    if side is None and not await _told(session, actor, row):
        raise Refused("not_found")
    fields = {**store.record(where), **row.changes}
    alike = [] if side is Side.APPLICANT else await operators.look_alikes(session, fields, besides=where.id)
    lines = await _lines(session, row.id)
    return (await proposal_views(session, [row], side, alike, lines, actor.person_id))[0]


async def proposal_views(
    session: AsyncSession,
    rows: Sequence[ProposalRow],
    side: Side | None,
    alike: Sequence[tuple[OrganisationRow, Alike]] = (),
    lines: Sequence[LineView] = (),
    reader: str = "",
) -> list[ProposalView]:
    """Proposals as lists show them."""
    ids = {each for row in rows for each in (row.organisation_id, *row.awaited_by, *row.told)}
    where = {row.id: row for row in await store.organisations(session, ids)}
    return [
        ProposalView(
            id=row.id,
            revision=row.revision,
            kind=row.kind,
            status=row.status,
            organisation=name_of(where[row.organisation_id]),
            organisation_status=where[row.organisation_id].status,
            person_id=row.person_id,
            person=row.person,
            proposed_at=row.requested_at,
            why=row.why,
            differences=_differences(row.before, row.changes),
            evidence=Evidence(**row.evidence) if row.evidence else None,
            look_alikes=[look_alike(*pair) for pair in alike],
            awaits=[name_of(where[each]) for each in row.awaited_by if each in where],
            told=[name_of(where[each]) for each in row.told if each in where],
            claim=_claim(row, where),
            question=row.question,
            reason=row.reason,
            due_at=row.due_at,
            due=row.due_name,
            expires_at=_expires(row),
            may=_offered(law.REQUEST_MOVES, row, side, reader),
            lines=list(lines),
        )
        for row in rows
    ]


def look_alike(row: OrganisationRow, why: Alike) -> LookAlike:
    """An organisation that may be the same."""
    return LookAlike(
        organisation=name_of(row),
        address=", ".join(each for each in (row.address, f"{row.postal_code} {row.city}".strip()) if each),
        status=row.status,
        score=why.score,
        reason=why.reason,
        value=why.value,
    )


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    return [Difference(field=field, before=before.get(field), after=value) for field, value in sorted(after.items())]


# ── Records ───────────────────────────────────────────────────────────────────────────────────────────────────


async def organisation_may(session: AsyncSession, actor: Actor, row: OrganisationRow) -> OrganisationMay:
    """What somebody may do with a record."""
    pending = await proposals.open_proposal(session, row.id)
    return OrganisationMay(
        revision=row.revision,
        status=row.status,
        edit=await standing.may_edit(session, actor, row),
        steps=list(await standing.steps(session, actor, row)),
        pending=pending.id if pending else None,
    )


async def history_view(session: AsyncSession, actor: Actor, row: OrganisationRow, at: datetime) -> HistoryView:
    """Every change of a record, and the record as it stood at a moment; for its own people and its guardians."""
    post = await deciders.post_of(session, actor)
    own = post is not None and post.organisation_id == row.id
    if not own and not await standing.guarded(session, actor, row):
        raise Refused("not_found")
    told = [line for line in await store.journal(session, row.id) if line.record]
    names = await named(session, (line.acting_for for line in told))
    then = [line for line in told if line.at <= at]
    return HistoryView(
        at=at,
        record=then[-1].record if then else None,
        lines=[
            HistoryLine(
                id=int(line.id or 0),
                at=line.at,
                what=line.what,
                revision=line.revision,
                organisation=names.get(line.acting_for or ""),
                why=line.why,
                differences=_differences(line.changed, {field: line.record.get(field) for field in line.changed}),
            )
            for line in reversed(told)
        ],
    )


async def public_views(session: AsyncSession, rows: Sequence[OrganisationRow]) -> list[PublicOrganisation]:
    """Valid organisations as everybody may see them: no street, no contact, nothing that leads to a person."""
    bodies = await named(session, (each for row in rows for each in deciders.certifying(row)))
    return [
        PublicOrganisation(
            id=row.id,
            name=row.name,
            kind=row.kind,
            country=row.country,
            city=row.city,
            postal_code=row.postal_code,
            code=row.code,
            authority_role=row.authority_role,
            activities=[each["kind"] for each in row.activities if each["status"] == "VALID"],
            control_bodies=[bodies[each] for each in deciders.certifying(row) if each in bodies],
            recognised_in=row.recognised_in,
        )
        for row in rows
    ]
