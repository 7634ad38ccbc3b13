"""The law of extracts: one batch of a certificate that is released in batches (guide 002 §3.2, 3.3; 2021/2307, annex).

One thing to remember: the certificate owns the quantities. An extract books its part when it is submitted and gives it
back when it is deleted, and no sum is ever above a line of box 13.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from shared.rules.boxes import Kind, Model
from shared.rules.content import body_of, decimal, lines
from shared.rules.deadlines import Calendar, Due, Length, days, lasting, working_days
from shared.rules.forms import AS_BEFORE, FORMS, Form, Question
from shared.rules.parties import Facts
from shared.rules.permissions import May, Tie
from shared.rules.refusals import Refused
from shared.rules.roles import ActivityType, RoleType
from shared.rules.status import Action, Status

Row = Mapping[str, Any]


class ExtractStatus(StrEnum):
    """Where an extract stands. The codes never change."""

    NEW = "EXT_NEW"
    """Nouveau. Begun; it books nothing yet."""
    SUBMITTED = "EXT_SUBMITTED"
    """Soumis pour visa. Its quantity is booked; the authority of its point of release is to decide."""
    VERIFIED = "EXT_VERIFIED"
    """Visé. Released as organic; the consignee is to receive the batch."""
    CONSIGNEE_SIGNED = "EXT_CONSIGNEE_SIGNED"
    """Déclaration du destinataire signée. The batch has arrived."""
    CONVENTIONAL = "EXT_CONVENTIONAL"
    """Mis en libre pratique comme produit conventionnel. Released without any mention of organic."""
    NOT_RELEASED = "EXT_NOT_RELEASED"
    """Non mis en libre pratique. The batch does not enter."""
    DELETED = "EXT_DELETED"
    """Supprimé. Taken back, and its quantity with it."""
    OFIS = "EXT_OFIS"
    """Irrégularité OFIS. Something is wrong with this batch; frozen until the authority concludes."""


@dataclass(frozen=True)
class ExtractMove:
    """One arrow: this action leads an extract from here to there."""

    number: str
    action: Action
    source: ExtractStatus
    target: ExtractStatus | None
    """Where it leads; None is back to where the extract stood before."""
    frozen: bool = True
    """Whether it has to wait while the certificate itself is under an irregularity."""


_S, _A, _T, _K = ExtractStatus, Action, Tie, Kind

# fmt: off
EXTRACT_MOVES: Final = (
    #           no.    action                      from                  to
    ExtractMove("E2",  _A.SUBMIT,                  _S.NEW,               _S.SUBMITTED),          # books the quantity
    ExtractMove("E3",  _A.DELETE,                  _S.NEW,               _S.DELETED),
    ExtractMove("E3",  _A.DELETE,                  _S.SUBMITTED,         _S.DELETED),            # gives it back
    ExtractMove("E4",  _A.VERIFY,                  _S.SUBMITTED,         _S.VERIFIED),
    ExtractMove("E4",  _A.RELEASE_CONVENTIONAL,    _S.SUBMITTED,         _S.CONVENTIONAL),
    ExtractMove("E4",  _A.REJECT,                  _S.SUBMITTED,         _S.NOT_RELEASED),
    ExtractMove("E5",  _A.RECEIVE,                 _S.VERIFIED,          _S.CONSIGNEE_SIGNED),
    ExtractMove("E6",  _A.SIGNAL_IRREGULARITY,     _S.VERIFIED,          _S.OFIS,          frozen=False),
    ExtractMove("E6",  _A.SIGNAL_IRREGULARITY,     _S.CONSIGNEE_SIGNED,  _S.OFIS,          frozen=False),
    ExtractMove("E6",  _A.CONCLUDE_IRREGULARITY,   _S.OFIS,              None,             frozen=False),
    ExtractMove("E6",  _A.CONCLUDE_IRREGULARITY,   _S.OFIS,              _S.CONVENTIONAL,  frozen=False),
    ExtractMove("E6",  _A.CONCLUDE_IRREGULARITY,   _S.OFIS,              _S.NOT_RELEASED,  frozen=False),
)
# fmt: on
"""Every move of an extract. E1 is its birth: the certificate's own action `extract` (T19)."""

FINAL: Final = frozenset({_S.CONVENTIONAL, _S.NOT_RELEASED, _S.DELETED})
"""Statuses no move leads out of."""
BOOKED: Final = frozenset(_S) - {_S.NEW, _S.DELETED}
"""Statuses in which an extract's quantity counts against its certificate."""
OPEN: Final = frozenset({_S.NEW, _S.SUBMITTED})
"""Statuses in which a decision is still awaited."""
AWAKE: Final = frozenset({Status.BASE_FOR_EXTRACT, Status.DEPLETED})
"""Where the certificate must stand for its extracts to go on: elsewhere they are frozen."""

# ---- who may do what, status by status


BATCH: Final = frozenset({"operator", "clearance_country", "entry_authority", "consignee", "product_lines"})
"""What is filled in by hand; all the other boxes are the certificate's."""
_NOBODY: Final = May()
_BEGIN: Final = May(BATCH, frozenset({_A.SUBMIT}))
_UNDO: Final = May(do=frozenset({_A.DELETE}))
_DECIDE: Final = May(do=frozenset({_A.VERIFY, _A.RELEASE_CONVENTIONAL, _A.REJECT, _A.DELETE}))
_SIGNAL: Final = May(do=frozenset({_A.SIGNAL_IRREGULARITY}))
_CONCLUDE: Final = May(do=frozenset({_A.CONCLUDE_IRREGULARITY}))

# fmt: off
EXTRACT_MATRIX: Final[dict[ExtractStatus, dict[Tie, May]]] = {
    _S.NEW: {
        _T.CREATOR:           May(BATCH, frozenset({_A.DELETE})),    # an authority that splits does not submit
        _T.IMPORTER:          _BEGIN,
        _T.CENTRAL_AUTHORITY: _UNDO,
        _T.ENTRY_AUTHORITY:   _UNDO,
        _T.RFL:               _BEGIN,
    },
    _S.SUBMITTED: {
        _T.CREATOR:           _UNDO,
        _T.CENTRAL_AUTHORITY: _DECIDE,
        _T.ENTRY_AUTHORITY:   _DECIDE,
    },
    _S.VERIFIED: {
        _T.ENTRY_AUTHORITY:   _SIGNAL,
        _T.CONSIGNEE:         May(do=frozenset({_A.RECEIVE})),
    },
    _S.CONSIGNEE_SIGNED: {
        _T.ENTRY_AUTHORITY:   _SIGNAL,
    },
    _S.OFIS: {
        _T.CENTRAL_AUTHORITY: _CONCLUDE,
        _T.ENTRY_AUTHORITY:   _CONCLUDE,
    },
    _S.CONVENTIONAL: {},
    _S.NOT_RELEASED: {},
    _S.DELETED: {},
}
SEES_ALL: Final = frozenset({_T.IMPORTER, _T.RFL, _T.ISSUER, _T.ENTRY_AUTHORITY, _T.CENTRAL_AUTHORITY})
"""Ties of the certificate by which all its extracts are seen; its exporter does not learn who buys."""
SEES_ITS_OWN: Final = frozenset({_T.CREATOR, _T.CONSIGNEE, _T.ENTRY_AUTHORITY, _T.CENTRAL_AUTHORITY})
"""Ties of an extract by which that one is seen; its consignee sees it once it was submitted."""
# fmt: on

# ---- the printed form


@dataclass(frozen=True)
class ExtractBox:
    """One box of an extract, and whence it is filled."""

    field: str
    number_2017: int | None
    number_2022: int | None
    title: str
    kind: Kind
    copied: bool = True
    """Whether it is the certificate's own; else it is filled in, derived or signed here."""

    def number(self, model: Model) -> int | None:
        """The number of its box on this form, if it has one."""
        return self.number_2017 if model is Model.COI_2017 else self.number_2022


HERE: Final = False

# fmt: off
EXTRACT_BOXES: Final = (
    #          field                    2017  2022  title                                          what it holds
    ExtractBox("issuing_body",             1,    1, "Control body of the certificate",             _K.ORGANISATION),
    ExtractBox("procedure",                2,    2, "Applicable procedure",                        _K.CHOICE),
    ExtractBox("number",                   3,    3, "Number of the certificate",                   _K.NUMBER),
    ExtractBox("operator",                 4, None, "Operator that splits the consignment",        _K.ORGANISATION, HERE),
    ExtractBox("control_body",             5,    4, "Control body of the operator",                _K.ORGANISATION, HERE),
    ExtractBox("importer",                 6,    5, "Importer",                                    _K.ORGANISATION),
    ExtractBox("countries_of_origin",      7,    6, "Country of origin",                           _K.COUNTRIES),
    ExtractBox("country_of_export",        8,    7, "Country of export",                           _K.COUNTRY),
    ExtractBox("clearance_country",        9,    8, "Country of clearance",                        _K.COUNTRY,      HERE),
    ExtractBox("entry_authority",          9,    8, "Competent authority",                         _K.ORGANISATION, HERE),
    ExtractBox("country_of_destination",  10,    9, "Country of destination",                      _K.COUNTRY,      HERE),
    ExtractBox("consignee",               11,   10, "Consignee of the batch",                      _K.ORGANISATION, HERE),
    ExtractBox("product_lines",           12,   11, "Products of the batch",                       _K.LINES,        HERE),
    ExtractBox("endorsement",             13,   12, "Declaration of the competent authority",      _K.SIGNED,       HERE),
    ExtractBox("consignee_declaration",   14,   13, "Declaration of the consignee of the batch",   _K.SIGNED,       HERE),
)
# fmt: on
EXTRACT_BOX: Final = {row.field: row for row in EXTRACT_BOXES}
TYPED: Final = {
    name: EXTRACT_BOX[name].kind for name in ("operator", "clearance_country", "entry_authority", "consignee")
}

# ---- what an order asks

_QUESTION: Final = {(form.action, each.name): each for form in FORMS for each in form.questions}


def _asked(action: Action, *names: str) -> tuple[Question, ...]:
    """The same questions as on the certificate, some of them."""
    return tuple(_QUESTION[action, name] for name in names)


DECISIONS: Final = (AS_BEFORE, _S.CONVENTIONAL, _S.NOT_RELEASED)
_DECISION: Final = Question("decision", _K.CHOICE, "Decision", True, DECISIONS)

# fmt: off
EXTRACT_FORMS: Final = (
    Form(_A.SUBMIT,                 None, None),
    Form(_A.DELETE,                 None, None,                    _asked(_A.REJECT, "reason")),
    Form(_A.VERIFY,                 None, "endorsement",           _asked(_A.VERIFY, "release_as", "remarks")),
    Form(_A.RELEASE_CONVENTIONAL,   None, "endorsement",           _asked(_A.REJECT, "reason", "remarks")),
    Form(_A.REJECT,                 None, "endorsement",           _asked(_A.REJECT, "reason", "remarks")),
    Form(_A.RECEIVE,                None, "consignee_declaration", _asked(_A.RECEIVE, "in_order", "remarks")),
    Form(_A.SIGNAL_IRREGULARITY,    None, None,                    _asked(_A.SIGNAL_IRREGULARITY, "notice_reference",
                                                                          "nature", "legal_aspect", "remarks")),
    Form(_A.CONCLUDE_IRREGULARITY,  None, None,                    (_DECISION,
                                                                    *_asked(_A.CONCLUDE_IRREGULARITY, "conclusion"))),
)
# fmt: on
EXTRACT_FORM: Final = {form.action: form for form in EXTRACT_FORMS}
SIGNS: Final = {form.action: form.box for form in EXTRACT_FORMS if form.box}
"""Action -> the box that it signs, sealed over the whole extract."""


# ---- asking


def extract_moves(status: ExtractStatus, action: Action) -> tuple[ExtractMove, ...]:
    """The arrows of this action that start here."""
    return tuple(move for move in EXTRACT_MOVES if move.source is status and move.action is action)


def extract_move(
    status: ExtractStatus, action: Action, previous: ExtractStatus | None = None, choice: ExtractStatus | None = None
) -> ExtractStatus:
    """Where this action leads from here; `previous` is where "back" leads, `choice` picks between several arrows."""
    targets = [arrow.target or previous for arrow in extract_moves(status, action)]
    if not targets:
        raise Refused("wrong_status", action=action, status=status)
    target = targets[0] if choice is None else choice
    if target is None or target not in targets:
        raise Refused("invalid", field="decision", action=action, status=status)
    return target


def may_see_extract(status: ExtractStatus, ties: frozenset[Tie], whole: frozenset[Tie] = frozenset()) -> bool:
    """Whether somebody tied so to an extract, and so to its certificate, may see it."""
    own = ties & SEES_ITS_OWN
    if own == {Tie.CONSIGNEE} and status is ExtractStatus.NEW:
        own = frozenset()
    return bool(own or whole & SEES_ALL)


def extract_allowed(status: ExtractStatus, ties: frozenset[Tie], frozen: bool = False) -> May:
    """Everything somebody so tied may edit and do now."""
    granted = May()
    for tie, cell in EXTRACT_MATRIX[status].items():
        granted = granted | (cell if tie in ties else _NOBODY)
    if not frozen:
        return granted
    going = {move.action for move in EXTRACT_MOVES if move.source is status and not move.frozen}
    return May(do=granted.do & going)


def refuse_unless_lawful(
    action: Action, status: ExtractStatus, ties: frozenset[Tie], frozen: bool = False, sees: bool = True
) -> None:
    """Refuse an action that this status, this organisation or the state of the certificate does not allow."""
    if not sees:
        raise Refused("not_found")
    if not extract_moves(status, action):
        raise Refused("wrong_status", action=action, status=status)
    if action not in extract_allowed(status, ties).do:
        raise Refused("not_permitted", action=action, status=status)
    if action not in extract_allowed(status, ties, frozen).do:
        raise Refused("frozen", action=action, status=status)


# ---- quantities


@dataclass(frozen=True)
class Quantity:
    """What is in a line, or left of it: packages where they are counted, and the net weight."""

    packages: int | None
    net_weight: Decimal

    def __sub__(self, other: "Quantity") -> "Quantity":
        counted = None if self.packages is None else self.packages - (other.packages or 0)
        return Quantity(counted, self.net_weight - other.net_weight)

    def __add__(self, other: "Quantity") -> "Quantity":
        counted = (
            None if self.packages is None and other.packages is None else (self.packages or 0) + (other.packages or 0)
        )
        return Quantity(counted, self.net_weight + other.net_weight)

    def holds(self, other: "Quantity") -> bool:
        """Whether the other quantity can be taken out of this one."""
        return self.net_weight >= other.net_weight and (self.packages is None or self.packages >= (other.packages or 0))


def quantity(line: Row) -> Quantity:
    """The quantity a line says."""
    counted = line.get("packages")
    return Quantity(counted if isinstance(counted, int) else None, decimal(line.get("net_weight")) or Decimal(0))


def left(content: Row, booked: Row) -> dict[str, Quantity]:
    """Line -> what is left of it on the certificate, of which so much is booked already."""
    return {
        str(line["id"]): quantity(line) - quantity(booked.get(str(line["id"])) or {})
        for line in lines(content)
        if line.get("id")
    }


def is_anything_left(content: Row, booked: Row) -> bool:
    """Whether something of the consignment is in no extract yet."""
    return any(each.net_weight > 0 for each in left(content, booked).values())


def book(booked: Row, batch: Row, sign: int = 1) -> dict[str, Any]:
    """The ledger after a batch was booked, or given back with sign -1; who calls it holds the certificate's row."""
    ledger = {name: dict(entry) for name, entry in booked.items()}
    for line in lines(batch):
        before, part = quantity(ledger.get(str(line["id"])) or {}), quantity(line)
        after = before + part if sign > 0 else before - part
        ledger[str(line["id"])] = {"packages": after.packages, "net_weight": f"{after.net_weight:f}"}
    return ledger


# ---- filling in


def begun(certificate: Row, facts: Facts, starter: str) -> dict[str, Any]:
    """What a new extract copies from its certificate: where it is cleared, and who splits it."""
    party = facts.party(starter)
    operator = starter if party and party.kind == RoleType.OPERATOR else certificate.get("importer")
    copied = {name: certificate.get(name) for name in ("clearance_country", "entry_authority")}
    return {**{name: value for name, value in copied.items() if value}, "operator": operator}


def derived(content: Row, certificate: Row, facts: Facts) -> dict[str, Any]:
    """The content with the boxes that nobody types: the body of the operator, and the country of destination."""
    operator = facts.party(content.get("operator") or certificate.get("importer"))
    consignee = facts.party(content.get("consignee"))
    kinds = (ActivityType.ORG_IMPORTER, ActivityType.ORG_OPERATOR)
    body = next((each for kind in kinds if operator and (each := body_of(operator, kind))), None)
    merged = {
        **content,
        "control_body": body,
        "country_of_destination": consignee.country if consignee else None,
    }
    return {name: value for name, value in merged.items() if value not in (None, [], "")}


# ---- clocks


@dataclass(frozen=True)
class ExtractClock:
    """One clock of an extract: so long after it came to its status, it tells these."""

    name: str
    number: str
    while_at: ExtractStatus
    after: Length
    tells: tuple[Tie, ...]
    then: str


# fmt: off
EXTRACT_CLOCKS: Final = (
    ExtractClock("extract_undecided",       "D13", _S.SUBMITTED, working_days(1),  (_T.ENTRY_AUTHORITY,),
                 "The authority is reminded that an extract awaits its decision."),
    ExtractClock("extract_reception_first", "D16", _S.VERIFIED,  working_days(3),  (_T.CONSIGNEE,),
                 "The consignee of the batch is reminded to sign."),
    ExtractClock("extract_reception_last",  "D16", _S.VERIFIED,  working_days(10), (_T.CONSIGNEE, _T.IMPORTER, _T.RFL),
                 "The consignee of the batch and the importer are reminded of the signature."),
    ExtractClock("extract_reception_over",  "D16", _S.VERIFIED,  days(30),         (_T.CONSIGNEE, _T.IMPORTER, _T.RFL,
                                                                                    _T.ENTRY_AUTHORITY),
                 "The authority is told that the consignee of the batch did not sign."),
)
# fmt: on
EXTRACT_CLOCK: Final = {row.name: row for row in EXTRACT_CLOCKS}


def next_extract_due(
    status: ExtractStatus, entered_at: datetime, rung: Collection[str], country: str, is_working_day: Calendar
) -> Due | None:
    """The next clock that rings for an extract that stands so; None when it may sleep."""
    dues = [
        Due(clock.name, lasting(clock.name, clock.after).after(entered_at, country, is_working_day))
        for clock in EXTRACT_CLOCKS
        if clock.while_at is status and clock.name not in rung
    ]
    return min(dues, key=lambda due: due.at, default=None)


def is_extract_over(status: ExtractStatus) -> bool:
    """Whether nothing is awaited any more, though an irregularity may still be signalled."""
    return status in FINAL or status is ExtractStatus.CONSIGNEE_SIGNED
