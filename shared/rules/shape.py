"""Whether what somebody sends has the shape of boxes: known fields, right types, sane lengths.

One thing to remember: shape is checked at the edge, strictly and before anything is stored. A hole or a wrong number is
not a matter of shape: a draft may have both, and problems.py names them when an action needs better.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from shared.rules.boxes import ALONE, BOX, Box, Filled, Kind, Model, Problem, problem
from shared.rules.countries import COUNTRIES

Wrong = tuple[str, str, dict[str, object]]
"""What is wrong with a value: where in it, the code, and the code's parameters."""

# fmt: off
LENGTHS: Final = {
    "national_reference":        250,      # guide 002 §3.1, under box 3
    "product_lines.lot":         100,
    "product_lines.trade_name":  250,
    "transport.identification":  100,
    "transport.document":        100,
    "customs_procedure.reference": 100,
}
TEXT:       Final = 2000                   # any other text
SHORT_TEXT: Final = 40                     # each of several: containers, seals, references
MANY:       Final = 500                    # entries of any list
YEARS:      Final = range(2000, 2100)       # of any date and time
PARTS:      Final = {
    "product_lines": ("id", "cn_code", "category", "organic", "trade_name", "lot", "packages", "package_type",
                      "net_weight", "unit", "producer", "producer_control_body"),
    "transport":     ("mode", "identification", "document"),
    "gross_weight":  ("value", "unit"),
}
CHOICES:    Final = {"product_lines.organic": ("organic", "in_conversion")}

PATTERNS: Final = {
    Kind.ORGANISATION: re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII),
    Kind.DECIMAL:      re.compile(r"-?\d{1,15}(\.\d{1,10})?", re.ASCII),
    Kind.UNIT:         re.compile(r"[A-Z0-9]{2,3}", re.ASCII),
    Kind.PACKAGE_TYPE: re.compile(r"[A-Z0-9]{2}", re.ASCII),
    Kind.COMMODITY:    re.compile(r"\d{8}", re.ASCII),
    Kind.CATEGORY:     re.compile(r"[a-g]", re.ASCII),
    Kind.MODE:         re.compile(r"[123458]", re.ASCII),
}
# fmt: on
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def check_shape(changes: Mapping[str, Any], model: Model = Model.COI_2017) -> tuple[Problem, ...]:
    """Everything that is wrong with the shape of these changes, whatever they mean."""
    return tuple(found for name, value in changes.items() for found in _check(name, value, model))


def wrong(kind: Kind, value: object, field: str = "") -> Iterator[Wrong]:
    """What is wrong with one value of this kind; nothing at all is never wrong."""
    if value is not None:
        yield from _CHECKS[kind](value, field)


def _check(name: str, value: object, model: Model) -> Iterator[Problem]:
    box = BOX.get(name) if isinstance(name, str) and ("." not in name or name in ALONE) else None
    if box is None:
        yield problem(str(name)[:SHORT_TEXT], "unknown_field", model, {"name": str(name)[:SHORT_TEXT]})
    elif not box.is_on(model):
        yield problem(name, "not_on_this_form", model, {"label": box.label(model)})
    elif box.filled not in (Filled.BY_HAND, Filled.FILLED_IN):
        yield problem(name, f"box_{box.filled}", model, {"label": box.label(model)})
    else:
        for where, code, params in wrong(box.kind, value, name):
            yield problem(name + where, code, model, _labelled(box, where, model, params))


def _labelled(box: Box, where: str, model: Model, params: dict[str, object]) -> dict[str, object]:
    part = BOX.get(f"{box.field}.{where.rpartition('.')[2]}") if "." in where else None
    return {"label": (part or box).label(model), **params}


# One function per kind, in the order of the enum. Each yields what is wrong with a value that is there.


def _pattern(kind: Kind) -> Callable[[object, str], Iterator[Wrong]]:
    def check(value: object, field: str) -> Iterator[Wrong]:
        if not isinstance(value, str) or not PATTERNS[kind].fullmatch(value):
            yield "", f"not_{kind}", {}

    return check


def _country(value: object, field: str) -> Iterator[Wrong]:
    if not isinstance(value, str) or value not in COUNTRIES:
        yield "", "not_country", {}


def _text(value: object, field: str) -> Iterator[Wrong]:
    longest = LENGTHS.get(field, TEXT)
    if not isinstance(value, str):
        yield "", "not_text", {}
    elif len(value) > longest:
        yield "", "too_long", {"longest": longest}
    elif _CONTROL.search(value):
        yield "", "unprintable", {}


def _short_text(value: object, field: str) -> Iterator[Wrong]:
    if isinstance(value, str) and len(value) > SHORT_TEXT:
        yield "", "too_long", {"longest": SHORT_TEXT}
    elif value == "":
        yield "", "empty_entry", {}
    else:
        yield from _text(value, field)


def _several(
    each: Callable[[object, str], Iterator[Wrong]], unlike: Callable[[Any], object] = repr
) -> Callable[[object, str], Iterator[Wrong]]:
    """A list whose entries are each right and, as far as `unlike` tells, no two alike."""

    def check(value: object, field: str) -> Iterator[Wrong]:
        if not isinstance(value, list):
            yield "", "not_list", {}
        elif len(value) > MANY:
            yield "", "too_many", {"most": MANY}
        else:
            for number, entry in enumerate(value):
                for where, code, params in each(entry, field):
                    yield f"[{number}]{where}", code, params
            marks = [mark for entry in value if (mark := unlike(entry)) is not None]
            if len(set(marks)) < len(marks):
                yield "", "twice", {}

    return check


def _yes_no(value: object, field: str) -> Iterator[Wrong]:
    if not isinstance(value, bool):
        yield "", "not_yes_no", {}


def _choice(value: object, field: str) -> Iterator[Wrong]:
    choices = CHOICES.get(field, ())
    if not isinstance(value, str) or value not in choices:
        yield "", "not_a_choice", {"choices": ", ".join(choices)}


def _count(value: object, field: str) -> Iterator[Wrong]:
    if not isinstance(value, int) or isinstance(value, bool) or not -(10**9) < value < 10**9:
        yield "", "not_count", {}


def _moment(value: object, field: str) -> Iterator[Wrong]:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or moment.year not in YEARS:
        yield "", "not_moment", {}


def _group(value: object, field: str) -> Iterator[Wrong]:
    if not isinstance(value, Mapping):
        yield "", "not_group", {}
        return
    for name, entry in value.items():
        if name not in PARTS[field]:
            yield f".{str(name)[:SHORT_TEXT]}", "unknown_field", {"name": str(name)[:SHORT_TEXT]}
            continue
        kind = _PART_KINDS.get(f"{field}.{name}") or BOX[f"{field}.{name}"].kind
        for where, code, params in wrong(kind, entry, f"{field}.{name}"):
            yield f".{name}{where}", code, params


def _id(line: Any) -> str | None:
    return repr(line["id"]) if isinstance(line, Mapping) and line.get("id") else None


_PART_KINDS: Final = {
    "product_lines.id": Kind.TEXT,
    "gross_weight.value": Kind.DECIMAL,
    "gross_weight.unit": Kind.UNIT,
}

_CHECKS: Final[dict[Kind, Callable[[object, str], Iterator[Wrong]]]] = {
    Kind.ORGANISATION: _pattern(Kind.ORGANISATION),
    Kind.ORGANISATIONS: _several(_pattern(Kind.ORGANISATION)),
    Kind.COUNTRY: _country,
    Kind.COUNTRIES: _several(_country),
    Kind.TEXT: _text,
    Kind.TEXTS: _several(_short_text),
    Kind.YES_NO: _yes_no,
    Kind.CHOICE: _choice,
    Kind.COUNT: _count,
    Kind.DECIMAL: _pattern(Kind.DECIMAL),
    Kind.WEIGHT: _group,
    Kind.UNIT: _pattern(Kind.UNIT),
    Kind.PACKAGE_TYPE: _pattern(Kind.PACKAGE_TYPE),
    Kind.COMMODITY: _pattern(Kind.COMMODITY),
    Kind.CATEGORY: _pattern(Kind.CATEGORY),
    Kind.MODE: _pattern(Kind.MODE),
    Kind.MOMENT: _moment,
    Kind.LINES: _several(_group, unlike=_id),
    Kind.GROUP: _group,
}
