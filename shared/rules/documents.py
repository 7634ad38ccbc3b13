"""Accompanying documents: which types there are, what each has to say, who may add, change and read them (guide 002 §3.1).

One thing to remember: nobody deletes. A document may be changed or withdrawn by whoever added it until a signature
covers it; afterwards a change is a new version beside the old one.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from shared.rules.boxes import Kind, Model, Problem, problem
from shared.rules.permissions import Tie
from shared.rules.shape import YEARS, wrong

LARGEST: Final = 20 * 1024 * 1024
"""Bytes of one file."""
MOST: Final = 100
"""Documents of one certificate."""


class Media(StrEnum):
    """What a file may be, told by what stands in it and never by its name."""

    PDF = "application/pdf"
    JPEG = "image/jpeg"
    PNG = "image/png"
    XML = "application/xml"


@dataclass(frozen=True)
class DocumentField:
    """One thing to be said about a document beside its file."""

    name: str
    label: str
    longest: int
    kind: Kind = Kind.TEXT


@dataclass(frozen=True)
class DocumentType:
    """One type of document; its code is that of UN/EDIFACT 1001 where there is one."""

    code: str
    name: str
    needs: tuple[str, ...]
    """The fields that must be filled in for it."""


# fmt: off
DOCUMENT_FIELDS: Final = (
    DocumentField("number",  "Document number",  100),
    DocumentField("date",    "Document date",    10),
    DocumentField("country", "Issuing country",  2, Kind.COUNTRY),
    DocumentField("issuer",  "Issued by",        200),
    DocumentField("remarks", "Document remarks", 2000),
)
_BASE: Final = ("number", "date")
_MADE: Final = ("number", "date", "issuer")
_HOME: Final = ("number", "date", "country")
_PUBLIC: Final = ("number", "date", "country", "issuer")
_OTHER: Final = ("number", "date", "remarks")

DOCUMENT_TYPES: Final = (
    #            code           what it is                       needs
    DocumentType("380",         "Commercial invoice",            _MADE),
    DocumentType("325",         "Pro-forma invoice",             _MADE),
    DocumentType("271",         "Packing list",                  _BASE),
    DocumentType("705",         "Bill of lading",                _MADE),
    DocumentType("740",         "Air waybill",                   _MADE),
    DocumentType("730",         "Road consignment note",         _MADE),
    DocumentType("720",         "Rail consignment note",         _MADE),
    DocumentType("booking",     "Booking confirmation",          _MADE),
    DocumentType("travel_plan", "Travel plan",                   _BASE),
    DocumentType("861",         "Certificate of origin",         _HOME),
    DocumentType("851",         "Phytosanitary certificate",     _PUBLIC),
    DocumentType("636",         "Health certificate",            _PUBLIC),
    DocumentType("856",         "Inspection certificate",        _MADE),
    DocumentType("1",           "Certificate of analysis",       _MADE),
    DocumentType("sampling",    "Sampling report",               _MADE),
    DocumentType("transaction", "Transaction certificate",       _MADE),
    DocumentType("other",       "Other document",                _OTHER),
)
# fmt: on
"""The codes never change. Whoever adds "another" document says in the remarks what it is."""

ENCLOSED: Final = {
    "Transport document": frozenset({"705", "740", "730", "720"}),
    "Commercial invoice": frozenset({"380", "325"}),
    "Packing list":       frozenset({"271"}),
}  # fmt: skip
"""What goes with a certificate on the form of 2022, within ten days of box 18 and before the endorsement (Delegated
Regulation (EU) 2021/2306, article 5(2) and (3)): any one of these types each."""

TYPE: Final = {row.code: row for row in DOCUMENT_TYPES}
FIELD: Final = {row.name: row for row in DOCUMENT_FIELDS}


def still_to_enclose(model: Model, types: Iterable[str]) -> tuple[str, ...]:
    """What has to be added to documents of these types before the authority endorses, by what it is called."""
    there = frozenset(types)
    return tuple(what for what, any_of in ENCLOSED.items() if model is Model.COI_2022 and not any_of & there)


def may_read(mine: frozenset[Tie]) -> bool:
    """Whether somebody so tied may read the documents: the parties alone, and no mere reader."""
    return bool(mine)


def may_add(mine: frozenset[Tie], count: int) -> bool:
    """Whether somebody so tied may add one more: any party may, in every status in which he sees the certificate."""
    return bool(mine) and count < MOST


def may_change(added_by: str, organisation: str, mine: frozenset[Tie]) -> bool:
    """Whether an organisation may give a document a new version: who added it may, as long as he is a party."""
    return bool(mine) and added_by == organisation


def may_withdraw(added_by: str, organisation: str, mine: frozenset[Tie], covered: bool) -> bool:
    """Whether an organisation may take a document back: who added it may, until a signature covers it."""
    return may_change(added_by, organisation, mine) and not covered


def document_problems(kind: object, said: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Everything that is wrong with what somebody says about a document; all at once."""
    row = TYPE.get(kind) if isinstance(kind, str) else None
    found = [] if row else [_problem("type", "not_in_list")]
    found += [_problem(str(name)[:40], "unknown_field", name=str(name)[:40]) for name in said if name not in FIELD]
    for each in DOCUMENT_FIELDS:
        value = said.get(each.name)
        if value is None or (isinstance(value, str) and not value.strip()):
            found += [_problem(each.name, "needed", label=each.label)] if row and each.name in row.needs else []
        else:
            found += [_problem(each.name, code, **params) for code, params in _wrong(each, value)]
    return tuple(found)


def _wrong(row: DocumentField, value: object) -> Iterator[tuple[str, dict[str, object]]]:
    """What is wrong with one field that is filled in."""
    if row.name == "date":
        if not _is_day(value):
            yield "not_a_day", {"label": row.label}
    elif isinstance(value, str) and len(value) > row.longest and row.kind is Kind.TEXT:
        yield "too_long", {"label": row.label, "longest": row.longest}
    else:
        for _, code, params in wrong(row.kind, value):
            yield code, {"label": row.label, **params}


def _is_day(value: object) -> bool:
    try:
        return isinstance(value, str) and len(value) == 10 and date.fromisoformat(value).year in YEARS
    except ValueError:
        return False


def _problem(part: str, code: str, **params: object) -> Problem:
    return problem(f"documents.{part}", code, Model.COI_2017, params)
