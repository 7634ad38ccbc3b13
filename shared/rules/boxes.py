"""Every field of the certificate and its place on each printed form (guide 002 §3.1).

One thing to remember: we store canonical field names, never box numbers. A certificate of the 2017 form and one of the
2022 form have the same fields under other numbers and titles; which form it is was fixed when it was born.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from shared.rules.permissions import Tie
from shared.rules.status import Action

Content = dict[str, Any]
"""What stands in the boxes, by field name: JSON and nothing else."""


class Model(StrEnum):
    """The printed form a certificate follows all its life."""

    COI_2017 = "COI_2017"
    """Boxes 1 to 21: the form of the guides, and the default."""
    COI_2022 = "COI_2022"
    """Boxes 1 to 31."""


class Kind(StrEnum):
    """What a field holds."""

    ORGANISATION = "organisation"
    ORGANISATIONS = "organisations"
    COUNTRY = "country"
    COUNTRIES = "countries"
    TEXT = "text"
    TEXTS = "texts"
    """Several short texts: the numbers of containers, of seals."""
    YES_NO = "yes_no"
    CHOICE = "choice"
    COUNT = "count"
    DECIMAL = "decimal"
    """A number written as a string, so that nothing of it is lost on the way."""
    WEIGHT = "weight"
    """A decimal value and its unit."""
    UNIT = "unit"
    PACKAGE_TYPE = "package_type"
    COMMODITY = "commodity"
    CATEGORY = "category"
    MODE = "mode"
    MOMENT = "moment"
    """Date and time with zone, ISO 8601."""
    LINES = "lines"
    GROUP = "group"
    """Several fields under one name."""
    SIGNED = "signed"
    """A declaration, written by the order that signs it."""
    NUMBER = "number"
    """The certificate's own number."""


class Filled(StrEnum):
    """How a field gets its content."""

    BY_HAND = "by_hand"
    FILLED_IN = "filled_in"
    """By the system after another field, but whoever may edit it may change it."""
    DERIVED = "derived"
    """By the system alone, at every change."""
    SIGNED = "signed"
    """By the order that signs the box."""
    LATER = "later"
    """On the printed form, but there is no field for it here yet."""


BESIDE: Final = 0
"""In the place of a number: on the form, beside the numbered boxes."""


@dataclass(frozen=True)
class Box:
    """One field of the certificate."""

    field: str
    number_2017: int | None
    number_2022: int | None
    """The number of its box on each form; None where that form does not have it."""
    kind: Kind
    needed_2017: Action | None
    needed_2022: Action | None
    """The first action that needs it, on each form; those after it need it too."""
    names: Tie | None
    """The tie by which it binds the organisations it names."""
    filled: Filled

    def is_on(self, model: Model) -> bool:
        """Whether this form has the field."""
        return self._place(model) is not None

    def number(self, model: Model) -> int | None:
        """The number of its box on this form, if it has one."""
        return self._place(model) or None

    def title(self, model: Model) -> str:
        """The title printed over its box on this form; elsewhere its own label, or its title on the other form."""
        printed = _PRINTED.get((model, self._place(model)))
        if printed is None and self.field in LABELS:
            return LABELS[self.field]
        return (printed or _PRINTED[Model.COI_2022, self.number_2022]).title

    def label(self, model: Model) -> str:
        """What the field is called."""
        return LABELS.get(self.field) or self.title(model)

    def is_provisional(self, model: Model) -> bool:
        """Whether the title still has to be compared with the regulation's annex."""
        printed = _PRINTED.get((model, self._place(model)))
        return printed is not None and printed.provisional

    def needed(self, model: Model) -> Action | None:
        """The first action that needs it on this form."""
        return self.needed_2017 if model is Model.COI_2017 else self.needed_2022

    def _place(self, model: Model) -> int | None:
        return self.number_2017 if model is Model.COI_2017 else self.number_2022


_K, _T, _F = Kind, Tie, Filled
_SUB, _VER = Action.SUBMIT, Action.VERIFY
_HAND, _IN, _DER, _SGN, _LATER = _F.BY_HAND, _F.FILLED_IN, _F.DERIVED, _F.SIGNED, _F.LATER

# fmt: off
BOXES: Final = (
    #   field                                 2017    2022    what it holds     needed to   names               filled
    Box("issuing_body",                       1,      1,      _K.ORGANISATION,  _SUB, _SUB, _T.ISSUER,          _IN),
    Box("procedure",                          2,      2,      _K.CHOICE,        None, None, None,               _DER),
    Box("number",                             3,      3,      _K.NUMBER,        None, None, None,               _DER),
    Box("national_reference",                 3,      3,      _K.TEXT,          None, None, None,               _HAND),
    Box("exporter",                           4,      5,      _K.ORGANISATION,  _SUB, _SUB, _T.EXPORTER,        _IN),
    Box("producers",                          5,      4,      _K.ORGANISATIONS, None, None, None,               _DER),
    Box("producers_control_bodies",           6,      7,      _K.ORGANISATIONS, None, None, None,               _DER),
    Box("trader_without_handling",            None,   6,      _K.ORGANISATION,  None, None, None,               _HAND),
    Box("countries_of_origin",                7,      8,      _K.COUNTRIES,     _SUB, _SUB, None,               _HAND),
    Box("country_of_export",                  8,      9,      _K.COUNTRY,       _SUB, _SUB, None,               _IN),
    Box("clearance_country",                  9,      10,     _K.COUNTRY,       _SUB, _SUB, None,               _HAND),
    Box("entry_authority",                    9,      10,     _K.ORGANISATION,  _SUB, _SUB, _T.ENTRY_AUTHORITY, _HAND),
    Box("country_of_destination",             10,     11,     _K.COUNTRY,       None, None, None,               _DER),
    Box("importer",                           11,     12,     _K.ORGANISATION,  _SUB, _SUB, _T.IMPORTER,        _IN),
    Box("first_consignee",                    12,     24,     _K.ORGANISATION,  None, None, _T.CONSIGNEE,       _HAND),
    Box("release_by_batches",                 12,     24,     _K.YES_NO,        None, None, None,               _HAND),
    Box("responsible_for_load",               BESIDE, 19,     _K.ORGANISATIONS, None, None, _T.RFL,             _HAND),
    Box("product_lines",                      13,     13,     _K.LINES,         _SUB, _SUB, None,               _HAND),
    Box("product_lines.cn_code",              13,     13,     _K.COMMODITY,     _SUB, _SUB, None,               _HAND),
    Box("product_lines.category",             13,     13,     _K.CATEGORY,      None, None, None,               _DER),
    Box("product_lines.organic",              None,   13,     _K.CHOICE,        None, _SUB, None,               _HAND),
    Box("product_lines.trade_name",           13,     13,     _K.TEXT,          _SUB, _SUB, None,               _HAND),
    Box("product_lines.lot",                  13,     13,     _K.TEXT,          _SUB, _SUB, None,               _HAND),
    Box("product_lines.packages",             13,     13,     _K.COUNT,         _VER, _VER, None,               _HAND),
    Box("product_lines.package_type",         13,     13,     _K.PACKAGE_TYPE,  _VER, _VER, None,               _HAND),
    Box("product_lines.net_weight",           13,     13,     _K.DECIMAL,       _SUB, _SUB, None,               _HAND),
    Box("product_lines.unit",                 13,     13,     _K.UNIT,          _SUB, _SUB, None,               _IN),
    Box("product_lines.producer",             13,     13,     _K.ORGANISATION,  _SUB, _SUB, None,               _HAND),
    Box("product_lines.producer_control_body", 13,    13,     _K.ORGANISATION,  _SUB, _SUB, None,               _IN),
    Box("containers",                         14,     14,     _K.TEXTS,         None, None, None,               _HAND),
    Box("bulk_no_container",                  14,     14,     _K.YES_NO,        None, None, None,               _HAND),
    Box("seals",                              15,     15,     _K.TEXTS,         None, None, None,               _HAND),
    Box("gross_weight",                       16,     16,     _K.WEIGHT,        _SUB, _VER, None,               _HAND),
    Box("transport",                          17,     17,     _K.GROUP,         None, None, None,               _HAND),
    Box("transport.mode",                     17,     17,     _K.MODE,          _VER, _VER, None,               _HAND),
    Box("transport.identification",           17,     17,     _K.TEXT,          _VER, _VER, None,               _HAND),
    Box("transport.document",                 17,     17,     _K.TEXT,          None, None, None,               _HAND),
    Box("departure_at",                       17,     17,     _K.MOMENT,        None, None, None,               _HAND),
    Box("arrival_at",                         17,     20,     _K.MOMENT,        None, None, None,               _HAND),
    Box("documents",                          BESIDE, BESIDE, _K.GROUP,         None, None, None,               _LATER),
    Box("issuing_declaration",                18,     18,     _K.SIGNED,        None, None, None,               _SGN),
    Box("customs_procedure",                  19,     23,     _K.SIGNED,        None, None, None,               _SGN),
    Box("customs_procedure.operator",         19,     23,     _K.ORGANISATION,  None, None, None,               _SGN),
    Box("customs_procedure.reference",        None,   23,     _K.TEXT,          None, None, None,               _HAND),
    Box("transfer_to",                        None,   21,     _K.TEXT,          None, None, None,               _HAND),
    Box("control_point",                      None,   22,     _K.TEXT,          None, None, None,               _HAND),
    Box("entry_checks",                       20,     30,     _K.SIGNED,        None, None, None,               _SGN),
    Box("entry_checks.documentary",           20,     25,     _K.CHOICE,        None, None, None,               _SGN),
    Box("entry_checks.identity",              20,     29,     _K.CHOICE,        None, None, None,               _SGN),
    Box("entry_checks.physical",              20,     29,     _K.CHOICE,        None, None, None,               _SGN),
    Box("entry_checks.laboratory",            20,     29,     _K.CHOICE,        None, None, None,               _SGN),
    Box("entry_checks.onward_transfer",       None,   26,     _K.YES_NO,        None, None, None,               _SGN),
    Box("entry_checks.control_point_reached", None,   27,     _K.MOMENT,        None, None, None,               _SGN),
    Box("entry_checks.transport_after",       20,     28,     _K.TEXT,          None, None, None,               _SGN),
    Box("first_consignee_declaration",        21,     31,     _K.SIGNED,        None, None, None,               _SGN),
)
# fmt: on

LABELS: Final = {
    "national_reference": "National reference number",
    "clearance_country": "Country of clearance",
    "entry_authority": "Competent authority",
    "release_by_batches": "For release in batches",
    "responsible_for_load": "Responsible for the load",
    "product_lines.cn_code": "Commodity code",
    "product_lines.category": "Product category",
    "product_lines.organic": "Organic or in conversion",
    "product_lines.trade_name": "Trade name",
    "product_lines.lot": "Lot number",
    "product_lines.packages": "Number of packages",
    "product_lines.package_type": "Package type",
    "product_lines.net_weight": "Net weight",
    "product_lines.unit": "Unit",
    "product_lines.producer": "Producer or last processor",
    "product_lines.producer_control_body": "Control body of the producer",
    "bulk_no_container": "Bulk, no container",
    "transport.mode": "Mode of transport",
    "transport.identification": "Identification of the means of transport",
    "transport.document": "Transport document",
    "departure_at": "Departure",
    "arrival_at": "Arrival",
    "documents": "Accompanying documents",
    "customs_procedure.operator": "Operator",
    "customs_procedure.reference": "Customs declaration",
    "entry_checks.documentary": "Documentary check",
    "entry_checks.identity": "Identity check",
    "entry_checks.physical": "Physical check",
    "entry_checks.laboratory": "Laboratory test",
    "entry_checks.transport_after": "Means of transport after the border post",
}
"""What a field is called where that is not the title of its box: because several share it, or it has none."""


@dataclass(frozen=True)
class Printed:
    """One numbered box as printed on one form."""

    model: Model
    number: int
    title: str
    provisional: bool = False
    """Whether the title still has to be compared with the regulation's annex."""


_17, _22 = Model.COI_2017, Model.COI_2022

# fmt: off
PRINTED: Final = (
    # Regulation (EC) No 1235/2008, annex V, as amended in 2016
    Printed(_17,  1, "Issuing body or authority"),
    Printed(_17,  2, "Applicable procedure"),
    Printed(_17,  3, "Certificate number"),
    Printed(_17,  4, "Exporter"),
    Printed(_17,  5, "Producer or preparer"),
    Printed(_17,  6, "Control body of the producer"),
    Printed(_17,  7, "Country of origin"),
    Printed(_17,  8, "Country of export"),
    Printed(_17,  9, "Country of clearance and competent authority"),
    Printed(_17, 10, "Country of destination"),
    Printed(_17, 11, "Importer"),
    Printed(_17, 12, "First consignee"),
    Printed(_17, 13, "Description of products"),
    Printed(_17, 14, "Container number"),
    Printed(_17, 15, "Seal number"),
    Printed(_17, 16, "Total gross weight"),
    Printed(_17, 17, "Means of transport to the Union"),
    Printed(_17, 18, "Declaration of the issuing body"),
    Printed(_17, 19, "Customs warehousing or inward processing"),
    Printed(_17, 20, "Verification and endorsement by the Member State"),
    Printed(_17, 21, "Declaration of the first consignee"),
    # Delegated Regulation (EU) 2021/2306, annex
    Printed(_22,  1, "Issuing control authority or control body"),
    Printed(_22,  2, "Procedure"),
    Printed(_22,  3, "Certificate number"),
    Printed(_22,  4, "Producer or processor of the product"),
    Printed(_22,  5, "Exporter"),
    Printed(_22,  6, "Operator that buys or sells the product without storing or handling it"),
    Printed(_22,  7, "Control authority or control body of the producer"),
    Printed(_22,  8, "Country of origin"),
    Printed(_22,  9, "Country of export"),
    Printed(_22, 10, "Border control post or point of release for free circulation"),
    Printed(_22, 11, "Country of destination"),
    Printed(_22, 12, "Importer"),
    Printed(_22, 13, "Description of products"),
    Printed(_22, 14, "Container number"),
    Printed(_22, 15, "Seal number"),
    Printed(_22, 16, "Total gross weight"),
    Printed(_22, 17, "Means of transport"),
    Printed(_22, 18, "Declaration of the issuing control authority or control body"),
    Printed(_22, 19, "Operator responsible for the consignment"),
    Printed(_22, 20, "Prior notification"),
    Printed(_22, 21, "For transfer to",                          provisional=True),
    Printed(_22, 22, "Details of the control point",             provisional=True),
    Printed(_22, 23, "Special customs procedures"),
    Printed(_22, 24, "First consignee in the Union"),
    Printed(_22, 25, "Documentary checks",                       provisional=True),
    Printed(_22, 26, "Onward transfer to the control point",     provisional=True),
    Printed(_22, 27, "Control point reached",                    provisional=True),
    Printed(_22, 28, "Means of transport after the border post", provisional=True),
    Printed(_22, 29, "Identity and physical checks",             provisional=True),
    Printed(_22, 30, "Decision of the competent authority"),
    Printed(_22, 31, "Declaration of the first consignee"),
)
# fmt: on
"""The numbered boxes of both forms, with their titles."""

_PRINTED: Final[dict[tuple[Model, int | None], Printed]] = {(row.model, row.number): row for row in PRINTED}
BOX: Final = {row.field: row for row in BOXES}
"""Field -> its row; parts of lines and groups by their dotted name."""
ALONE: Final = frozenset(
    row.field
    for row in BOXES
    if "." in row.field and row.filled is Filled.BY_HAND and BOX[row.field.split(".")[0]].filled is Filled.SIGNED
)
"""The parts of signed boxes that are filled in afterwards: a change names them as they stand here."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, and where; the edge makes a sentence of code and parameters."""

    field: str
    """Where: a field, or one place in it (product_lines[0].lot)."""
    box: int | None
    """The number of its box on the certificate's own form."""
    title: str
    """The title of that box on that form."""
    code: str
    params: Mapping[str, object] = dataclasses.field(default_factory=dict)
    severity: str = "error"
    """An error refuses the action; a warning does not."""

    @property
    def is_error(self) -> bool:
        """Whether it refuses the action."""
        return self.severity == "error"


def problem(
    place: str, code: str, model: Model, params: Mapping[str, object] | None = None, severity: str = "error"
) -> Problem:
    """A problem at this place, with box number and title as printed on this form."""
    field = bare(place)
    box, root = BOX.get(field), BOX.get(field.split(".")[0])
    box = box if box and box.is_on(model) else root
    number, title = (box.number(model), box.title(model)) if box else (None, "")
    return Problem(place, number, title, code, params or {}, severity)


def bare_root(place: str) -> str:
    """The field of the content in which a place lies: product_lines[0].lot -> product_lines."""
    return bare(place).split(".")[0]


def bare(place: str) -> str:
    """The field of a place: product_lines[0].lot -> product_lines.lot."""
    return "".join(piece.split("]")[-1] for piece in place.split("["))
