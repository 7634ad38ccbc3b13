"""A certificate as a page shows it: its boxes, what stands in them, which are open, what is wrong where.

One thing to remember: the same sheet is read, filled in, and shown before a signature; only what is open differs.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from services.portal import words
from services.portal.forms import Placed, SheetBox, number_of, placed, sheet
from services.portal.names import ACTIONS, AWAITED, CHOICES, SIGNED_NEXT, STAGES, STATUSES, TO_DO
from shared.contracts.certificate_views import (
    CertificateLine,
    CertificateView,
    CommodityView,
    Confirmation,
    PartyView,
    ProblemView,
    SignatureView,
)
from shared.contracts.organisations import OrganisationView
from shared.rules.boxes import BOX, Box, Filled, Model
from shared.rules.content import in_boxes
from shared.rules.deadlines import CLOCKS
from shared.rules.forms import FORMS, MOMENTS, box_signed_by, told_in
from shared.rules.permissions import Tie
from shared.rules.questions import askable
from shared.rules.shape import PARTS
from shared.rules.status import Action, Status

CLOCK_SAYS: Final = {clock.name: clock.then for clock in CLOCKS}
EMPTY_YET: Final = {"needed", "neither_consignee_nor_batches"}
"""Problems that only say that something is not filled in yet."""
QUESTIONS: Final = {question.name: question.label for form in FORMS for question in form.questions}


@dataclass(frozen=True)
class Stage:
    """One station of the journey."""

    name: str
    state: str
    """done, now, stopped or nothing."""
    at: datetime | None = None


@dataclass(frozen=True)
class Sheet:
    """One certificate, laid out."""

    id: str
    number: str | None
    model: Model
    status: Status
    revision: int
    content: Mapping[str, Any]
    parties: Mapping[str, PartyView]
    signatures: tuple[SignatureView, ...] = ()
    goods: Mapping[str, CommodityView] = field(default_factory=dict)
    edit: frozenset[str] = frozenset()
    """The fields this reader may edit."""
    open: frozenset[str] = frozenset()
    """The boxes that are open as forms, by key."""
    problems: tuple[Placed, ...] = ()
    found: Mapping[str, tuple[OrganisationView, ...]] = field(default_factory=dict)
    """Organisations found for a field, where somebody searched without scripts."""
    askable: bool = False
    """Whether this reader may ask somebody about a box."""
    calm: bool = False
    """Whether boxes that are merely empty yet are left in peace: while a draft is being written."""

    moments: Collection[str] = MOMENTS
    """The answers that are a date and time."""

    @property
    def boxes(self) -> tuple[SheetBox, ...]:
        """The boxes in printed order."""
        return sheet(self.model)

    @property
    def autosaves(self) -> bool:
        """Whether a box is saved when it is left: in a draft, where nobody else is told of it."""
        return self.status is Status.DRAFT

    def is_open(self, box: SheetBox) -> bool:
        """Whether the box is shown as a form."""
        return box.key in self.open and self.may_edit(box)

    def may_edit(self, box: SheetBox) -> bool:
        """Whether this reader may change something in the box."""
        return any(self.may_fill(each) for each in box.fields)

    def may_fill(self, row: Box) -> bool:
        """Whether this reader may type something into this field."""
        return row.filled in (Filled.BY_HAND, Filled.FILLED_IN) and self.may(row.field)

    def may(self, name: str) -> bool:
        """Whether this reader may change this field, or a part of it."""
        return name in self.edit or any(each.startswith(f"{name}.") for each in self.edit)

    def may_part(self, part: str) -> bool:
        """Whether this reader may change this part of the product lines."""
        return "product_lines" in self.edit or f"product_lines.{part}" in self.edit

    def value(self, name: str) -> Any:
        """What stands in a field."""
        root, _, part = name.partition(".")
        value = self.content.get(root)
        if root in PARTS and isinstance(value, Mapping):
            value = {**dict.fromkeys(PARTS[root]), **value}
        return (value or {}).get(part) if part else value

    def party(self, organisation: str | None) -> PartyView | None:
        """An organisation the certificate names."""
        return self.parties.get(organisation or "")

    def problems_at(self, box: SheetBox) -> list[Placed]:
        """What is wrong in this box."""
        return [each for each in self._shown if each.anchor == box.key]

    def problems_of(self, place: str) -> list[Placed]:
        """What is wrong with one field or one place of it."""
        return [each for each in self._shown if each.place == place]

    @property
    def _shown(self) -> list[Placed]:
        return [each for each in self.problems if not (self.calm and each.code in EMPTY_YET)]

    @property
    def errors(self) -> list[Placed]:
        """What stands in the way."""
        return [each for each in self.problems if each.severity == "error"]

    def needed(self, box: Box) -> bool:
        """Whether the field must be filled in before the certificate is submitted."""
        return box.needed(self.model) is Action.SUBMIT

    def row(self, name: str) -> Box:
        """The law's row of a field."""
        return BOX[name]

    def has(self, name: str) -> bool:
        """Whether there is such a field."""
        return name in BOX

    def said(self, value: str) -> str:
        """A piece of content in words: an organisation's name, a moment, a country, or as it stands there."""
        if value in self.parties:
            return self.parties[value].name
        if len(value) == 2 and value.isupper():
            return words.country(value)
        moment = words.parse_moment(value) if len(value) > 16 else None
        return words.moment(moment) if moment else words.law(CHOICES.get(value, value))

    def answers(self, box: SheetBox) -> list[tuple[str, Any]]:
        """What a signed form says, in the order it was asked."""
        field = box.fields[0].field
        said = self.value(field) or {}
        return [(name, said[name]) for name in told_in(field, self.model) if name in said]

    def asked(self, name: str) -> str:
        """What an answer of a signed form answers."""
        return words.law(QUESTIONS.get(name, name))

    def label(self, name: str) -> str:
        """What a field is called on this form."""
        return words.law(BOX[name].label(self.model))

    def signature(self, box: SheetBox) -> SignatureView | None:
        """The signature under this box."""
        for name in box.roots:
            signers = {action.value for action in Action if box_signed_by(action) == name}
            if name == "issuing_declaration":
                signers.add(Action.AMEND.value)  # the issuing body's seal, renewed over what it changed
            for signature in reversed(self.signatures):
                if signature.action in signers:
                    return signature
        return None

    @property
    def lines_by_good(self) -> list[tuple[str, list[tuple[int, Mapping[str, Any]]]]]:
        """The lines of box 13 under their commodity, each with its place."""
        groups: dict[str, list[tuple[int, Mapping[str, Any]]]] = {}
        for place, line in enumerate(self.content.get("product_lines") or []):
            row = {**dict.fromkeys(PARTS["product_lines"]), **line}
            groups.setdefault(row["cn_code"] or "", []).append((place, row))
        return list(groups.items())

    @property
    def total_net(self) -> list[tuple[str, str]]:
        """The net weight of all lines, per unit."""
        sums: dict[str, Decimal] = {}
        for line in self.content.get("product_lines") or []:
            try:
                weight = Decimal(str(line.get("net_weight") or ""))
            except InvalidOperation:
                continue
            unit = line.get("unit") or "KGM"
            sums[unit] = sums.get(unit, Decimal(0)) + weight
        return [(str(total), unit) for unit, total in sums.items()]


def laid_out(
    view: CertificateView,
    goods: Mapping[str, CommodityView],
    *,
    open: Collection[str] = (),
    content: Mapping[str, Any] | None = None,
    problems: tuple[ProblemView, ...] | None = None,
    found: Mapping[str, tuple[OrganisationView, ...]] | None = None,
    calm: bool = False,
) -> Sheet:
    """A certificate's sheet; `content` and `problems` are what somebody typed and was refused, if so."""
    model = Model(view.form_model)
    everything = frozenset(box.key for box in sheet(model)) if "all" in open else frozenset(open)
    return Sheet(
        id=view.id,
        number=view.number,
        model=model,
        status=view.status,
        revision=view.revision,
        content=view.content if content is None else {**view.content, **in_boxes(view.content, content)},
        parties=view.parties,
        signatures=tuple(view.signatures),
        goods=goods,
        edit=frozenset(view.may.edit),
        open=everything,
        problems=tuple(placed(view.problems if problems is None else problems, model)),
        found=found or {},
        askable=bool(view.number) and askable(view.status, frozenset(Tie(each) for each in view.ties)),
        calm=calm and view.status is Status.DRAFT,
    )


def shown_before_signing(view: CertificateView, shown: Confirmation, goods: Mapping[str, CommodityView]) -> Sheet:
    """The sheet of exactly the content a signature would cover."""
    model = Model(view.form_model)
    return Sheet(
        id=view.id,
        number=view.number,
        model=model,
        status=view.status,
        revision=shown.revision,
        content=shown.document.get("content", {}),
        parties=view.parties,
        signatures=tuple(view.signatures),
        goods=goods,
        problems=tuple(placed(shown.problems, model)),
    )


def journey(status: Status, previous: Status | None = None) -> list[Stage]:
    """The stations of the journey, and where this certificate stands."""
    here = STATUSES[status]
    final = status in (Status.FIRST_CONSIGNEE_SIGNED, Status.DEPLETED)
    stages = []
    for place, name in enumerate(STAGES):
        if place < here.stage or (place == here.stage and final):
            state = "done"
        elif place == here.stage:
            state = "stopped" if here.stopped else "now"
        else:
            state = ""
        shown = here.name if place == here.stage and (here.stopped or status is Status.BASE_FOR_EXTRACT) else name
        stages.append(Stage(words._(shown), state))
    return stages


def waiting(view: CertificateView) -> str:
    """One sentence: whom the certificate waits for, and for what."""
    if view.awaited is None or view.awaited.code not in AWAITED:
        return ""
    code, model = view.awaited.code, Model(view.form_model)
    sentence = AWAITED[code][0]
    if view.awaited.mine:
        return words._("It is your turn: %(what)s.", what=words.lower_first(to_do(code, model)))
    who = words.listing([each.name for each in view.awaited.organisations]) or words._("somebody to be named")
    return words._(sentence, who=who, box=_next_box(code, model))


def to_do(code: str, model: Model) -> str:
    """What whoever a certificate waits for has to do."""
    return words._(AWAITED[code][1], box=_next_box(code, model)) if code in AWAITED else ""


def asked(line: CertificateLine) -> str:
    """What a certificate in a list waits for of its reader."""
    return to_do(line.awaits or TO_DO.get(line.status, ""), Model(line.form_model))


def _next_box(code: str, model: Model) -> int | str | None:
    return number_of(model, SIGNED_NEXT[code]) if code in SIGNED_NEXT else ""


def then(view: CertificateView) -> str:
    """What happens when the next clock rings."""
    if view.awaited is None or not view.awaited.clock:
        return ""
    return words.law(CLOCK_SAYS.get(view.awaited.clock, ""))


def button(action: Action, model: Model) -> str:
    """What the button of an action says."""
    name = box_signed_by(action)
    return words._(ACTIONS[action].button, box=number_of(model, name) if name else "")
