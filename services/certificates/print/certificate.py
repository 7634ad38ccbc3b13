"""The sheet of a certificate: the boxes of its form, in their order and under their numbers."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from services.certificates.print.sheet import Item, Printed, Sheet, fact, text
from services.certificates.print.words import CHOICES, DECLARATIONS, PROCEDURES
from shared.contracts.certificate_views import CertificateView
from shared.reference import transport, units
from shared.rules.boxes import BOX, BOXES, PRINTED, Box, Filled, Kind, Model
from shared.rules.forms import box_signed_by, told_in
from shared.rules.status import Action, Status, is_over
from shared.words import say

WIDE: Final = frozenset(
    {"product_lines", "issuing_declaration", "customs_procedure", "entry_checks", "first_consignee_declaration"}
)
IF_ANY: Final = "customs_procedure"
"""The one signed box that most certificates never need: an empty one waits for nobody."""
PARTS_OF: Final = {"transport": ("mode", "identification", "document")}
COLUMNS: Final = (("2.5fr", "left"), ("1.35fr", "right"), ("1.25fr", "right"), ("2fr", "left"), ("2fr", "left"))


class CertificateSheet(Sheet[CertificateView]):
    """One copy of a certificate."""

    def form(self) -> str:
        return self._("form_31" if self.model is Model.COI_2022 else "form_21")

    def over(self) -> bool:
        return is_over(Status(self.view.status))

    def links(self) -> list[str]:
        told = (("replaces", self.view.replaces), ("replaced_by", self.view.replaced_by))
        return [self._(name, number=link.number) for name, link in told if link is not None and link.number]

    def signers(self, box: str) -> set[str]:
        return {action.value for action in Action if box_signed_by(action) == box}

    def boxes(self) -> Iterator[Printed]:
        for fields, number, title in boxes_of(self.model):
            wide = any(each.field in WIDE for each in fields)
            yield Printed(number, say(title, self.language), self.items(fields), wide)

    def label(self, name: str) -> str:
        """What a field is called on this form."""
        return say(BOX[name].label(self.model), self.language)

    def items(self, fields: Sequence[Box]) -> list[Item]:
        """What stands in one box."""
        if all(each.filled is Filled.LATER for each in fields):
            return [text(self._("not_used"), "faint")]
        found = [item for each in fields for item in self.field(each)]
        for each in fields:
            if each.field in self.copy.later:
                says = "reference" if each.field == IF_ANY else "later"
                found.append(text(self._(says, at=self.speech.moment(self.copy.later[each.field])), "note"))
        return found or [text("–", "faint")]

    def value(self, name: str) -> Any:
        """What stands in a field of the content."""
        root, _, part = name.partition(".")
        value = self.view.content.get(root)
        return (value or {}).get(part) if part else value

    def field(self, box: Box) -> list[Item]:
        """One field, by what it holds."""
        value = self.value(box.field)
        if box.kind is Kind.NUMBER:
            return [text(self.view.number or self._("draft"), "number" if self.view.number else "faint")]
        if box.kind is Kind.SIGNED:
            if box.field == IF_ANY and not value:
                return []
            if "." in box.field:
                return [fact(self.label(box.field), self.speech.answer(value, self.view.parties))] if value else []
            labels = told_in(box.field, self.model)
            own = {name: each for name, each in (value or {}).items() if name in labels}
            return self.declaration(box.field, own, labels, DECLARATIONS)
        if value in (None, "", [], {}, False):
            return []
        if box.kind is Kind.ORGANISATION:
            return self.parties([value])
        if box.kind is Kind.ORGANISATIONS:
            return self.parties(value)
        if box.kind is Kind.LINES:
            return [self.lines(value)]
        if box.kind is Kind.GROUP:
            return self.group(box.field, value)
        if box.field == "national_reference" or box.kind is Kind.MOMENT or "." in box.field:
            return [fact(self.label(box.field), self.plain(box, value))]
        if box.kind is Kind.YES_NO:
            return [text(f"☒ {self.label(box.field)}")]
        if box.kind in (Kind.TEXTS, Kind.COUNTRIES):
            listed = [self.speech.country(each) if box.kind is Kind.COUNTRIES else str(each) for each in value]
            return [text("\n".join(listed))]
        return [text(self.plain(box, value))]

    def plain(self, box: Box, value: Any) -> str:
        """A simple value in words."""
        if box.kind is Kind.COUNTRY:
            return self.speech.country(value)
        if box.kind is Kind.WEIGHT:
            return f"{self.speech.number(value.get('value'))} {self.speech.unit(value.get('unit'))}"
        if box.kind is Kind.MOMENT:
            try:
                return self.speech.moment(datetime.fromisoformat(value), None, "medium")
            except ValueError:
                return str(value)
        if box.field == "procedure":
            return self.speech.word(PROCEDURES.get(value, value))
        return self.speech.answer(value, self.view.parties)

    def group(self, name: str, value: Mapping[str, Any]) -> list[Item]:
        """The parts of a group: mode, identification and document of the transport."""
        found = []
        for part in PARTS_OF.get(name, ()):
            if value.get(part):
                mode = transport.modes().get(value[part]) if part == "mode" else None
                found.append(fact(self.label(f"{name}.{part}"), mode.name(self.language) if mode else str(value[part])))
        return found

    def lines(self, rows: Sequence[Mapping[str, Any]]) -> Item:
        """Box 13: the lines under their commodity, and the sum of their weights."""
        groups: dict[str, list[Mapping[str, Any]]] = {}
        sums: dict[str, Decimal] = {}
        for row in rows:
            groups.setdefault(str(row.get("cn_code") or ""), []).append(row)
            unit = str(row.get("unit") or units.DEFAULT_UNIT)
            try:
                sums[unit] = sums.get(unit, Decimal(0)) + Decimal(str(row.get("net_weight")))
            except InvalidOperation:
                continue
        total = "\n".join(f"{self.speech.number(value)} {self.speech.unit(unit)}" for unit, value in sums.items())
        return {
            "kind": "lines",
            "columns": COLUMNS,
            "head": [
                self._("trade_name"),
                self._("packages"),
                self.label("product_lines.net_weight"),
                self.label("product_lines.producer"),
                self.label("product_lines.producer_control_body"),
            ],
            "groups": [self.goods(code, each, [self._line(row) for row in each]) for code, each in groups.items()],
            "total": ["", self._("total_net"), total, "", ""] if total else [],
        }

    def _line(self, row: Mapping[str, Any]) -> list[str]:
        named = [self.view.parties.get(str(row.get(name) or "")) for name in ("producer", "producer_control_body")]
        organic = self.speech.word(CHOICES[row["organic"]]) if row.get("organic") in CHOICES else ""
        said = (str(row.get("trade_name") or "–"), str(row.get("lot") or ""), organic)
        return [
            "\n".join(each for each in said if each),
            self.speech.packages(row.get("packages"), row.get("package_type")),
            self.speech.weight(row.get("net_weight"), row.get("unit")),
            *("\n".join(each for each in (party.name, party.code) if each) if party else "–" for party in named),
        ]


def boxes_of(model: Model) -> list[tuple[list[Box], int | None, str]]:
    """The boxes of a form in printed order: their fields, number and title; those without a number beside them."""
    found: list[tuple[list[Box], int | None, str]] = [
        ([box for box in BOXES if box.number(model) == row.number and _alone(box, model)], row.number, row.title)
        for row in PRINTED
        if row.model is model
    ]
    for place, box in enumerate(BOXES):
        if box.is_on(model) and box.number(model) is None and box.filled is not Filled.LATER:
            before = {each.field for each in BOXES[:place]}
            after = max(n for n, (fields, _, _) in enumerate(found) if any(one.field in before for one in fields))
            found.insert(after + 1, ([box], None, box.title(model)))
    return found


def _alone(box: Box, model: Model) -> bool:
    """Whether a field is printed as a box's own: a root, or a part printed elsewhere than its root."""
    root = BOX[box.field.split(".")[0]]
    return box is root or box.number(model) != root.number(model)
