"""The users of an authority's territory, found: the search, one of them opened, and what waits for its decision.

One thing to remember: nothing is changed here; what an authority does about them is in ``users.py``.
"""

import base64
import json
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import DateTime, Select, String, and_, case, cast, func, literal, null, or_, union_all
from sqlalchemy import select as columns
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.identity import accounts, authorities, classic, lockout
from services.identity.links import Purpose
from services.identity.models import (
    AccountRow,
    JournalRow,
    LinkRow,
    OrganisationRow,
    PostRow,
    RegistrationRow,
)
from services.identity.rules import AccountStatus, Mode, RegistrationState, email_key
from shared.contracts.users import Establishment, Reach, UserLine, UserRow, UserView
from shared.rules.actor import Actor
from shared.rules.refusals import Refused
from shared.rules.roles import RoleType

NOBODY: Final = lockout.NOBODY

# fmt: off
MAY: Final = {
    #  status      what the competent authority may do
    "CONFIRMED":   ("activate", "refuse"),
    "VALID":       ("reset_password", "delete"),
    "BLOCKED":     ("reset_password", "delete"),
}
CORRECTABLE: Final = frozenset({"CONFIRMED", "VALID", "BLOCKED"})
REASONED:    Final = frozenset({"refuse", "reset_password", "delete"})
NAMED: Final = {
    #  account        as guide 003 names it
    AccountStatus.ACTIVE:  "VALID",
    AccountStatus.BLOCKED: "BLOCKED",
    AccountStatus.CLOSED:  "DELETED",
}
SHOWN: Final = tuple(RegistrationState(each) for each in ("NEW", "CONFIRMED", "REFUSED", "EXPIRED"))
# fmt: on


@dataclass(frozen=True)
class Search:
    """What is searched for, in which order, from where on."""

    email: str = ""
    name: str = ""
    postal_code: str = ""
    organisation: str = ""
    state: str = ""
    sort: str = "name"
    after: str = ""
    limit: int = 25


# ── Who asks ──────────────────────────────────────────────────────────────────────────────────────────────────


async def reader(session: AsyncSession, actor: Actor) -> bool:
    """Whether it is a platform administrator; an authority's official is not. For all others there is nothing here."""
    post = await session.get(PostRow, (actor.person_id, actor.organisation_id))
    if post is None or post.role_type not in (RoleType.AUTHORITY, RoleType.EC_ADMIN, RoleType.SYS_ADMIN):
        raise Refused("not_found")
    return post.role_type == RoleType.SYS_ADMIN


# ── Finding ───────────────────────────────────────────────────────────────────────────────────────────────────


def _all(actor: Actor, ops: bool) -> Any:
    """Requests and accounts side by side, those of this territory; platform administrators reach every account."""
    moment, words = DateTime(timezone=True), String()
    named = case(*((col(AccountRow.status) == status, name) for status, name in NAMED.items()), else_="NEW")
    account = columns(
        *_shared_columns(AccountRow),
        cast(named, words).label("status"),
        func.coalesce(AccountRow.password_at, AccountRow.created_at).label("since"),
        literal(False).label("late"),
        cast(null(), moment).label("due_at"),
        col(AccountRow.signed_in_at).label("signed_in_at"),
        col(AccountRow.block_reason).label("block_reason"),
    ).where(col(AccountRow.mode) == Mode.CLASSIC)
    if ops:
        return account.subquery("people")
    request = columns(
        *_shared_columns(RegistrationRow),
        cast(RegistrationRow.state, words).label("status"),
        col(RegistrationRow.entered_at).label("since"),
        col(RegistrationRow.rung).contains([classic.VALIDATOR_REMINDED]).label("late"),
        col(RegistrationRow.due_at).label("due_at"),
        cast(null(), moment).label("signed_in_at"),
        cast(null(), words).label("block_reason"),
    ).where(col(RegistrationRow.mode) == Mode.CLASSIC, col(RegistrationRow.state).in_(SHOWN))
    mine = actor.organisation_id
    return union_all(
        account.where(col(AccountRow.authority_id) == mine),
        request.where(or_(col(RegistrationRow.authority_id) == mine, col(RegistrationRow.above_id) == mine)),
    ).subquery("people")


def _shared_columns(row: type[AccountRow] | type[RegistrationRow]) -> list[Any]:
    named = ("id", "first_name", "last_name", "email", "email_key", "language", "html", "details", "authority_id")
    return [getattr(row, name).label(name) for name in named]


def _with_revision(people: Any) -> Select[Any]:
    """Users with the number of the last line in their journal."""
    last = columns(func.coalesce(func.max(JournalRow.id), 0)).where(col(JournalRow.person_id) == people.c.id)
    return columns(people, last.correlate(people).scalar_subquery().label("revision"))


def _sorts(people: Any) -> dict[str, Any]:
    where = people.c.details["organisation"]
    return {
        "name": func.lower(people.c.last_name + " " + people.c.first_name),
        "organisation": func.lower(func.coalesce(where["name"].astext, "")),
        "postal_code": func.coalesce(where["country"].astext, "") + func.coalesce(where["postal_code"].astext, ""),
        "status": people.c.status,
        "since": func.to_char(func.timezone("UTC", people.c.since), "YYYYMMDDHH24MISSUS"),
    }


async def search(session: AsyncSession, actor: Actor, wanted: Search) -> tuple[list[UserRow], str | None]:
    """The users of this territory that fit, one page, and the cursor of the next one."""
    ops = await reader(session, actor)
    if ops and not wanted.email.strip():
        return [], None
    people = _all(actor, ops)
    where = people.c.details["organisation"]
    rows = _with_revision(people)
    if ops:
        rows = rows.where(people.c.email_key == email_key(wanted.email))
    elif wanted.email:
        rows = rows.where(people.c.email_key.contains(email_key(wanted.email), autoescape=True))
    if wanted.name:
        full = people.c.first_name + " " + people.c.last_name + " " + people.c.first_name
        rows = rows.where(full.icontains(wanted.name, autoescape=True))
    if wanted.organisation:
        rows = rows.where(where["name"].astext.icontains(wanted.organisation, autoescape=True))
    if wanted.postal_code:
        rows = rows.where(where["postal_code"].astext.startswith(wanted.postal_code, autoescape=True))
    if wanted.state:
        rows = rows.where(people.c.status == wanted.state)
    key, down = wanted.sort.removeprefix("-"), wanted.sort.startswith("-")
    order = _sorts(people).get(key)
    if order is None:
        raise Refused("invalid", field="sort")
    rows = rows.add_columns(order.label("place"))
    if wanted.after:
        value, last = _opened(wanted.after)
        beyond, tie = (order < value, people.c.id < last) if down else (order > value, people.c.id > last)
        rows = rows.where(or_(beyond, and_(order == value, tie)))
    rows = rows.order_by(order.desc() if down else order, people.c.id.desc() if down else people.c.id)
    found = list((await session.execute(rows.limit(wanted.limit + 1))).mappings())
    page = found[: wanted.limit]
    beyond_it = len(found) > wanted.limit
    return [_row(each, ops) for each in page], _cursor(page[-1]["place"], str(page[-1]["id"])) if beyond_it else None


def _cursor(value: str, last: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([value, last]).encode()).decode()


def _opened(cursor: str) -> tuple[str, str]:
    try:
        value, last = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        if len(str(last)) != len(NOBODY):
            raise ValueError
        return str(value), str(last)
    except (ValueError, TypeError):
        raise Refused("invalid", field="after") from None


def _row(each: Any, ops: bool) -> UserRow:
    status = each["status"]
    return UserRow(
        id=str(each["id"]),
        revision=each["revision"],
        status=status,
        first_name=each["first_name"],
        last_name=each["last_name"],
        email=each["email"],
        organisation=Establishment() if ops else Establishment(**each["details"].get("organisation", {})),
        since=each["since"],
        due_at=each["due_at"],
        late=bool(each["late"]) and status == "CONFIRMED",
        may=_may(status, ops),
    )


def _may(status: str, ops: bool) -> list[str]:
    if ops:
        return ["set_question"] if status in ("VALID", "BLOCKED") else []
    return [*MAY.get(status, ()), *(["correct"] if status in CORRECTABLE else [])]


async def waiting(session: AsyncSession, authority_id: str) -> int:
    """How many confirmed requests wait for an authority."""
    rows = select(func.count()).select_from(RegistrationRow).where(*_waits(authority_id))
    return (await session.exec(rows)).one()


def _waits(authority_id: str) -> tuple[Any, ...]:
    return (
        RegistrationRow.authority_id == authority_id,
        RegistrationRow.mode == Mode.CLASSIC,
        RegistrationRow.state == RegistrationState.CONFIRMED,
        col(RegistrationRow.over).is_(False),
    )


async def one(session: AsyncSession, actor: Actor, user_id: str) -> UserView:
    """One user, opened; not found where he is none of one's own."""
    ops = await reader(session, actor)
    people = _all(actor, ops)
    found = (await session.execute(_with_revision(people).where(people.c.id == user_id))).mappings().one_or_none()
    if found is None:
        raise Refused("not_found")
    row = _row(found, ops)
    return UserView(
        **row.model_dump(),
        language=found["language"],
        html=found["html"],
        reach=Reach() if ops else Reach(**found["details"].get("reach", {})),
        question=None,
        authority=await authorities.view(session, found["authority_id"]),
        signed_in_at=found["signed_in_at"],
        block_reason=found["block_reason"],
        lines=await _lines(session, user_id),
        foreign=ops,
    )


async def _lines(session: AsyncSession, user_id: str) -> list[UserLine]:
    lines = await accounts.lines(session, user_id)
    who = {line.by_person for line in lines if line.by_person}
    places = {line.by_organisation for line in lines if line.by_organisation}
    names = {
        row.id: f"{row.first_name} {row.last_name}"
        for row in (await session.exec(select(AccountRow).where(col(AccountRow.id).in_(who)))).all()
    }
    offices = {
        row.id: row.name
        for row in (await session.exec(select(OrganisationRow).where(col(OrganisationRow.id).in_(places)))).all()
    }
    return [
        UserLine(
            at=line.at,
            action=line.action,
            person=names.get(line.by_person or "", ""),
            organisation=offices.get(line.by_organisation or "", ""),
            reason=line.reason,
        )
        for line in lines
    ]


async def digest(session: AsyncSession, slip: LinkRow, portal: str) -> dict[str, Any]:
    """What stands in a letter about waiting requests, at the moment it is written; not found when nothing waits."""
    authority = slip.facts.get("authority") or NOBODY
    late = slip.purpose == Purpose.LATE_REQUESTS
    rows = select(RegistrationRow).where(*_waits(authority))
    if late:
        rows = rows.where(col(RegistrationRow.rung).contains([classic.ESCALATED]))
    found = (await session.exec(rows.order_by(col(RegistrationRow.entered_at), RegistrationRow.id))).all()
    offices = {authority, *(row.above_id for row in found)} - {None}
    posts = select(PostRow.person_id).where(
        PostRow.person_id == slip.person_id, col(PostRow.organisation_id).in_(offices)
    )
    if not found or (await session.exec(posts)).first() is None:
        raise Refused("not_found")
    requests = [{"name": f"{row.first_name} {row.last_name}", "url": f"{portal}/users/{row.id}"} for row in found[:50]]
    return {"count": len(found), "requests": requests}
