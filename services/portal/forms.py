"""The certificate as a form: which boxes the printed form has, and what somebody typed into them.

One thing to remember: fields, numbers and titles are drawn from the law's BOXES. A form only says which of them were
on the page; what may be changed is decided by the service.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Protocol

from services.portal import words
from services.portal.names import CHOICES
from shared.contracts.certificate_views import CertificateView, ProblemView
from shared.rules.boxes import ALONE, BOX, BOXES, PRINTED, Box, Filled, Kind, Model, bare
from shared.rules.content import stands
from shared.rules.countries import COUNTRIES, UNION
from shared.rules.findings import KINDS, PARTNERS
from shared.rules.forms import Form, Question, form_of
from shared.rules.roles import Competence, RoleType
from shared.rules.status import Action, Status

# ---- the printed form -----------------------------------------------------------------------------------------

WIDE: Final = frozenset(
    {"product_lines", "issuing_declaration", "customs_procedure", "entry_checks", "first_consignee_declaration"}
)
"""Boxes that take the whole width of the form."""


@dataclass(frozen=True)
class SheetBox:
    """One box of the printed form, with its fields."""

    key: str
    number: int | None
    title: str
    fields: tuple[Box, ...]
    provisional: bool = False
    wide: bool = False

    @property
    def derived(self) -> bool:
        """Whether nobody types anything here."""
        return bool(self.fields) and all(each.filled is Filled.DERIVED for each in self.fields)

    @property
    def signed(self) -> bool:
        """Whether it is filled in by a signature."""
        return any(each.filled is Filled.SIGNED for each in self.fields)

    @property
    def unused(self) -> bool:
        """Whether it is printed on the form but nothing here fills it yet."""
        return all(each.filled is Filled.LATER for each in self.fields)

    @property
    def roots(self) -> tuple[str, ...]:
        """The fields of the content it holds."""
        return tuple(each.field for each in self.fields if "." not in each.field)

    @property
    def named(self) -> tuple[str, ...]:
        """What a change of it names: its roots, and the parts that are filled in by themselves."""
        return tuple(each.field for each in self.fields if "." not in each.field or each.field in ALONE)


@cache
def sheet(model: Model) -> tuple[SheetBox, ...]:
    """The boxes of a form in the order they are printed, with the widths that leave no hole."""
    found = [
        SheetBox(
            str(printed.number),
            printed.number,
            printed.title,
            tuple(each for each in BOXES if each.number(model) == printed.number and _stands_alone(each, model)),
            printed.provisional,
        )
        for printed in PRINTED
        if printed.model is model
    ]
    for box in BOXES:
        if box.is_on(model) and box.number(model) is None and box.filled is not Filled.LATER:
            before = [each.field for each in BOXES[: BOXES.index(box)]]
            place = max(n for n, each in enumerate(found) if any(one.field in before for one in each.fields))
            found.insert(place + 1, SheetBox(box.field, None, box.title(model), (box,)))
    return tuple(_laid_out(found))


def _stands_alone(box: Box, model: Model) -> bool:
    """Whether a field is a box's own: a root, or a part printed in another box than its root."""
    root = BOX[box.field.split(".")[0]]
    return box is root or box.number(model) != root.number(model) or box.field in ALONE


def _laid_out(boxes: Sequence[SheetBox]) -> Iterable[SheetBox]:
    """The boxes two by two; one that would stand alone in its row takes the whole row."""
    waiting: SheetBox | None = None
    for box in boxes:
        if any(each.field in WIDE for each in box.fields):
            if waiting:
                yield _widened(waiting)
            waiting = None
            yield _widened(box)
        elif waiting:
            yield waiting
            yield box
            waiting = None
        else:
            waiting = box
    if waiting:
        yield _widened(waiting)


def _widened(box: SheetBox) -> SheetBox:
    return SheetBox(box.key, box.number, box.title, box.fields, box.provisional, wide=True)


def box_of(model: Model, place: str) -> SheetBox | None:
    """The box in which a place of the content is printed."""
    name = bare(place)
    boxes = sheet(model)
    exact = next((box for box in boxes if any(each.field == name for each in box.fields)), None)
    return exact or next((box for box in boxes if name.split(".")[0] in box.roots), None)


def number_of(model: Model, name: str) -> int | None:
    """The number of a field's box on this form."""
    return BOX[name].number(model)


# ---- who may be picked ----------------------------------------------------------------------------------------


def eligible(name: str) -> dict[str, str]:
    """What the directory is asked for when somebody looks for an organisation for this field."""
    kinds = {**KINDS, "customs_procedure.operator": RoleType.OPERATOR}
    wanted = {"kind": str(kinds[name])} if name in kinds else {}
    if wanted.get("kind") == RoleType.AUTHORITY:
        wanted["competence"] = Competence.ORGANIC.value
    activities = PARTNERS.get(name, frozenset())
    if len(activities) == 1:
        wanted["activity"] = str(next(iter(activities)))
    return wanted


@cache
def _named_countries(language: str, union: bool) -> tuple[tuple[str, str], ...]:
    named = [(code, words.country(code)) for code in (UNION if union else COUNTRIES)]
    return tuple(sorted(named, key=lambda each: words.sortable(each[1])))


def countries_for(name: str) -> tuple[tuple[str, str], ...]:
    """The countries a field may name, in the reader's language and order: of the Union where goods are cleared."""
    return _named_countries(words.reader().language, name == "clearance_country")


# ---- what somebody typed --------------------------------------------------------------------------------------


class Typed(Protocol):
    """A posted form."""

    def get(self, key: str) -> Any:
        """The first value of a name."""

    def getlist(self, key: str) -> list[Any]:
        """All values of a name."""


def text(typed: Typed, name: str) -> str:
    """What was typed into one field; a file is nothing."""
    value = typed.get(name)
    return value.strip() if isinstance(value, str) else ""


def raw(typed: Typed, name: str) -> str:
    """A password exactly as it was typed."""
    value = typed.get(name)
    return value[:1024] if isinstance(value, str) else ""


def texts(typed: Typed, name: str) -> list[str]:
    """What was typed into all fields of one name, without the empty ones."""
    return [value.strip() for value in typed.getlist(name) if isinstance(value, str) and value.strip()]


def changes_in(
    typed: Typed, content: Mapping[str, Any], edit: Collection[str], only: Collection[str] = ()
) -> dict[str, Any]:
    """The fields the form had on it, that may be edited, and that now say something else than before."""
    found: dict[str, Any] = {}
    for name in dict.fromkeys(texts(typed, "has")):
        box = BOX.get(name)
        if box is None or (only and name not in only) or not _may_touch(name, edit):
            continue
        value = _READERS.get(box.kind, _one)(typed, name, content, edit)
        if not alike(value, stands(content, name)):
            found[name] = value
    return found


def _may_touch(name: str, edit: Collection[str]) -> bool:
    return name in edit or any(each.startswith(f"{name}.") for each in edit)


def alike(one: Any, other: Any) -> bool:
    """Whether two contents of a field mean the same: nothing, an empty list and an unticked box do."""
    return bool(_plain(one) == _plain(other))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        parts = {name: _plain(each) for name, each in value.items()}
        return {name: each for name, each in parts.items() if each is not None} or None
    if isinstance(value, list):
        return [_plain(each) for each in value] or None
    return None if value is False or value == "" else value


def _one(typed: Typed, name: str, content: Mapping[str, Any], edit: Collection[str]) -> Any:
    return text(typed, name) or None


def _several(typed: Typed, name: str, content: Mapping[str, Any], edit: Collection[str]) -> Any:
    kept = texts(typed, name) if name in edit else list(content.get(name) or [])
    return list(dict.fromkeys([*kept, *texts(typed, f"{name}.new")]))


def _short_texts(typed: Typed, name: str, content: Mapping[str, Any], edit: Collection[str]) -> Any:
    pieces = text(typed, name).replace(";", "\n").replace(",", "\n").splitlines()
    return [piece.strip() for piece in pieces if piece.strip()]


def _ticked(typed: Typed, name: str, content: Mapping[str, Any], edit: Collection[str]) -> Any:
    return text(typed, name) == "true"


def _weight(typed: Typed, name: str, content: Mapping[str, Any], edit: Collection[str]) -> Any:
    value = words.typed_number(text(typed, f"{name}.value"))
    return {"value": value, "unit": text(typed, f"{name}.unit") or "KGM"} if value else None


def _moment(typed: Typed, name: str, content: Mapping[str, Any], edit: Collection[str]) -> Any:
    typed_in = text(typed, name)
    before = content.get(name)
    if before and typed_in == words.for_input(words.parse_moment(before)):
        return before
    try:
        moment = words.from_input(typed_in)
    except ValueError:
        return typed_in
    return moment.isoformat() if moment else None


def _group(typed: Typed, name: str, content: Mapping[str, Any], edit: Collection[str]) -> Any:
    parts = [box.field for box in BOXES if box.field.startswith(f"{name}.")]
    said = {part.split(".")[1]: text(typed, part) for part in parts}
    return {part: value for part, value in said.items() if value} or None


LINE_PARTS: Final = tuple(
    box.field.split(".")[1]
    for box in BOXES
    if box.field.startswith("product_lines.") and box.filled is not Filled.DERIVED
)


def _lines(typed: Typed, name: str, content: Mapping[str, Any], edit: Collection[str]) -> Any:
    """The lines of box 13: those there were, with what was typed over them, less the removed, plus the added."""
    whole = name in edit
    removed = set(texts(typed, "remove_line"))
    removed_goods = set(texts(typed, "remove_goods"))
    rows = []
    for line in content.get(name) or []:
        mark = line.get("id") or ""
        if whole and (mark in removed or line.get("cn_code") in removed_goods):
            continue
        row = dict(line)
        for part in LINE_PARTS:
            if (whole or f"{name}.{part}" in edit) and typed.get(f"line.{mark}.{part}") is not None:
                row[part] = _line_part(part, text(typed, f"line.{mark}.{part}"))
        rows.append(row)
    if whole:
        for code in texts(typed, "add_line"):
            after = max((n for n, row in enumerate(rows) if row.get("cn_code") == code), default=len(rows) - 1)
            rows.insert(after + 1, new_line(code, rows))
    return rows


def _line_part(part: str, said: str) -> Any:
    if not said:
        return None
    if part == "packages":
        plain = words.typed_number(said)
        return int(plain) if plain.isdigit() else said
    return words.typed_number(said) if part == "net_weight" else said


def new_line(code: str, rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """A fresh line for a commodity."""
    taken = {str(row.get("id")) for row in rows}
    mark = next(str(number) for number in range(1, 10_000) if str(number) not in taken)
    return {"id": mark, "cn_code": code, "unit": "KGM"}


_READERS: Final = {
    Kind.ORGANISATIONS: _several,
    Kind.COUNTRIES: _several,
    Kind.TEXTS: _short_texts,
    Kind.YES_NO: _ticked,
    Kind.WEIGHT: _weight,
    Kind.MOMENT: _moment,
    Kind.GROUP: _group,
    Kind.LINES: _lines,
}


# ---- what an order asks ---------------------------------------------------------------------------------------


def questions(action: Action, status: Status, model: Model) -> tuple[Question, ...]:
    """What the form of an action asks; what only the 2022 form knows is left out on the other."""
    form: Form | None = form_of(action, status)
    asked = form.questions if form else ()
    return tuple(each for each in asked if each.is_on(model))


def answers(typed: Typed, asked: Iterable[Question]) -> dict[str, Any]:
    """What was answered, in the types the law wants; what was left open is left out."""
    said: dict[str, Any] = {}
    for question in asked:
        name = f"form.{question.name}"
        if question.kind is Kind.YES_NO:
            value: Any = {"true": True, "false": False}.get(text(typed, name))
        elif question.kind is Kind.MOMENT:
            value = _moment(typed, name, {}, ())
        elif question.kind is Kind.TEXTS:
            value = _short_texts(typed, name, {}, ()) or None
        else:
            value = text(typed, name) or None
        if value is not None:
            said[question.name] = value
    return said


def suggested(action: Action, view: CertificateView) -> dict[str, str]:
    """What the certificate itself already says of what an order asks: the goods and the chain of a notice."""
    if action is not Action.SIGNAL_IRREGULARITY:
        return {}
    content, rows = view.content, view.content.get("product_lines") or []

    def each(part: str) -> str:
        return ", ".join(dict.fromkeys(str(row[part]) for row in rows if row.get(part)))

    def who(*organisations: str | None) -> str:
        named = [view.parties[each] for each in dict.fromkeys(organisations) if each in view.parties]
        return ", ".join(f"{one.name} ({one.code or one.country})" for one in named)

    weights = (f"{row['net_weight']} {row.get('unit') or ''}".strip() for row in rows if row.get("net_weight"))
    said = {
        "notice_category": each("category"),
        "notice_trade_name": each("trade_name"),
        "notice_origin": ", ".join(content.get("countries_of_origin") or []),
        "notice_lots": each("lot"),
        "chain_producer": who(
            *(part for row in rows for part in (row.get("producer"), row.get("producer_control_body")))
        ),
        "chain_processor": who(content.get("exporter"), content.get("issuing_body")),
        "chain_importer": who(content.get("importer")),
        "chain_wholesaler": who(content.get("first_consignee")),
        "quantity": " + ".join(weights),
    }
    return {name: text for name, text in said.items() if text}


def choices(codes: Iterable[str]) -> list[dict[str, str]]:
    """Some choices as options, in the reader's language."""
    return [{"value": code, "name": words.law(CHOICES.get(code, code))} for code in codes]


# ---- problems at their boxes ----------------------------------------------------------------------------------


_LINE: Final = re.compile(r"product_lines\[(\d+)\]")


@dataclass(frozen=True)
class Placed:
    """A problem, and the box of the page at which it is shown."""

    anchor: str
    place: str
    box: str | None
    title: str
    message: str
    severity: str
    code: str = ""

    @property
    def line(self) -> int | None:
        """The number of the product line it is about."""
        found = _LINE.match(self.place)
        return int(found.group(1)) + 1 if found else None


def placed(problems: Iterable[ProblemView], model: Model) -> list[Placed]:
    """Problems with the box each belongs to."""
    found = []
    for problem in problems:
        box = box_of(model, problem.field)
        found.append(
            Placed(
                anchor=box.key if box else bare_root(problem.field),
                place=problem.field,
                box=problem.box,
                title=problem.title,
                message=problem.message,
                severity=problem.severity,
                code=problem.code,
            )
        )
    return found


def bare_root(place: str) -> str:
    """The field of the content in which a place lies: product_lines[0].lot -> product_lines."""
    return bare(place).split(".")[0]


def is_redrawn(kind: Kind) -> bool:
    """Whether a box with such a field is drawn again after saving, because names or rows on the page depend on it."""
    return kind in (Kind.ORGANISATION, Kind.ORGANISATIONS, Kind.COUNTRIES, Kind.LINES)
