"""The law of extracts: one batch of a certificate that is released in batches (guide 002 §3.2, 3.3; 2021/2307, annex).

One thing to remember: the certificate owns the quantities. An extract books its part when it is submitted and gives it
back when it is deleted, and no sum is ever above a line of box 13.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from shared.rules.boxes import Kind, Model, Problem
from shared.rules.content import body_of, decimal, lines
from shared.rules.countries import UNION
from shared.rules.deadlines import Calendar, Due, Length, days, working_days
from shared.rules.forms import AS_BEFORE, FORMS, Form, Question
from shared.rules.parties import Facts
from shared.rules.permissions import May, Tie
from shared.rules.problems import BULK, RECEIVES
from shared.rules.refusals import Refused
from shared.rules.roles import ActivityType, Competence, RoleType
from shared.rules.shape import wrong
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
NEEDED: Final = ("operator", "clearance_country", "entry_authority", "consignee", "product_lines")
TYPED: Final = {
    name: EXTRACT_BOX[name].kind for name in ("operator", "clearance_country", "entry_authority", "consignee")
}
LINE_PARTS: Final = {"id": Kind.TEXT, "packages": Kind.COUNT, "net_weight": Kind.DECIMAL}
KINDS: Final = {
    "operator": RoleType.OPERATOR, "entry_authority": RoleType.AUTHORITY, "consignee": RoleType.OPERATOR,
}  # fmt: skip

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


# ---- what is wrong


def found(
    field: str, code: str, model: Model, params: Mapping[str, object] | None = None, severity: str = "error"
) -> Problem:
    """A problem of an extract, with number and title of its box as printed."""
    box = EXTRACT_BOX.get(field.split("[")[0].split(".")[0])
    return Problem(field, box.number(model) if box else None, box.title if box else "", code, params or {}, severity)


def check_extract_shape(changes: Row, model: Model = Model.COI_2017) -> tuple[Problem, ...]:
    """Everything that is wrong with the shape of these changes."""
    return tuple(_misshapen(changes, model))


def _misshapen(changes: Row, model: Model) -> Iterator[Problem]:
    for name, value in changes.items():
        if name in TYPED:
            label = EXTRACT_BOX[name].title
            yield from (
                found(name, code, model, {"label": label, **more}) for _, code, more in wrong(TYPED[name], value)
            )
        elif name != "product_lines":
            yield found(str(name)[:40], "unknown_field", model, {"name": str(name)[:40]})
        elif not isinstance(value, list) or not all(isinstance(each, Mapping) for each in value):
            yield found(name, "not_list", model, {"label": EXTRACT_BOX[name].title})
        else:
            for place, line in enumerate(value):
                yield from _misshapen_line(place, line, model)
            ids = [line.get("id") for line in value]
            if len(set(map(repr, ids))) < len(ids):
                yield found(name, "twice", model, {"label": EXTRACT_BOX[name].title})


def _misshapen_line(place: int, line: Row, model: Model) -> Iterator[Problem]:
    for part, value in line.items():
        where = f"product_lines[{place}].{str(part)[:40]}"
        if part not in LINE_PARTS:
            yield found(where, "unknown_field", model, {"name": str(part)[:40]})
            continue
        label = EXTRACT_BOX["product_lines"].title
        yield from (
            found(where, code, model, {"label": label, **more}) for _, code, more in wrong(LINE_PARTS[part], value)
        )


def check_extract_form(action: Action, answers: Row, model: Model = Model.COI_2017) -> tuple[Problem, ...]:
    """Everything that is wrong with what an order says."""
    form = EXTRACT_FORM.get(action)
    asked = {question.name: question for question in form.questions if question.is_on(model)} if form else {}
    place = f"{form.box}." if form and form.box else ""
    unknown = [found(place + name, "unknown_field", model, {"name": name}) for name in answers if name not in asked]
    told = [
        found(place + name, code, model, {"label": question.label, **more})
        for name, question in asked.items()
        for code, more in _unfit(question, answers.get(name))
    ]
    damaged = answers.get("in_order") is False and not str(answers.get("remarks") or "").strip()
    return (*unknown, *told, *([found(place + "remarks", "remarks_needed", model)] if damaged else ()))


def _unfit(question: Question, answer: object) -> list[tuple[str, dict[str, object]]]:
    if answer is None or (isinstance(answer, str) and not answer.strip()):
        return [("needed", {})] if question.needed else []
    if question.kind is Kind.CHOICE:
        return [] if answer in question.choices else [("not_a_choice", {"choices": ", ".join(question.choices)})]
    return [(code, params) for _, code, params in wrong(question.kind, answer)]


def extract_problems(
    content: Row, certificate: Row, booked: Row, action: Action, model: Model, facts: Facts
) -> tuple[Problem, ...]:
    """All that is wrong before this action; with SUBMIT also what is not left any more on the certificate."""
    problems: list[Problem] = []
    if action in (Action.SUBMIT, Action.VERIFY):
        problems += _incomplete(content, certificate, model, facts)
    if action is Action.SUBMIT:
        problems += _beyond(content, certificate, booked, model)
    consignee = facts.party(content.get("consignee"))
    stands = consignee and consignee.is_valid() and consignee.holding(RECEIVES, facts.now.date())
    if action in (Action.VERIFY, Action.RECEIVE) and consignee and not stands:
        problems.append(found("consignee", "consignee_not_valid", model, {"name": consignee.name}))
    if facts.form is not None:
        problems += check_extract_form(action, facts.form, model)
    return tuple(problems)


def _incomplete(content: Row, certificate: Row, model: Model, facts: Facts) -> Iterator[Problem]:
    for name in NEEDED:
        box = EXTRACT_BOX[name]
        if not content.get(name) and not (name == "operator" and box.number(model) is None):
            yield found(name, "needed", model, {"label": box.title})
    for name, kind in KINDS.items():
        party = facts.party(content.get(name))
        if content.get(name) and party is None:
            yield found(name, "unknown_organisation", model)
        elif party and party.kind != kind:
            yield found(name, "wrong_kind_of_organisation", model, {"name": party.name})
    consignee, country = facts.party(content.get("consignee")), content.get("clearance_country")
    if consignee and consignee.country not in UNION:
        yield found("consignee", "outside_union", model, {"name": consignee.name, "country": consignee.country})
    if country and country not in UNION:
        yield found("clearance_country", "clearance_outside_union", model, {"country": country})
    authority = facts.party(content.get("entry_authority"))
    if authority and authority.kind == RoleType.AUTHORITY:
        if country and authority.country != country:
            yield found("entry_authority", "authority_elsewhere", model, {"name": authority.name, "country": country})
        if Competence.ORGANIC not in authority.competences:
            yield found("entry_authority", "authority_not_competent", model, {"name": authority.name})
    known = {str(line.get("id")): line for line in lines(certificate)}
    for place, line in enumerate(lines(content)):
        yield from _line_problems(f"product_lines[{place}]", line, known.get(str(line.get("id"))), model)


def _line_problems(place: str, line: Row, whole: Row | None, model: Model) -> Iterator[Problem]:
    if whole is None:
        yield found(f"{place}.id", "unknown_line", model)
        return
    weight, counted = decimal(line.get("net_weight")), line.get("packages")
    if weight is None:
        yield found(f"{place}.net_weight", "needed", model, {"label": "Net weight"})
    elif weight <= 0:
        yield found(f"{place}.net_weight", "weight_not_positive", model)
    elif weight != round(weight, 3):
        yield found(f"{place}.net_weight", "weight_too_fine", model, {"decimals": 3})
    bulk = whole.get("package_type") in BULK
    if counted is None and whole.get("packages") is not None:
        yield found(f"{place}.packages", "needed", model, {"label": "Number of packages"})
    elif counted is not None and (bulk or whole.get("packages") is None):
        yield found(f"{place}.packages", "packages_of_bulk", model, {"package_type": whole.get("package_type") or ""})
    elif counted is not None and counted < 1:
        yield found(f"{place}.packages", "packages_not_positive", model)


def _beyond(content: Row, certificate: Row, booked: Row, model: Model) -> Iterator[Problem]:
    rest = left(certificate, booked)
    for place, line in enumerate(lines(content)):
        there = rest.get(str(line.get("id")))
        if there is None or there.holds(quantity(line)):
            continue
        part = "packages" if there.net_weight >= quantity(line).net_weight else "net_weight"
        still = str(there.packages) if part == "packages" else f"{max(there.net_weight, Decimal(0)):f}"
        yield found(f"product_lines[{place}].{part}", "more_than_left", model, {"left": still})


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
        Due(clock.name, clock.after.after(entered_at, country, is_working_day))
        for clock in EXTRACT_CLOCKS
        if clock.while_at is status and clock.name not in rung
    ]
    return min(dues, key=lambda due: due.at, default=None)


def is_extract_over(status: ExtractStatus) -> bool:
    """Whether nothing is awaited any more, though an irregularity may still be signalled."""
    return status in FINAL or status is ExtractStatus.CONSIGNEE_SIGNED
