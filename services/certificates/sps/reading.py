"""An SPS certificate read: every box it fills, or every fault it has; nothing in between.

One thing to remember: nothing is followed and nothing expanded. A file that declares entities is refused before its
elements are looked at.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from sqlmodel.ext.asyncio.session import AsyncSession

from services.certificates import lines
from services.certificates.files import Incoming
from services.certificates.sps.structure import RAM, RSM, faults, moment_text
from services.certificates.sps.writing import (
    FORM_MODEL,
    MOMENTS,
    NOMENCLATURE,
    NOTES,
    ORGANIC,
    PARTIES,
    TRANSPORT,
    TYPE,
    UNCOUNTED,
)
from shared.contracts.certificate_views import NewCertificate
from shared.rules import shape
from shared.rules.boxes import BOX, Kind, Model, Problem, problem
from shared.rules.documents import Media
from shared.rules.findings import KINDS
from shared.rules.refusals import Refused

LARGEST: Final = 1_000_000
FAULTS: Final = 200
"""Faults that are named at once."""
_ORGANISATIONS: Final = (Kind.ORGANISATION, Kind.ORGANISATIONS)


@dataclass(frozen=True)
class Named:
    """An organisation as a document names it: its id with us, a code, a name; each may be missing."""

    place: str
    said: tuple[str, ...]


@dataclass(frozen=True)
class Read:
    """What a document says of a certificate."""

    model: Model
    content: dict[str, Any]
    """All boxes but the organisations."""
    named: tuple[Named, ...]


async def draft_of(session: AsyncSession, body: bytes) -> NewCertificate:
    """The draft a document describes, its organisations found; refused with everything that is wrong."""
    read = understood(body)
    found = await lines.called(session, {each for one in read.named for each in one.said})
    content = dict(read.content)
    problems: list[Problem] = []
    for one in read.named:
        field = field_of(one.place)
        kind = KINDS[field]
        fits: set[str] = next((some for each in one.said if (some := found(each, kind))), set())
        if len(fits) != 1:
            code = "several_organisations" if fits else "organisation_not_found"
            problems.append(problem(one.place, code, read.model, {"name": one.said[-1][:100]}))
            continue
        _put(content, one.place, fits.pop())
    problems += shape.check_shape(content, read.model)
    _refuse(problems)
    return NewCertificate(form_model=read.model, content=content)


def understood(body: bytes) -> Read:
    """A document's boxes; refused when it is none, or not built as the standard says."""
    incoming = Incoming(LARGEST)
    try:
        incoming.take(body)
        kind = incoming.finish()
    except Refused as refusal:
        if refusal.code == "file_kind":
            raise Refused("sps_kind", field="file") from None
        raise
    if kind is not Media.XML:
        raise Refused("sps_kind", field="file")
    try:
        root = ElementTree.fromstring(body)
    except (ElementTree.ParseError, ValueError, LookupError):
        raise Refused("file_damaged", field="file") from None
    wrong = faults(root)[:FAULTS]
    _refuse([problem(path, code, Model.COI_2017, params) for path, code, params in wrong])
    document, consignment = root.find(f"{{{RSM}}}SPSExchangedDocument"), root.find(f"{{{RSM}}}SPSConsignment")
    assert document is not None
    assert consignment is not None
    if _text(document, "TypeCode") != TYPE:
        place = "SPSExchangedDocument/TypeCode"
        _refuse([problem(place, "sps_type", Model.COI_2017, {"code": _text(document, "TypeCode")[:20]})])
    return _read(document, consignment)


def _refuse(problems: Iterable[Problem]) -> None:
    found = list(problems)
    if found:
        raise Refused("sps_wrong", problems=found, number=len(found), field=found[0].field)


def _read(document: Element, consignment: Element) -> Read:
    notes = list(_notes(document, "IncludedSPSNote"))
    said = next((text for subject, _, text in notes if subject == FORM_MODEL), Model.COI_2017)
    if said not in set(Model):
        place = "SPSExchangedDocument/IncludedSPSNote"
        _refuse([problem(place, "sps_value", Model.COI_2017, {"element": FORM_MODEL})])
    content = {**_of_notes(notes), **_of_consignment(consignment), **_transport(document, consignment)}
    for field, name in MOMENTS.items():
        at = consignment.find(f"{{{RAM}}}{name}")
        content[field] = moment_text(at) if at is not None else None
    rows, origins, named = _lines(consignment)
    content |= {"product_lines": rows, "countries_of_origin": origins}
    for field, (place, name) in PARTIES.items():
        named += _named(document if place == "SPSExchangedDocument" else consignment, name, field)
    subjects = {subject: field for field, subject in NOTES.items() if BOX[field].kind in _ORGANISATIONS}
    counted: dict[str, int] = {}
    for subject, code, text in notes:
        field = subjects.get(subject, "")
        if field:
            number = counted.setdefault(field, 0)
            counted[field] += 1
            place = f"{field}[{number}]" if BOX[field].kind is Kind.ORGANISATIONS else field
            named.append(Named(place, tuple(each for each in (code, text) if each)))
    filled = {name: value for name, value in content.items() if value not in (None, "", [], {}, False)}
    return Read(Model(said), filled, tuple(each for each in named if each.said))


def _of_notes(notes: Iterable[tuple[str, str, str]]) -> dict[str, Any]:
    subjects = {subject: field for field, subject in NOTES.items() if BOX[field].kind not in _ORGANISATIONS}
    return {
        field: text == "true" if BOX[field].kind is Kind.YES_NO else text
        for subject, _, text in notes
        if (field := subjects.get(subject, ""))
    }


def _of_consignment(consignment: Element) -> dict[str, Any]:
    equipment = consignment.findall(f"{{{RAM}}}UtilizedSPSTransportEquipment")
    seals = [_text(seal, "ID") for one in equipment for seal in one.findall(f"{{{RAM}}}AffixedSPSSeal")]
    export = consignment.find(f"{{{RAM}}}ExportSPSCountry")
    found: dict[str, Any] = {
        "containers": [said for one in equipment if (said := _text(one, "ID"))],
        "seals": [each for each in seals if each],
        "country_of_export": _text(export, "ID") if export is not None else "",
    }
    for line in _all_lines(consignment):
        weight = line.find(f"{{{RAM}}}GrossWeightMeasure")
        if _number(line) == 0 and weight is not None and (weight.text or "").strip():
            found["gross_weight"] = {"value": (weight.text or "").strip(), "unit": weight.get("unitCode") or "KGM"}
    return found


def _transport(document: Element, consignment: Element) -> dict[str, Any]:
    movement = consignment.find(f"{{{RAM}}}MainCarriageSPSTransportMovement")
    said: dict[str, Any] = {}
    if movement is not None:
        means = movement.find(f"{{{RAM}}}UsedSPSTransportMeans")
        said["mode"] = _text(movement, "ModeCode")
        said["identification"] = (_text(means, "Name") if means is not None else "") or _text(movement, "ID")
    for reference in document.findall(f"{{{RAM}}}ReferenceSPSReferencedDocument"):
        if _text(reference, "RelationshipTypeCode") == TRANSPORT:
            said.setdefault("document", _text(reference, "ID"))
    return {"transport": {name: value for name, value in said.items() if value}}


def _lines(consignment: Element) -> tuple[list[dict[str, Any]], list[str], list[Named]]:
    rows: list[dict[str, Any]] = []
    named: list[Named] = []
    origins: dict[str, None] = {}
    for line in _all_lines(consignment):
        if _number(line) == 0:
            continue
        place = f"product_lines[{len(rows)}]"
        rows.append({"id": str(len(rows) + 1), **_line(line)})
        origins |= dict.fromkeys(_text(each, "ID") for each in line.findall(f"{{{RAM}}}OriginSPSCountry"))
        for process in line.findall(f"{{{RAM}}}AppliedSPSProcess")[:1]:
            named += _named(process, "OperatorSPSParty", f"{place}.producer")
        for proof in line.findall(f"{{{RAM}}}AssertedSPSAuthentication")[:1]:
            named += _named(proof, "ProviderSPSParty", f"{place}.producer_control_body")
    return rows, [each for each in origins if each], named


def _line(line: Element) -> dict[str, Any]:
    weight, volume = (line.find(f"{{{RAM}}}{name}") for name in ("NetWeightMeasure", "NetVolumeMeasure"))
    measure = weight if weight is not None else volume
    package = line.find(f"{{{RAM}}}PhysicalSPSPackage")
    classes = line.findall(f"{{{RAM}}}ApplicableSPSClassification")
    count = _text(package, "ItemQuantity").partition(".")[0] if package is not None else ""
    found = {
        "cn_code": next((_text(each, "ClassCode") for each in classes if _text(each, "SystemID") == NOMENCLATURE), ""),
        "trade_name": _text(line, "Description"),
        "lot": _text(line, "ProductionBatchID"),
        "net_weight": (measure.text or "").strip() if measure is not None else "",
        "unit": measure.get("unitCode") if measure is not None else "",
        "package_type": _text(package, "TypeCode") if package is not None else "",
        "packages": int(count) if count not in ("", UNCOUNTED) else None,
        "organic": next(
            (text for subject, _, text in _notes(line, "AdditionalInformationSPSNote") if subject == ORGANIC), ""
        ),
    }
    return {name: value for name, value in found.items() if value not in (None, "")}


def _all_lines(consignment: Element) -> Iterator[Element]:
    for item in consignment.findall(f"{{{RAM}}}IncludedSPSConsignmentItem"):
        yield from item.findall(f"{{{RAM}}}IncludedSPSTradeLineItem")


def _number(line: Element) -> float:
    return float(_text(line, "SequenceNumeric") or "1")


def _named(within: Element, name: str, place: str) -> list[Named]:
    party = within.find(f"{{{RAM}}}{name}")
    if party is None:
        return []
    said = (_text(party, "ID"), _text(party, "TypeCode"), _text(party, "Name"))
    return [Named(place, tuple(each for each in said if each))]


def _notes(within: Element, name: str) -> Iterator[tuple[str, str, str]]:
    for note in within.findall(f"{{{RAM}}}{name}"):
        yield _text(note, "Subject"), _text(note, "ContentCode"), _text(note, "Content")


def _text(within: Element, name: str) -> str:
    return (within.findtext(f"{{{RAM}}}{name}") or "").strip()


def field_of(place: str) -> str:
    """The field of a place: product_lines[0].producer -> product_lines.producer, responsible_for_load[1] -> its box."""
    root, _, rest = place.partition("[")
    return f"{root}.{rest.partition('].')[2]}" if "]." in rest else root


def _put(content: dict[str, Any], place: str, organisation: str) -> None:
    root, _, rest = place.partition("[")
    if "]." in rest:
        number, _, part = rest.partition("].")
        content[root][int(number)][part] = organisation
    elif rest:
        content[root] = [*content.get(root, ()), organisation]
    else:
        content[root] = organisation
