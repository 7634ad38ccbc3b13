"""New operators, and edits of organisations: what applies at once, and what awaits a decision. Never commits.

One thing to remember: what may be the same organisation is looked for before a new one is kept.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid5

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.directory import deciders, history, proposals, records, roles, rules, standing, store
from services.directory.models import OrganisationRow, ProposalRow, RoleRow
from services.directory.proposals import CHANGE, CREATION
from services.directory.records import Alike
from services.directory.store import By
from shared.contracts.directory import NewRoles, Wanted
from shared.contracts.organisations import NewOrganisation, OrganisationEdit
from shared.rules.actor import Actor
from shared.rules.refusals import Refused
from shared.rules.roles import AuthorityRole, RoleType, StandingStatus

RECORD = ("name", "country", *records.FREE, "identifiers", "activities")
OF_OTHERS = tuple(name for name in records.OF_GUARDIANS if name != "time_zone")
"""What control bodies and authorities have beyond an operator's fields."""
CANDIDATES = 300


# ── Look-alikes ───────────────────────────────────────────────────────────────────────────────────────────────


async def look_alikes(
    session: AsyncSession, fields: Mapping[str, Any], besides: str | None = None, most: int = 10
) -> list[tuple[OrganisationRow, Alike]]:
    """Organisations that may be the same, the most alike first: found by number, by place and by words of the name."""
    numbers = rules.numbers(None, fields["identifiers"])
    words = [word for word in rules.words(records.core(fields["name"])) if len(word) > 2][: rules.MOST_WORDS]
    near = [
        store.any_number(numbers) if numbers else None,
        store.any_word(words, fields["country"]) if words else None,
        (
            (OrganisationRow.country == fields["country"]) & (OrganisationRow.postal_code == fields["postal_code"])
            if fields["postal_code"]
            else None
        ),
    ]
    found: dict[str, tuple[OrganisationRow, Alike]] = {}
    for condition in near:
        if condition is None:
            continue
        rows = select(OrganisationRow).where(
            condition,
            OrganisationRow.kind == RoleType.OPERATOR,
            col(OrganisationRow.status).not_in([StandingStatus.DELETED, StandingStatus.REJECTED]),
        )
        for row in (await session.exec(rows.limit(CANDIDATES))).all():
            if row.id != besides and row.id not in found and (why := records.alike(fields, store.record(row))):
                found[row.id] = (row, why)
    return sorted(found.values(), key=lambda pair: (-pair[1].score, pair[0].name_key))[:most]


# ── Creating ──────────────────────────────────────────────────────────────────────────────────────────────────


async def create(
    session: AsyncSession, asker: Actor, new: NewOrganisation, key: str, now: datetime
) -> tuple[OrganisationRow, ProposalRow | None, RoleRow | None]:
    """A new organisation: valid at once where its guardian creates it, else proposed with a request to belong to it."""
    born, mark = (
        history.digest(asker.person_id, key, new.model_dump(mode="json")),
        history.digest("create", asker.person_id, key),
    )
    organisation_id = str(uuid5(proposals.NAMESPACE, f"{asker.person_id}/{key}"))
    await roles.one_at_a_time(session, asker.person_id)
    if await history.told_before(session, mark, born):
        return await _created_before(session, organisation_id)
    fields = records.tidy(new.model_dump(include={*RECORD, *records.OF_GUARDIANS}))
    zone = records.zone_of(fields["country"], new.time_zone)
    at_once = await standing.may_create(session, asker, new.kind, fields)
    if not at_once and new.kind != RoleType.OPERATOR:
        raise Refused("not_permitted")
    bodies = await store.valid_bodies(session, [each["control_body"] for each in fields["activities"]])
    found = records.troubles(new.kind, fields, bodies, one_activity=not at_once)
    records.refuse_if_wrong(found + await _beyond(session, new.kind, fields, organisation_id))
    if new.kind == RoleType.OPERATOR and not new.another_one and (alike := await look_alikes(session, fields)):
        raise Refused("look_alikes", field="another_one", number=len(alike))
    status = StandingStatus.VALID if at_once else StandingStatus.NEW
    activities = records.with_statuses(fields["activities"], (), status)
    row = OrganisationRow(
        id=organisation_id,
        kind=new.kind,
        status=status,
        time_zone=zone,
        activities=activities,
        **{name: fields[name] for name in RECORD if name != "activities"},
        **({name: fields[name] for name in OF_OTHERS} if at_once else {}),
    )
    by = By(asker.person_id, asker.organisation_id or None, new.message)
    await store.create(session, row, by, now, "created" if at_once else "requested")
    await history.write(session, row.id, "create", status, now, actor=asker, key=mark, born=born)
    if at_once:
        await standing.call(session, row.id)
        return row, None, None
    proposal = await proposals.propose(session, row, CREATION, {}, {}, asker, new.message, new.evidence, born, now)
    wanted = NewRoles(wanted=[Wanted(organisation_id=row.id)], message=new.message, email=new.email, phone=new.phone)
    role = await roles.ask_with_operator(session, asker, wanted, proposal.id, key, born, now)
    return row, proposal, role


async def _beyond(
    session: AsyncSession, kind: str, fields: Mapping[str, Any], organisation_id: str
) -> list[records.Trouble]:
    """What is wrong with a record in view of others: a code that is another's, an authority above that is none."""
    found = []
    coded = fields.get("code") if kind != RoleType.OPERATOR else None
    if coded and set(await store.with_code(session, kind, coded)) - {organisation_id}:
        found.append(records.Trouble("code", "code_taken"))
    if fields.get("superior"):
        above = [] if not store.is_id(fields["superior"]) else await store.line_above(session, fields["superior"])
        row = await session.get(OrganisationRow, above[0]) if above else None
        valid = row is not None and (row.kind, row.status) == (RoleType.AUTHORITY, StandingStatus.VALID)
        near = row is not None and (row.country == fields["country"] or row.authority_role == AuthorityRole.EC)
        if not valid or not near or organisation_id in above:
            found.append(records.Trouble("superior", "not_superior"))
    return found


async def _created_before(
    session: AsyncSession, organisation_id: str
) -> tuple[OrganisationRow, ProposalRow | None, RoleRow | None]:
    """The same order told twice is answered as the first time."""
    first = select(ProposalRow).where(ProposalRow.organisation_id == organisation_id, ProposalRow.kind == CREATION)
    proposal = (await session.exec(first)).first()
    role = None
    if proposal is not None:
        role = (await session.exec(select(RoleRow).where(RoleRow.proposal_id == proposal.id))).first()
    return await store.organisation(session, organisation_id), proposal, role


# ── Editing ───────────────────────────────────────────────────────────────────────────────────────────────────


async def edit(
    session: AsyncSession, actor: Actor, organisation_id: str, wish: OrganisationEdit, key: str, now: datetime
) -> ProposalRow | None:
    """Change a record: at once where a guardian does it or no material field is touched, else as a proposal."""
    row = await store.locked(session, organisation_id)
    how = await standing.may_edit(session, actor, row)
    if how is None:
        raise Refused("not_found")
    born, mark = (
        history.digest(actor.person_id, key, wish.model_dump(mode="json")),
        history.digest("edit", actor.person_id, row.id, key),
    )
    if await history.told_before(session, mark, born):
        return (await session.exec(select(ProposalRow).where(ProposalRow.born == born))).first()
    allowed = (*RECORD, *records.OF_GUARDIANS) if how == standing.NOW else RECORD
    if unknown := sorted(set(wish.changes) - set(allowed)):
        raise Refused("invalid", field=unknown[0])
    if row.kind != RoleType.OPERATOR and how != standing.NOW:
        raise Refused("not_found")
    if wish.revision != row.revision:
        raise Refused("stale_revision", revision=row.revision)
    changes = await _checked(session, row, wish.changes)
    if row.kind != RoleType.OPERATOR:
        after = {**store.record(row), **changes, "id": row.id}
        if not await standing.guards(session, actor, row.kind, after):
            raise Refused("not_permitted")
    material = [name for name in changes if name in records.MATERIAL]
    free = {name: value for name, value in changes.items() if how == standing.NOW or name not in records.MATERIAL}
    by = By(actor.person_id, actor.organisation_id, wish.reason.strip())
    proposal = None
    if how == standing.PROPOSE and material:
        if await proposals.open_proposal(session, row.id):
            raise Refused("already_exists")
        proposed = {name: changes[name] for name in material}
        was = {name: store.record(row)[name] for name in material}
        proposal = await proposals.propose(
            session, row, CHANGE, proposed, was, actor, wish.reason.strip(), wish.evidence, born, now
        )
    if free:
        if how == standing.NOW and "activities" in free:
            free["status"] = records.standing_of(free["activities"], row.status)
        await store.change(session, row.id, free, by, now, "corrected" if how == standing.NOW else "changed")
        await standing.call(session, row.id)
        await _touch_open(session, row)
    said = wish.reason.strip()
    await history.write(session, row.id, "edit", row.status, now, actor=actor, said=said, key=mark, born=born)
    return proposal


async def _checked(session: AsyncSession, row: OrganisationRow, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The changes that differ from what is in force, refused with all that is wrong with the whole record."""
    tidied = records.tidy(wanted)
    if "activities" in tidied:
        tidied["activities"] = records.with_statuses(tidied["activities"], row.activities, StandingStatus.VALID)
    if tidied.get("time_zone"):
        records.zone_of("", tidied["time_zone"])
    whole = {**store.record(row), **tidied}
    bodies = await store.valid_bodies(session, [each.get("control_body") for each in whole["activities"]])
    bodies |= set(deciders.certifying(row))
    current = store.record(row)
    found = records.troubles(row.kind, whole, bodies, one_activity=False)
    found += await _beyond(session, row.kind, whole, row.id)
    records.refuse_if_wrong([each for each in found if records.is_about(each, tidied, current)])
    return {name: value for name, value in tidied.items() if current[name] != value}


async def _touch_open(session: AsyncSession, row: OrganisationRow) -> None:
    """A proposal that waits is about a record that has just changed: whoever decides must look again."""
    proposal = await proposals.open_proposal(session, row.id)
    if proposal is not None:
        proposal.revision += 1
        proposal.before = {name: store.record(row)[name] for name in proposal.changes}
