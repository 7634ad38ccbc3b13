"""A certificate written as an SPS certificate: same revision, same bytes.

One thing to remember: everything is written from the view of its reader, so nobody gets more than his page shows.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from itertools import zip_longest
from typing import Any, Final
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from services.certificates.sps.structure import RAM, ROOT, RSM, UDT, parts
from shared.contracts.certificate_views import CertificateView, PartyView
from shared.reference import commodities
from shared.reference.countries import countries
from shared.rules import content as contents
from shared.rules.status import Status

TYPE: Final = "856"
"""Inspection certificate (UN/EDIFACT 1001)."""
NAME: Final = "Certificate of inspection for import of organic products"
TRANSPORT: Final = "AAS"
"""Transport document number (UN/EDIFACT 1153)."""
NOMENCLATURE: Final = "CN"
VOLUMES: Final = frozenset({"LTR", "HLT", "MLT", "MTQ"})
OUTER: Final = "4"
"""The level of a package: the outermost."""
OWN: Final = "ZZZ"
"""A code of which two parties have agreed what it means: ours is written out beside it."""
UNCOUNTED: Final = "0"
"""The number of packages where goods travel in bulk: the standard wants one."""

# fmt: off
STATUS_CODES: Final = {
    Status.DRAFT:                  "47",
    Status.DESCRIPTION_COMPLETED:  "42",
    Status.ISSUED:                 "70",
    Status.CONSIGNMENT_VERIFIED:   "70",
    Status.FIRST_CONSIGNEE_SIGNED: "70",
    Status.BASE_FOR_EXTRACT:       "70",
    Status.OFIS_IRREGULARITY:      "70",
    Status.DEPLETED:               "70",
    Status.RELEASED_CONVENTIONAL:  "41",
    Status.NOT_RELEASED:           "41",
    Status.DELETED:                "55",
    Status.REPLACED:               "44",
}
"""UN/ECE status codes; the certificate's own status stands in a note besides."""
NOTES: Final = {
    "national_reference":      "NATIONAL_REFERENCE",
    "clearance_country":       "CLEARANCE_COUNTRY",
    "release_by_batches":      "RELEASE_BY_BATCHES",
    "bulk_no_container":       "BULK_NO_CONTAINER",
    "trader_without_handling": "TRADER_WITHOUT_HANDLING",
    "transfer_to":             "TRANSFER_TO",
    "control_point":           "CONTROL_POINT",
    "responsible_for_load":    "RESPONSIBLE_FOR_LOAD",
}
"""Fields that the standard has no element for, as subjects of notes; of an organisation the id stands in its code."""
FORM_MODEL: Final = "FORM_MODEL"
ORGANIC: Final = "ORGANIC"
PARTIES: Final = {
    "issuing_body":    ("SPSExchangedDocument", "IssuerSPSParty"),
    "entry_authority": ("SPSExchangedDocument", "RecipientSPSParty"),
    "exporter":        ("SPSConsignment",       "ConsignorSPSParty"),
    "importer":        ("SPSConsignment",       "ConsigneeSPSParty"),
    "first_consignee": ("SPSConsignment",       "DeliverySPSParty"),
}
"""Organisations that the standard has an element for."""
MOMENTS: Final = {"departure_at": "ExportExitDateTime", "arrival_at": "AvailabilityDueDateTime"}
# fmt: on
for _prefix, _space in (("rsm", RSM), ("ram", RAM), ("udt", UDT)):
    ElementTree.register_namespace(_prefix, _space)


def written(view: CertificateView) -> bytes:
    """The certificate as XML."""
    root = Element(f"{{{RSM}}}{ROOT}")
    document = SubElement(root, f"{{{RSM}}}SPSExchangedDocument")
    consignment = SubElement(root, f"{{{RSM}}}SPSConsignment")
    _document(document, view)
    _consignment(consignment, view)
    _sort(document, "Document")
    _sort(consignment, "Consignment")
    ElementTree.indent(root)
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text


def _document(document: Element, view: CertificateView) -> None:
    issued = next((each.at for each in view.signatures if each.box == "18"), None)
    _say(document, "Name", NAME, languageID="en")
    _say(document, "ID", view.number or view.id)
    _say(document, "TypeCode", TYPE)
    _say(document, "StatusCode", STATUS_CODES[view.status])
    _moment(document, "IssueDateTime", issued or view.updated_at)
    _say(document, "Description", f"{view.form_model} {view.status} {view.revision}")
    for field, (place, name) in PARTIES.items():
        if place == "SPSExchangedDocument":
            _party(document, name, view, view.content.get(field), needed=field == "issuing_body")
    _note(document, "IncludedSPSNote", FORM_MODEL, view.form_model)
    _note(document, "IncludedSPSNote", "STATUS", view.status)
    _note(document, "IncludedSPSNote", "REVISION", str(view.revision))
    if procedure := view.content.get("procedure"):
        _note(document, "IncludedSPSNote", "PROCEDURE", str(procedure))
    for field, subject in NOTES.items():
        value = view.content.get(field)
        for each in value if isinstance(value, list) else [value]:
            if each:
                party = view.parties.get(str(each))
                code = party.id if party else ""
                said = party.name if party else "true" if each is True else str(each)
                _note(document, "IncludedSPSNote", subject, said, code)
    transport = view.content.get("transport") or {}
    if transport.get("document"):
        _reference(document, TRANSPORT, str(transport["document"]))
    for each in view.documents:
        _reference(document, OWN, str(each.get("number") or each.get("id")), str(each.get("type") or ""))
    for signature in view.signatures:
        proof = SubElement(document, f"{{{RAM}}}SignatorySPSAuthentication")
        _moment(proof, "ActualDateTime", signature.at)
        provider = _party(proof, "ProviderSPSParty", view, signature.organisation.id, signature.organisation)
        if provider is not None:
            _say(SubElement(provider, f"{{{RAM}}}SpecifiedSPSPerson"), "Name", signature.person)
        clause = SubElement(proof, f"{{{RAM}}}IncludedSPSClause")
        _say(clause, "ID", signature.box)
        _say(clause, "Content", f"{signature.action} {signature.revision} {signature.fingerprint}")
    if not view.signatures:  # the standard wants one; nobody is named who has not signed
        proof = SubElement(document, f"{{{RAM}}}SignatorySPSAuthentication")
        _moment(proof, "ActualDateTime", view.updated_at)
        _say(SubElement(proof, f"{{{RAM}}}ProviderSPSParty"), "Name", "")
        _say(SubElement(proof, f"{{{RAM}}}IncludedSPSClause"), "Content", "not signed")


def _consignment(consignment: Element, view: CertificateView) -> None:
    content = view.content
    for field, (place, name) in PARTIES.items():
        if place == "SPSConsignment":
            _party(consignment, name, view, content.get(field), needed=field != "first_consignee")
    for field, name in MOMENTS.items():
        if at := contents.moment(content, field):
            _moment(consignment, name, at)
    _country(consignment, "ExportSPSCountry", content.get("country_of_export"))
    _country(consignment, "ImportSPSCountry", content.get("country_of_destination") or content.get("clearance_country"))
    examined = SubElement(consignment, f"{{{RAM}}}ExaminationSPSEvent")
    post = view.parties.get(content.get("entry_authority") or "")
    _say(SubElement(examined, f"{{{RAM}}}OccurrenceSPSLocation"), "Name", post.name if post else "")
    transport = content.get("transport") or {}
    if transport.get("mode") or transport.get("identification"):
        movement = SubElement(consignment, f"{{{RAM}}}MainCarriageSPSTransportMovement")
        _say(movement, "ModeCode", str(transport.get("mode") or ""))
        if transport.get("identification"):
            means = SubElement(movement, f"{{{RAM}}}UsedSPSTransportMeans")
            _say(means, "Name", str(transport["identification"]))
    _equipment(consignment, content.get("containers") or (), content.get("seals") or ())
    item = SubElement(consignment, f"{{{RAM}}}IncludedSPSConsignmentItem")
    total = _line(item, 0, "Consignment totals")
    gross = content.get("gross_weight") or {}
    if gross.get("value"):
        _say(total, "GrossWeightMeasure", str(gross["value"]), unitCode=str(gross.get("unit") or ""))
    for number, row in enumerate(contents.lines(content), 1):
        _goods(item, number, row, content.get("countries_of_origin") or (), view)


def _equipment(consignment: Element, containers: Iterable[str], seals: Iterable[str]) -> None:
    for container, seal in zip_longest(containers, seals, fillvalue=""):
        one = SubElement(consignment, f"{{{RAM}}}UtilizedSPSTransportEquipment")
        _say(one, "ID", container)
        if seal:
            _say(SubElement(one, f"{{{RAM}}}AffixedSPSSeal"), "ID", seal)


def _line(item: Element, number: int, description: str) -> Element:
    line = SubElement(item, f"{{{RAM}}}IncludedSPSTradeLineItem")
    _say(line, "SequenceNumeric", str(number))
    _say(line, "Description", description)
    return line


def _goods(item: Element, number: int, row: Mapping[str, Any], origins: Iterable[str], view: CertificateView) -> None:
    line = _line(item, number, str(row.get("trade_name") or ""))
    if row.get("lot"):
        _say(line, "ProductionBatchID", str(row["lot"]))
    if row.get("net_weight"):
        unit = str(row.get("unit") or "")
        measure = "NetVolumeMeasure" if unit in VOLUMES else "NetWeightMeasure"
        _say(line, measure, str(row["net_weight"]), unitCode=unit)
    if row.get("organic"):
        _note(line, "AdditionalInformationSPSNote", ORGANIC, str(row["organic"]))
    if row.get("category"):
        _note(line, "AdditionalInformationSPSNote", "CATEGORY", str(row["category"]))
    if row.get("cn_code"):
        kind = SubElement(line, f"{{{RAM}}}ApplicableSPSClassification")
        _say(kind, "SystemID", NOMENCLATURE)
        _say(kind, "SystemName", "Combined Nomenclature", languageID="en")
        _say(kind, "ClassCode", str(row["cn_code"]))
        _say(kind, "ClassName", commodities.label(str(row["cn_code"]), _nomenclature(), "en"), languageID="en")
    if row.get("package_type") or row.get("packages"):
        package = SubElement(line, f"{{{RAM}}}PhysicalSPSPackage")
        _say(package, "LevelCode", OUTER)
        _say(package, "TypeCode", str(row.get("package_type") or ""))
        _say(package, "ItemQuantity", str(row.get("packages") or UNCOUNTED))
    for origin in origins:
        _country(line, "OriginSPSCountry", origin)
    if row.get("producer"):
        process = SubElement(line, f"{{{RAM}}}AppliedSPSProcess")
        _say(process, "TypeCode", OWN)
        _party(process, "OperatorSPSParty", view, row["producer"])
    if row.get("producer_control_body"):
        proof = SubElement(line, f"{{{RAM}}}AssertedSPSAuthentication")
        _moment(proof, "ActualDateTime", view.updated_at)
        _party(proof, "ProviderSPSParty", view, row["producer_control_body"])
        _say(SubElement(proof, f"{{{RAM}}}IncludedSPSClause"), "Content", "controls the producer")
    _sort(line, "Line")


def _party(
    within: Element,
    name: str,
    view: CertificateView,
    organisation: str | None,
    known: PartyView | None = None,
    *,
    needed: bool = False,
) -> Element | None:
    if not organisation and not needed:
        return None
    party = known or view.parties.get(organisation or "")
    element = SubElement(within, f"{{{RAM}}}{name}")
    if organisation:
        _say(element, "ID", organisation)
    _say(element, "Name", party.name if party else "")
    if party and party.code:
        _say(element, "TypeCode", party.code)
    if party:
        address = SubElement(element, f"{{{RAM}}}SpecifiedSPSAddress")
        if party.address:
            _say(address, "LineOne", party.address)
        _say(address, "CountryID", party.country)
    return element


def _country(within: Element, name: str, code: str | None) -> None:
    country = SubElement(within, f"{{{RAM}}}{name}")
    _say(country, "ID", code or "")
    known = countries().get(code or "")
    _say(country, "Name", known.name("en") if known else "", languageID="en" if known else "")


@cache
def _nomenclature() -> Mapping[str, commodities.Row]:
    return {row.code: row for row in commodities.rows()}


def _note(within: Element, name: str, subject: str, said: str, code: str = "") -> None:
    note = SubElement(within, f"{{{RAM}}}{name}")
    _say(note, "Subject", subject)
    if code:
        _say(note, "ContentCode", code)
    _say(note, "Content", said)


def _reference(within: Element, relation: str, number: str, kind: str = "") -> None:
    reference = SubElement(within, f"{{{RAM}}}ReferenceSPSReferencedDocument")
    if kind:
        _say(reference, "TypeCode", kind)
    _say(reference, "RelationshipTypeCode", relation)
    _say(reference, "ID", number)


def _moment(within: Element, name: str, at: datetime) -> None:
    inner = SubElement(SubElement(within, f"{{{RAM}}}{name}"), f"{{{UDT}}}DateTimeString")
    inner.text = at.isoformat()


def _say(within: Element, name: str, said: str, **attributes: str) -> None:
    SubElement(within, f"{{{RAM}}}{name}", {key: value for key, value in attributes.items() if value}).text = said


def _sort(element: Element, kind: str) -> None:
    """Put what was written into the order of the sequence."""
    places = {f"{{{RAM}}}{name}": number for number, name in enumerate(parts(kind))}
    element[:] = sorted(element, key=lambda child: places[child.tag])
