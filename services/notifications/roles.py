"""Who is told what of roles, proposals and the dates of operators: an event, the letter, and to whom it goes.

One thing to remember: requests that wait are told together. The first is told at once; those that follow within an hour
are gathered into one letter.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlmodel.ext.asyncio.session import AsyncSession

from services.notifications import store
from services.notifications.letters import Notice
from shared.events.base import Event
from shared.events.directory import (
    ActivityEnding,
    OrganisationProposed,
    OrganisationRefused,
    OrganisationValidated,
    ProposalAnswered,
    ProposalEscalated,
    ProposalLapsed,
    ProposalQuestioned,
    ProposalReminded,
    ProposalUndecidable,
    RoleAnswered,
    RoleEscalated,
    RoleExpired,
    RoleGranted,
    RoleQuestioned,
    RoleRefused,
    RoleReinstated,
    RoleReminded,
    RoleRequested,
    RoleSuspended,
    RoleUndecidable,
    RoleWithdrawn,
)
from shared.kit.bus import Handler

WAITING: Final = "requests-waiting"


class To(StrEnum):
    """Who gets a letter."""

    PERSON = "PERSON"
    """The applicant, or whoever proposed it."""
    CONCERNED = "CONCERNED"
    """The people of the organisations the event names: those who decide, or are to know."""
    GATHERED = "GATHERED"
    """The same, with all others that wait, in one letter."""


@dataclass(frozen=True)
class RoleLetter:
    """One row: this event, this letter, to these, leading there."""

    event: type[Event]
    letter: str
    to: To
    path: str
    mail: bool = True


_P, _C, _G = To.PERSON, To.CONCERNED, To.GATHERED

# fmt: off
ROLE_LETTERS: Final = (
    #          event                  letter                    to  leads to
    RoleLetter(RoleRequested,         WAITING,                  _G, "/requests"),
    RoleLetter(RoleRequested,         "role-requested",         _P, "/requests/{role}", mail=False),
    RoleLetter(RoleGranted,           "role-granted",           _P, "/roles"),
    RoleLetter(RoleRefused,           "role-refused",           _P, "/requests/{role}"),
    RoleLetter(RoleSuspended,         "role-suspended",         _P, "/roles"),
    RoleLetter(RoleReinstated,        "role-reinstated",        _P, "/roles"),
    RoleLetter(RoleWithdrawn,         "role-ended",             _P, "/roles"),
    RoleLetter(RoleQuestioned,        "role-questioned",        _P, "/requests/{role}"),
    RoleLetter(RoleAnswered,          "request-answered",       _C, "/requests/{role}"),
    RoleLetter(RoleReminded,          "request-reminder",       _C, "/requests/{role}"),
    RoleLetter(RoleEscalated,         "request-escalated",      _C, "/requests/{role}"),
    RoleLetter(RoleExpired,           "role-expired",           _P, "/requests/{role}"),
    RoleLetter(RoleUndecidable,       "request-undecidable",    _C, "/organisations/{organisation}"),
    RoleLetter(OrganisationProposed,  WAITING,                  _G, "/requests"),
    RoleLetter(OrganisationValidated, "organisation-validated", _P, "/organisations/{organisation}"),
    RoleLetter(OrganisationRefused,   "organisation-refused",   _P, "/proposals/{proposal}"),
    RoleLetter(ProposalQuestioned,    "proposal-questioned",    _P, "/proposals/{proposal}"),
    RoleLetter(ProposalAnswered,      "request-answered",       _C, "/proposals/{proposal}"),
    RoleLetter(ProposalReminded,      "request-reminder",       _C, "/proposals/{proposal}"),
    RoleLetter(ProposalEscalated,     "request-escalated",      _C, "/proposals/{proposal}"),
    RoleLetter(ProposalLapsed,        "proposal-lapsed",        _P, "/organisations/{organisation}"),
    RoleLetter(ProposalUndecidable,   "request-undecidable",    _C, "/organisations/{organisation}"),
    RoleLetter(ActivityEnding,        "activity-ending",        _C, "/organisations/{organisation}"),
    RoleLetter(ActivityEnding,        "activity-ended",         _C, "/organisations/{organisation}"),
)
# fmt: on
ABOUT_ROLES: Final = frozenset(row.letter for row in ROLE_LETTERS)


def is_told(row: RoleLetter, event: Event) -> bool:
    """Whether this row speaks of this very event: not every granted role is news to its person."""
    if isinstance(event, RoleGranted):
        return event.validated
    if isinstance(event, RoleWithdrawn):
        return event.by is not None and event.organisation_id not in event.concerns and not event.concerns
    if isinstance(event, OrganisationProposed):
        return event.kind == "CHANGE"
    if isinstance(event, ProposalLapsed):
        return event.expired
    if isinstance(event, ActivityEnding):
        return (event.days == 0) == (row.letter == "activity-ended")
    return True


def facts_of(row: RoleLetter, event: Any) -> dict[str, Any]:
    """What the templates speak of: ids and times; never a person."""
    role, proposal = getattr(event, "role_id", None), getattr(event, "proposal_id", None)
    places = {"role": role, "proposal": proposal, "organisation": event.organisation_id}
    due = getattr(event, "due_at", None)
    return {
        "parties": {"ORGANISATION": [event.organisation_id]},
        "by": getattr(event, "by", None),
        "path": row.path.format_map(places),
        "days": getattr(event, "days", 0),
        "until": due.isoformat() if due else None,
    }


async def tell(session: AsyncSession, event: Event) -> None:
    """Tell everybody ROLE_LETTERS names for this event."""
    told: Any
    for row in ROLE_LETTERS:
        if not isinstance(event, row.event) or not is_told(row, event):
            continue
        told, facts = event, facts_of(row, event)
        if row.to is To.PERSON:
            await store.tell_person(session, told.id, told.at, told.person_id, row.letter, facts, row.mail)
        elif row.to is To.GATHERED:
            waits = _waits(told)
            for organisation in told.concerns:
                await store.gather(session, told.id, told.at, organisation, row.letter, facts, waits)
        else:
            notices = [Notice(told.id, told.at, each, row.letter, row.mail, None, facts) for each in told.concerns]
            await store.tell(session, notices)


def _waits(event: Any) -> Mapping[str, str]:
    if isinstance(event, RoleRequested):
        return {"organisation": event.organisation_id, "path": f"/requests/{event.role_id}"}
    return {"organisation": event.organisation_id, "path": f"/proposals/{event.proposal_id}"}


HANDLERS: Final[dict[type[Event], Handler]] = {row.event: tell for row in ROLE_LETTERS if row.event is not RoleGranted}
"""RoleGranted is told after the post was remembered: ``services.notifications.events`` sees to that."""
