"""What a check finds in a certificate: one small function for each, a cell of the table in problems.py.

One thing to remember: a rule about two boxes finds nothing until both are filled. What a finding means for which action
is not said here.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from shared.rules.boxes import BOX, Kind, bare
from shared.rules.content import decimal, holders, lines, moment
from shared.rules.countries import NO_CERTIFICATE, UNION
from shared.rules.deadlines import completion_days
from shared.rules.parties import Facts, procedures
from shared.rules.roles import ActivityType, Competence, RoleType

Row = Mapping[str, Any]
Finding = tuple[str, dict[str, object]]
"""A place in the certificate, and the parameters of what is wrong there."""
Finder = Callable[[Row, Facts], Iterable[Finding]]

SEA: Final = "1"

# fmt: off
KILOGRAMS: Final = {
    "KGM": Decimal(1), "GRM": Decimal("0.001"), "TNE": Decimal(1000), "DTN": Decimal(100), "LBR": Decimal("0.45359237"),
}
UNITS: Final = frozenset(KILOGRAMS) | {"LTR", "HLT", "MLT", "MTQ", "H87"}      # UN/ECE Rec 20: weight, volume, pieces
BULK:  Final = frozenset({"VQ", "VG", "VL", "VY", "VR", "VS", "VO"})           # UN/ECE Rec 21: nothing to be counted
EORI:  Final = re.compile(r"[A-Z]{2}[A-Z0-9]{1,15}", re.ASCII)
BOXED: Final = re.compile(r"[A-Z]{3}[UJZ][0-9]{7}", re.ASCII)                  # a container number, ISO 6346

KINDS: Final = {
    "issuing_body":                        RoleType.CONTROL_BODY,
    "exporter":                            RoleType.OPERATOR,
    "trader_without_handling":             RoleType.OPERATOR,
    "importer":                            RoleType.OPERATOR,
    "first_consignee":                     RoleType.OPERATOR,
    "responsible_for_load":                RoleType.OPERATOR,
    "entry_authority":                     RoleType.AUTHORITY,
    "product_lines.producer":              RoleType.OPERATOR,
    "product_lines.producer_control_body": RoleType.CONTROL_BODY,
}
PRODUCES: Final = frozenset({ActivityType.ORG_PRODUCER, ActivityType.ORG_EXPORTER})
RECEIVES: Final = frozenset({ActivityType.ORG_OPERATOR, ActivityType.ORG_IMPORTER, ActivityType.ORG_PRODUCER})
PARTNERS: Final = {
    "exporter":        frozenset({ActivityType.ORG_EXPORTER}),
    "importer":        frozenset({ActivityType.ORG_IMPORTER}),
    "first_consignee": RECEIVES,
}
# fmt: on
"""Who has to be valid before box 18 is signed, and for which of his activities (guide 002 §3.1)."""


def neither_consignee_nor_batches(content: Row, facts: Facts) -> Iterator[Finding]:
    if not content.get("first_consignee") and not content.get("release_by_batches"):
        yield "first_consignee", {}


def consignee_and_batches(content: Row, facts: Facts) -> Iterator[Finding]:
    if content.get("first_consignee") and content.get("release_by_batches"):
        yield "release_by_batches", {}


def consignee_open(content: Row, facts: Facts) -> Iterator[Finding]:
    if not content.get("first_consignee"):
        yield "first_consignee", {}


def batches_not_ticked(content: Row, facts: Facts) -> Iterator[Finding]:
    if not content.get("release_by_batches"):
        yield "release_by_batches", {}


def unknown_organisations(content: Row, facts: Facts) -> Iterator[Finding]:
    for place, organisation in _organisations(content):
        if organisation not in facts.parties:
            yield place, {}
    operator = (facts.form or {}).get("operator")
    if operator and facts.party(operator) is None:
        yield "customs_procedure.operator", {}


def wrong_kinds(content: Row, facts: Facts) -> Iterator[Finding]:
    for place, organisation in _organisations(content):
        party = facts.party(organisation)
        if party and party.kind != KINDS[bare(place)]:
            yield place, {"name": party.name}


def partners_not_valid(content: Row, facts: Facts) -> Iterator[Finding]:
    for place in ("issuing_body", "entry_authority", *PARTNERS):
        party = facts.party(content.get(place))
        if party and not party.is_valid():
            yield place, {"name": party.name}


def partners_without_activity(content: Row, facts: Facts) -> Iterator[Finding]:
    for place, kinds in PARTNERS.items():
        party = facts.party(content.get(place))
        held = [each for each in party.activities if each.kind in kinds] if party else []
        ended = [each for each in held if each.has_ended(facts.now.date())]
        if party and not party.holding(kinds, facts.now.date()) and not ended:
            yield place, {"name": party.name}


def partners_activity_ended(content: Row, facts: Facts) -> Iterator[Finding]:
    for place, kinds in PARTNERS.items():
        party = facts.party(content.get(place))
        held = [each for each in party.activities if each.kind in kinds] if party else []
        ended = [each.valid_to for each in held if each.valid_to and each.has_ended(facts.now.date())]
        if party and ended and not party.holding(kinds, facts.now.date()):
            yield place, {"name": party.name, "until": max(ended).isoformat()}


def consignee_not_valid(content: Row, facts: Facts) -> Iterator[Finding]:
    party = facts.party(content.get("first_consignee"))
    if party and not (party.is_valid() and party.holding(RECEIVES, facts.now.date())):
        yield "first_consignee", {"name": party.name}


def others_not_valid(content: Row, facts: Facts) -> Iterator[Finding]:
    for place, organisation in _organisations(content):
        party = facts.party(organisation)
        if party and bare(place) not in PARTNERS and party.kind == RoleType.OPERATOR and not party.is_valid():
            yield place, {"name": party.name}


def body_not_of_exporter(content: Row, facts: Facts) -> Iterator[Finding]:
    exporter, body = facts.party(content.get("exporter")), content.get("issuing_body")
    activities = [each for each in exporter.activities if each.kind == ActivityType.ORG_EXPORTER] if exporter else []
    if exporter and body and activities and body not in {each.control_body for each in activities}:
        yield "issuing_body", {"name": exporter.name}


def body_not_recognised_there(content: Row, facts: Facts) -> Iterator[Finding]:
    body, country = facts.party(content.get("issuing_body")), content.get("country_of_export")
    if body and country and not any(each.country == country for each in body.recognitions):
        yield "issuing_body", {"name": body.name, "country": country}


def body_not_recognised_for(content: Row, facts: Facts) -> Iterator[Finding]:
    body, country = facts.party(content.get("issuing_body")), content.get("country_of_export")
    if body and country and any(each.country == country for each in body.recognitions):
        for number, line in enumerate(lines(content)):
            category = line.get("category")
            if category and not procedures(body, country, (category,), facts.now.date()):
                yield f"product_lines[{number}].cn_code", {"name": body.name, "country": country, "category": category}


def several_procedures(content: Row, facts: Facts) -> Iterator[Finding]:
    body, country = facts.party(content.get("issuing_body")), content.get("country_of_export")
    categories = sorted({line["category"] for line in lines(content) if line.get("category")})
    if body and country and categories and not any(body_not_recognised_for(content, facts)):
        known = any(each.country == country for each in body.recognitions)
        if known and not procedures(body, country, categories, facts.now.date()):
            yield "procedure", {"categories": ", ".join(categories)}


def no_certificate_needed(content: Row, facts: Facts) -> Iterator[Finding]:
    for country in content.get("countries_of_origin") or ():
        if country in NO_CERTIFICATE:
            yield "countries_of_origin", {"country": country}
    if (country := content.get("country_of_export")) in NO_CERTIFICATE:
        yield "country_of_export", {"country": country}


def exporter_not_abroad(content: Row, facts: Facts) -> Iterator[Finding]:
    party = facts.party(content.get("exporter"))
    if party and party.country in NO_CERTIFICATE:
        yield "exporter", {"name": party.name, "country": party.country}


def outside_union(content: Row, facts: Facts) -> Iterator[Finding]:
    for place in ("importer", "first_consignee"):
        party = facts.party(content.get(place))
        if party and party.country not in UNION:
            yield place, {"name": party.name, "country": party.country}


def clearance_outside_union(content: Row, facts: Facts) -> Iterator[Finding]:
    if (country := content.get("clearance_country")) and country not in UNION:
        yield "clearance_country", {"country": country}


def authority_elsewhere(content: Row, facts: Facts) -> Iterator[Finding]:
    authority, country = facts.party(content.get("entry_authority")), content.get("clearance_country")
    if authority and country and authority.country != country:
        yield "entry_authority", {"name": authority.name, "country": country}


def authority_not_competent(content: Row, facts: Facts) -> Iterator[Finding]:
    authority = facts.party(content.get("entry_authority"))
    if authority and authority.kind == RoleType.AUTHORITY and Competence.ORGANIC not in authority.competences:
        yield "entry_authority", {"name": authority.name}


def eori_missing(content: Row, facts: Facts) -> Iterator[Finding]:
    importer = facts.party(content.get("importer"))
    if importer and not importer.eori:
        yield "importer", {"name": importer.name}


def eori_malformed(content: Row, facts: Facts) -> Iterator[Finding]:
    importer = facts.party(content.get("importer"))
    if importer and importer.eori and not (EORI.fullmatch(importer.eori) and importer.eori[:2] in UNION):
        yield "importer", {"name": importer.name, "eori": importer.eori}


def unknown_commodities(content: Row, facts: Facts) -> Iterator[Finding]:
    for number, line in enumerate(lines(content)):
        if line.get("cn_code") and line["cn_code"] not in facts.commodities:
            yield f"product_lines[{number}].cn_code", {"cn_code": line["cn_code"]}


def weights_not_positive(content: Row, facts: Facts) -> Iterator[Finding]:
    for place, value, _ in _weights(content):
        if (number := decimal(value)) is not None and number <= 0:
            yield place, {}


def weights_too_fine(content: Row, facts: Facts) -> Iterator[Finding]:
    for place, value, _ in _weights(content):
        if (number := decimal(value)) is not None and number != round(number, 3):
            yield place, {"decimals": 3}


def unknown_units(content: Row, facts: Facts) -> Iterator[Finding]:
    for place, _, unit in _weights(content):
        known = KILOGRAMS if place == "gross_weight" else UNITS
        if unit and unit not in known:
            yield _beside(place, "unit"), {"unit": unit, "units": ", ".join(sorted(known))}


def gross_weight_without_unit(content: Row, facts: Facts) -> Iterator[Finding]:
    gross = content.get("gross_weight") or {}
    if gross and not (gross.get("value") and gross.get("unit")):
        yield "gross_weight", {}


def packages_not_positive(content: Row, facts: Facts) -> Iterator[Finding]:
    for number, line in enumerate(lines(content)):
        if line.get("packages") is not None and line["packages"] < 1:
            yield f"product_lines[{number}].packages", {}


def packages_of_bulk(content: Row, facts: Facts) -> Iterator[Finding]:
    for number, line in enumerate(lines(content)):
        if line.get("packages") is not None and line.get("package_type") in BULK:
            yield f"product_lines[{number}].packages", {"package_type": line["package_type"]}


def net_over_gross(content: Row, facts: Facts) -> Iterator[Finding]:
    gross = content.get("gross_weight") or {}
    weight, unit = decimal(gross.get("value")), gross.get("unit")
    parts = [
        (decimal(line.get("net_weight")), KILOGRAMS[line["unit"]])
        for line in lines(content)
        if line.get("unit") in KILOGRAMS
    ]
    net = sum((value * factor for value, factor in parts if value is not None), Decimal(0))
    if weight is not None and unit in KILOGRAMS and net > weight * KILOGRAMS[unit]:
        yield "gross_weight", {"net": f"{net.normalize():f}", "gross": f"{(weight * KILOGRAMS[unit]).normalize():f}"}


def nothing_to_hold_goods_at_sea(content: Row, facts: Facts) -> Iterator[Finding]:
    by_sea = (content.get("transport") or {}).get("mode") == SEA and not content.get("bulk_no_container")
    for place in ("containers", "seals"):
        if by_sea and not content.get(place):
            yield place, {}


def container_numbers_odd(content: Row, facts: Facts) -> Iterator[Finding]:
    for number, container in enumerate(content.get("containers") or ()):
        if not has_check_digit(container):
            yield f"containers[{number}]", {"container": container}


def several_origins_of_one_lot(content: Row, facts: Facts) -> Iterator[Finding]:
    origins = content.get("countries_of_origin") or ()
    sources = {(line.get("lot"), line.get("producer")) for line in lines(content)}
    if len(origins) > 1 and len(sources) == 1 and all(next(iter(sources))):
        yield "countries_of_origin", {}


def producers_of_other_body(content: Row, facts: Facts) -> Iterator[Finding]:
    for number, line in enumerate(lines(content)):
        producer, body = facts.party(line.get("producer")), line.get("producer_control_body")
        bodies = {each.control_body for each in producer.activities if each.kind in PRODUCES} if producer else set()
        if producer and body and body not in bodies:
            yield f"product_lines[{number}].producer_control_body", {"name": producer.name}


def goods_have_left(content: Row, facts: Facts) -> Iterator[Finding]:
    departure = None if facts.replaces else moment(content, "departure_at")
    if departure and departure.date() < facts.now.astimezone(departure.tzinfo).date() and not _declared(facts):
        yield "departure_at", {"departure": departure.date().isoformat()}


def departure_unknown(content: Row, facts: Facts) -> Iterator[Finding]:
    if not moment(content, "departure_at") and not _declared(facts):
        yield "departure_at", {}


def arrival_before_departure(content: Row, facts: Facts) -> Iterator[Finding]:
    departure, arrival = moment(content, "departure_at"), moment(content, "arrival_at")
    if departure and arrival and arrival < departure:
        yield "arrival_at", {}


def documents_to_enclose(content: Row, facts: Facts) -> Iterator[Finding]:
    for what in facts.to_enclose:
        yield "documents", {"label": what, "days": completion_days()}


def papers_not_acceptable(content: Row, facts: Facts) -> Iterator[Finding]:
    if (facts.form or {}).get("documentary") in ("not_acceptable", "not_done"):
        yield "issuing_declaration.documentary", {}


def papers_not_checked(content: Row, facts: Facts) -> Iterator[Finding]:
    if (facts.form or {}).get("documentary") == "not_done":
        yield "entry_checks.documentary", {}


def checks_not_acceptable(content: Row, facts: Facts) -> Iterator[Finding]:
    for name in ("documentary", "identity", "physical", "laboratory"):
        if (facts.form or {}).get(name) == "not_acceptable":
            yield f"entry_checks.{name}", {}


def laboratory_pending(content: Row, facts: Facts) -> Iterator[Finding]:
    said, noted = (facts.form or {}).get("laboratory"), (content.get("entry_checks") or {}).get("laboratory")
    if said == "pending" or (noted == "pending" and said not in ("acceptable", "not_acceptable")):
        yield "entry_checks.laboratory", {}


def customs_procedure_incomplete(content: Row, facts: Facts) -> Iterator[Finding]:
    procedure = content.get("customs_procedure") or {}
    if procedure and not all(procedure.get(name) for name in ("type", "operator", "reference")):
        yield "customs_procedure", {}


def no_customs_procedure(content: Row, facts: Facts) -> Iterator[Finding]:
    procedure = content.get("customs_procedure") or {}
    if procedure.get("reference") and not procedure.get("type"):
        yield "customs_procedure.reference", {}


def not_verified_again(content: Row, facts: Facts) -> Iterator[Finding]:
    if content.get("customs_procedure") and (facts.form or {}).get("verified_again") is not True:
        yield "entry_checks.verified_again", {}


def replacement_pending(content: Row, facts: Facts) -> Iterator[Finding]:
    if facts.replacement_pending:
        yield "number", {}


def nothing_to_accept(content: Row, facts: Facts) -> Iterator[Finding]:
    if not facts.replacement_pending or facts.replacement_accepted:
        yield "number", {}


def replacement_lapsed(content: Row, facts: Facts) -> Iterator[Finding]:
    if facts.replacement_lapsed:
        yield "number", {}


def replacement_not_accepted(content: Row, facts: Facts) -> Iterator[Finding]:
    if facts.acceptance_awaited:
        yield "number", {}


def notice_answered(content: Row, facts: Facts) -> Iterator[Finding]:
    if facts.answered:
        yield "number", {}


def quantity_left(content: Row, facts: Facts) -> Iterator[Finding]:
    if facts.quantity_left:
        yield "product_lines", {}


def extracts_open(content: Row, facts: Facts) -> Iterator[Finding]:
    if facts.extracts_open:
        yield "number", {}


def nothing_said_of_damage(content: Row, facts: Facts) -> Iterator[Finding]:
    form = facts.form or {}
    if form.get("in_order") is False and not str(form.get("remarks") or "").strip():
        yield "first_consignee_declaration.remarks", {}


def has_check_digit(container: str) -> bool:
    """Whether this is a container number whose last digit fits the rest (ISO 6346)."""
    if not BOXED.fullmatch(container):
        return False
    total: int = sum(_LETTERS.index(sign) * (1 << place) for place, sign in enumerate(container[:10]))
    return total % 11 % 10 == int(container[10:])


_LETTERS: Final = "0123456789A?BCDEFGHIJK?LMNOPQRSTU?VWXYZ"
"""Digits and letters at their values of ISO 6346, which leaves out the multiples of eleven."""


def _organisations(content: Row) -> Iterator[tuple[str, str]]:
    """Every organisation somebody typed, with its place."""
    for field in KINDS:
        for place, holder in holders(field, content):
            value = holder.get(field.split(".")[-1])
            several = BOX[field].kind is Kind.ORGANISATIONS
            for number, each in enumerate(value or () if several else [value] if value else ()):
                yield (f"{place}[{number}]" if several else place), each


def _weights(content: Row) -> Iterator[tuple[str, object, object]]:
    """Every weight: place, value and unit."""
    for number, line in enumerate(lines(content)):
        yield f"product_lines[{number}].net_weight", line.get("net_weight"), line.get("unit")
    gross = content.get("gross_weight") or {}
    yield "gross_weight", gross.get("value"), gross.get("unit")


def _beside(place: str, part: str) -> str:
    return f"{place.rpartition('.')[0]}.{part}" if "." in place else place


def _declared(facts: Facts) -> bool:
    """Whether whoever signs declares that the goods have not left."""
    return (facts.form or {}).get("goods_have_not_left") is True
