"""Who is told what: an event, what it was about, the letter, and the ties that bind its recipients to the certificate.

One thing to remember: for one event an organisation gets one letter, that of the first row that names it; and nobody is
told by mail of his own deed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from shared.events.base import Event
from shared.events.certificates import CertificateClockRang, CertificateEdited, CertificateMoved
from shared.rules.deadlines import clock_of, concerned
from shared.rules.permissions import Tie
from shared.rules.status import Action, Status


class Beside(StrEnum):
    """Recipients that no box names."""

    ACTOR = "ACTOR"
    """The organisation that did it."""
    CONCERNED = "CONCERNED"
    """Those a clock reminds or tells, as the law's table of clocks says."""
    IMPORTERS_BODY = "IMPORTERS_BODY"
    """The control body that certifies the importer; he must inform it of each import, so we do."""


class Edit(StrEnum):
    """What an edit of boxes may mean to others."""

    ANNOUNCED = "announced"
    """The time of arrival was entered for the first time: prior notification."""
    AMENDED = "amended"
    """Boxes were changed."""


Recipient = Tie | Beside


@dataclass(frozen=True)
class Letter:
    """One row of LETTERS."""

    event: type[Event]
    what: str
    """The action of a move, the meaning of an edit, or the name of a clock."""
    at: Status | None
    """Where the certificate stood before; None is anywhere it may be seen."""
    letter: str
    """The folder in templates/."""
    to: tuple[Recipient, ...]
    mail: bool = True
    """False: in-app news only."""


_M, _E, _C = CertificateMoved, CertificateEdited, CertificateClockRang
_A, _S, _T, _B = Action, Status, Tie, Beside

# fmt: off
HOME:       Final = (_T.CREATOR,)
BODY:       Final = (_T.ISSUER,)
BUYER:      Final = (_T.IMPORTER, _T.RFL)
POST:       Final = (_T.ENTRY_AUTHORITY,)
GOAL:       Final = (_T.CONSIGNEE,)
THEIRS:     Final = (_B.IMPORTERS_BODY,)
ACTOR:      Final = (_B.ACTOR,)
TOLD:       Final = (_B.CONCERNED,)
APPLICANTS: Final = (_T.CREATOR, _T.IMPORTER, _T.EXPORTER)
ISSUE:      Final = (*POST, _T.IMPORTER, _T.EXPORTER, _T.RFL, *GOAL, *THEIRS)
DECISION:   Final = (*GOAL, *BUYER, *BODY, _T.EXPORTER)
RECEIPT:    Final = (_T.IMPORTER, *POST, *BODY)
NOTICE:     Final = (*BODY, *POST, _T.CENTRAL_AUTHORITY, _T.IMPORTER)
ANSWER:     Final = (*POST, _T.CENTRAL_AUTHORITY, _T.IMPORTER)
EVERYBODY:  Final = (*BODY, _T.EXPORTER, *BUYER, *GOAL, *POST, *THEIRS)

DESCRIBED, VERIFIED = _S.DESCRIPTION_COMPLETED, _S.CONSIGNMENT_VERIFIED

LETTERS: Final = (
    #      event  what                        from       letter                        to
    Letter(_M,    _A.SUBMIT,                  None,      "submitted",                  BODY),
    Letter(_M,    _A.SUBMIT,                  None,      "submitted-receipt",          ACTOR, mail=False),
    Letter(_M,    _A.SIGN,                    None,      "issued",                     ISSUE),
    Letter(_M,    _A.START_CUSTOMS_PROCEDURE, None,      "customs-procedure",          BUYER + POST),
    Letter(_M,    _A.REPLACE,                 None,      "replacement-begun",          ISSUE),
    Letter(_M,    _A.ACCEPT_REPLACEMENT,      None,      "replacement-accepted",       BODY),
    Letter(_M,    _A.RECORD_CHECKS,           None,      "checks-recorded",            BUYER, mail=False),
    Letter(_M,    _A.VERIFY,                  None,      "verified",                   DECISION),
    Letter(_M,    _A.OPEN_BATCHES,            None,      "base-for-extract",           DECISION),
    Letter(_M,    _A.RELEASE_CONVENTIONAL,    None,      "released-conventional",      DECISION),
    Letter(_M,    _A.REJECT,                  None,      "not-released",               DECISION),
    Letter(_M,    _A.RECEIVE,                 None,      "received",                   RECEIPT),
    Letter(_M,    _A.DELETE,                  _S.DRAFT,  "draft-deleted",              HOME),
    Letter(_M,    _A.DELETE,                  DESCRIBED, "deleted",                    APPLICANTS),
    Letter(_M,    _A.DELETE,                  VERIFIED,  "deleted",                    EVERYBODY),
    Letter(_M,    _A.SIGNAL_IRREGULARITY,     None,      "irregularity",               NOTICE),
    Letter(_M,    _A.REPLY_IRREGULARITY,      None,      "irregularity-answered",      ANSWER),
    Letter(_M,    _A.CONCLUDE_IRREGULARITY,   None,      "irregularity-concluded",     NOTICE + GOAL),
    Letter(_M,    _A.DEPLETE,                 None,      "depleted",                   BUYER + BODY),
    # boxes
    Letter(_E,    Edit.ANNOUNCED,             DESCRIBED, "prior-notification",         POST),
    Letter(_E,    Edit.ANNOUNCED,             _S.ISSUED, "prior-notification",         POST),
    Letter(_E,    Edit.AMENDED,               _S.ISSUED, "amended",                    ISSUE),
    # clocks: whom each tells stands in the law's table, here stands what he reads
    Letter(_C,    "completion_first_call",    None,      "completion-due",             TOLD),  # D10
    Letter(_C,    "completion_last_call",     None,      "completion-due",             TOLD),
    Letter(_C,    "completion_overdue",       None,      "completion-overdue",         TOLD),
    Letter(_C,    "departed_as_draft",        None,      "departure-draft",            TOLD),  # D11
    Letter(_C,    "departed_unsigned",        None,      "departure-unissued",         TOLD),
    Letter(_C,    "announce_arrival",         None,      "announce-arrival",           TOLD),  # D12
    Letter(_C,    "arrival_near",             None,      "arrival-near",               TOLD),
    Letter(_C,    "arrival_not_verified",     None,      "arrival-unverified",         TOLD),  # D13
    Letter(_C,    "laboratory_awaited",       None,      "laboratory-due",             TOLD),  # D14
    Letter(_C,    "customs_procedure_open",   None,      "customs-procedure-open",     TOLD),  # D15
    Letter(_C,    "reception_first_call",     None,      "reception-due",              TOLD),  # D16
    Letter(_C,    "reception_last_call",      None,      "reception-due",              TOLD),
    Letter(_C,    "reception_overdue",        None,      "reception-overdue",          TOLD + THEIRS),
    Letter(_C,    "replacement_unsigned",     None,      "replacement-lapsed",         TOLD),  # D17
    Letter(_C,    "replaced",                 None,      "replaced",                   TOLD),
    Letter(_C,    "reply_first_call",         None,      "irregularity-reply-due",     TOLD),  # D18
    Letter(_C,    "reply_last_call",          None,      "irregularity-reply-due",     TOLD),
    Letter(_C,    "reply_overdue",            None,      "irregularity-reply-overdue", TOLD),
    Letter(_C,    "batches_idle",             None,      "batches-idle",               TOLD),  # D19
    Letter(_C,    "draft_stale",              None,      "draft-stale",                TOLD),  # D20
    Letter(_C,    "draft_expired",            None,      "draft-expired",              TOLD),
)
# fmt: on

ORDERED: Final = frozenset(
    {"account-link", "account-exists", "account-confirmation", "account-confirmation-reminder", "account-requests"}
    | {"account-requests-late", "account-activated", "account-refused", "account-expired", "account-blocked"}
    | {"account-inactive", "account-deleted", "password-link", "password-temporary", "password-changed"}
    | {"question-changed", "address-confirmation", "details-change", "details-changed", "security-changed"}
)
"""Letters that no event causes: a process orders them and waits for them."""


@dataclass(frozen=True)
class Notice:
    """What one organisation is to be told of one event."""

    event_id: UUID
    at: datetime
    organisation_id: str
    letter: str
    mail: bool
    certificate_id: str | None
    facts: Mapping[str, Any]
    """What the templates speak of: ids, codes and times; never a person."""


Told = CertificateMoved | CertificateEdited | CertificateClockRang
"""The events certificates tell of."""
BodiesOf = Callable[[str], Iterable[str]]
"""The control bodies of an organisation's activities."""


def rows_for(event: Event) -> Sequence[Letter]:
    """The rows of LETTERS that speak of this event, in the order in which they are asked."""
    if isinstance(event, CertificateMoved):
        return _rows(CertificateMoved, {event.action.value}, event.source)
    if isinstance(event, CertificateEdited):
        said = {Edit.ANNOUNCED.value} if event.announced else set()
        return _rows(CertificateEdited, said | {Edit.AMENDED.value}, event.status)
    if isinstance(event, CertificateClockRang):
        return _rows(CertificateClockRang, {clock_of(event.clock).name}, event.status)
    return ()


def notices(event: Told, bodies_of: BodiesOf) -> list[Notice]:
    """Who is told what of this event: one notice for each organisation at most."""
    told: dict[str, Notice] = {}
    by = "" if isinstance(event, CertificateClockRang) else event.by
    facts = _facts(event, by)
    for row in rows_for(event):
        for organisation in _recipients(row, event, by, bodies_of):
            if organisation not in told:
                mine = facts | _of_his_own(event, organisation)
                told[organisation] = Notice(
                    event.id, event.at, organisation, row.letter, row.mail, event.certificate_id, mine
                )
    return list(told.values())


def _of_his_own(event: Told, organisation: str) -> dict[str, Any]:
    """How the recipient is bound to the certificate; and until when he has time, where the next clock is his."""
    ties = {tie for tie, ids in event.parties.items() if organisation in ids}
    if isinstance(event, CertificateEdited) or not event.due or not event.due_at or not ties & concerned(event.due):
        return {"ties": sorted(ties)}
    return {"ties": sorted(ties), "until": event.due_at.isoformat()}


def _rows(event: type[Event], said: set[str], at: Status) -> Sequence[Letter]:
    return [row for row in LETTERS if row.event is event and row.what in said and row.at in (None, at)]


def _recipients(row: Letter, event: Told, by: str, bodies_of: BodiesOf) -> list[str]:
    if Beside.ACTOR in row.to:
        return [by]
    found: list[str] = []
    for recipient in row.to:
        if recipient is Beside.CONCERNED:
            found += event.concerns if isinstance(event, CertificateClockRang) else []
        elif recipient is Beside.IMPORTERS_BODY:
            found += (body for importer in event.parties.get(Tie.IMPORTER, []) for body in bodies_of(importer))
        else:
            found += event.parties.get(Tie(recipient), [])
    return [organisation for organisation in dict.fromkeys(found) if organisation and organisation != by]


def _facts(event: Told, by: str) -> dict[str, Any]:
    facts: dict[str, Any] = {"number": event.number, "by": by, "parties": dict(event.parties)}
    if isinstance(event, CertificateMoved):
        facts |= {"status": event.target, "reason": event.reason, "form_model": event.form_model.value}
        return facts | {"arrival": _iso(event.arrival_at)}
    if isinstance(event, CertificateEdited):
        about = {"boxes": event.boxes, "form_model": event.form_model.value}
        return facts | about | {"status": event.status, "arrival": _iso(event.arrival_at)}
    return facts | {"status": event.status, "clock": event.clock}


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
