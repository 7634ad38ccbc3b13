"""The structure of an SPS certificate as one table: what each element may hold, how often, and of what kind.

One thing to remember: the elements of a sequence are written in the order of the rows. Reading does not insist on it,
because certificates in use differ in it; it insists on names, numbers and kinds.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Final
from xml.etree.ElementTree import Element

RSM: Final = "urn:un:unece:uncefact:data:standard:SPSCertificate:17"
RAM: Final = "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:21"
UDT: Final = "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:21"
ROOT: Final = "SPSCertificate"
MANY: Final = 10_000
LONGEST: Final = 4000
"""Signs of a text."""

Fault = tuple[str, str, dict[str, object]]
"""What is wrong: the element's path, the code, its parameters."""


@dataclass(frozen=True)
class Part:
    """One element within another."""

    of: str
    name: str
    holds: str
    """Another element's kind (a row's ``of``), or one of SIMPLE."""
    least: int
    most: int


# fmt: off
PARTS: Final = (
    #    within            element                              holds              least  most
    Part("Certificate",   "SPSExchangedDocument",              "Document",         1, 1),
    Part("Certificate",   "SPSConsignment",                    "Consignment",      1, 1),
    Part("Document",      "Name",                              "text",             1, MANY),
    Part("Document",      "ID",                                "text",             1, 1),
    Part("Document",      "Description",                       "text",             0, MANY),
    Part("Document",      "TypeCode",                          "text",             1, 1),
    Part("Document",      "StatusCode",                        "text",             1, 1),
    Part("Document",      "IssueDateTime",                     "moment",           1, 1),
    Part("Document",      "CopyIndicator",                     "indicator",        0, 1),
    Part("Document",      "IssuerSPSParty",                    "Party",            1, 1),
    Part("Document",      "RecipientSPSParty",                 "Party",            0, MANY),
    Part("Document",      "IncludedSPSNote",                   "Note",             0, MANY),
    Part("Document",      "ReferenceSPSReferencedDocument",    "Reference",        0, MANY),
    Part("Document",      "SignatorySPSAuthentication",        "Authentication",   0, MANY),
    Part("Consignment",   "ID",                                "text",             0, 1),
    Part("Consignment",   "AvailabilityDueDateTime",           "moment",           0, 1),
    Part("Consignment",   "ExportExitDateTime",                "moment",           0, 1),
    Part("Consignment",   "ConsignorSPSParty",                 "Party",            1, 1),
    Part("Consignment",   "ConsigneeSPSParty",                 "Party",            1, 1),
    Part("Consignment",   "ExportSPSCountry",                  "Country",          1, 1),
    Part("Consignment",   "ReExportSPSCountry",                "Country",          0, MANY),
    Part("Consignment",   "StorageSPSEvent",                   "Event",            0, MANY),
    Part("Consignment",   "LoadingBaseportSPSLocation",        "Location",         0, 1),
    Part("Consignment",   "ImportSPSCountry",                  "Country",          1, 1),
    Part("Consignment",   "ConsigneeReceiptSPSLocation",       "Location",         0, 1),
    Part("Consignment",   "TransitSPSCountry",                 "Country",          0, MANY),
    Part("Consignment",   "TransitSPSLocation",                "Location",         0, MANY),
    Part("Consignment",   "UnloadingBaseportSPSLocation",      "Location",         0, 1),
    Part("Consignment",   "ExaminationSPSEvent",               "Event",            0, 1),
    Part("Consignment",   "CarrierSPSParty",                   "Party",            0, 1),
    Part("Consignment",   "DespatchSPSParty",                  "Party",            0, 1),
    Part("Consignment",   "DeliverySPSParty",                  "Party",            0, 1),
    Part("Consignment",   "CustomsTransitAgentSPSParty",       "Party",            0, 1),
    Part("Consignment",   "MainCarriageSPSTransportMovement",  "Movement",         0, MANY),
    Part("Consignment",   "UtilizedSPSTransportEquipment",     "Equipment",        0, MANY),
    Part("Consignment",   "IncludedSPSConsignmentItem",        "Item",             1, MANY),
    Part("Item",          "NatureIdentificationSPSCargo",      "Cargo",            0, MANY),
    Part("Item",          "IncludedSPSTradeLineItem",          "Line",             1, MANY),
    Part("Line",          "SequenceNumeric",                   "number",           1, 1),
    Part("Line",          "Description",                       "text",             0, MANY),
    Part("Line",          "CommonName",                        "text",             0, MANY),
    Part("Line",          "ScientificName",                    "text",             0, MANY),
    Part("Line",          "ProductionBatchID",                 "text",             0, MANY),
    Part("Line",          "IntendedUse",                       "text",             0, MANY),
    Part("Line",          "ExpiryDateTime",                    "moment",           0, MANY),
    Part("Line",          "NetWeightMeasure",                  "measure",          0, 1),
    Part("Line",          "GrossWeightMeasure",                "measure",          0, 1),
    Part("Line",          "NetVolumeMeasure",                  "measure",          0, 1),
    Part("Line",          "GrossVolumeMeasure",                "measure",          0, 1),
    Part("Line",          "AdditionalInformationSPSNote",      "Note",             0, MANY),
    Part("Line",          "ApplicableSPSClassification",       "Classification",   0, MANY),
    Part("Line",          "PhysicalSPSPackage",                "Package",          0, MANY),
    Part("Line",          "AssociatedSPSTransportEquipment",   "Equipment",        0, MANY),
    Part("Line",          "OriginSPSCountry",                  "Country",          0, MANY),
    Part("Line",          "OriginSPSLocation",                 "Location",         0, MANY),
    Part("Line",          "AppliedSPSProcess",                 "Process",          0, MANY),
    Part("Line",          "AssertedSPSAuthentication",         "Authentication",   0, MANY),
    Part("Line",          "ReferenceSPSReferencedDocument",    "Reference",        0, MANY),
    Part("Party",         "ID",                                "text",             0, 1),
    Part("Party",         "Name",                              "text",             1, 1),
    Part("Party",         "RoleCode",                          "text",             0, 1),
    Part("Party",         "TypeCode",                          "text",             0, MANY),
    Part("Party",         "SpecifiedSPSAddress",               "Address",          0, 1),
    Part("Party",         "DefinedSPSContact",                 "anything",         0, MANY),
    Part("Party",         "SpecifiedSPSPerson",                "Person",           0, 1),
    Part("Person",        "Name",                              "text",             1, 1),
    Part("Person",        "Qualification",                     "anything",         0, MANY),
    Part("Person",        "AttainedSPSQualification",          "anything",         0, MANY),
    Part("Address",       "PostcodeCode",                      "text",             0, 1),
    Part("Address",       "LineOne",                           "text",             0, 1),
    Part("Address",       "LineTwo",                           "text",             0, 1),
    Part("Address",       "LineThree",                         "text",             0, 1),
    Part("Address",       "LineFour",                          "text",             0, 1),
    Part("Address",       "LineFive",                          "text",             0, 1),
    Part("Address",       "CityName",                          "text",             0, 1),
    Part("Address",       "CountryID",                         "text",             0, 1),
    Part("Address",       "TypeCode",                          "text",             0, 1),
    Part("Address",       "CountryName",                       "text",             0, 1),
    Part("Address",       "CountrySubDivisionID",              "text",             0, 1),
    Part("Address",       "CountrySubDivisionName",            "text",             0, 1),
    Part("Address",       "CityID",                            "text",             0, 1),
    Part("Note",          "Subject",                           "text",             0, 1),
    Part("Note",          "ContentCode",                       "text",             0, MANY),
    Part("Note",          "Content",                           "text",             1, MANY),
    Part("Note",          "SubjectCode",                       "text",             0, 1),
    Part("Reference",     "IssueDateTime",                     "moment",           0, 1),
    Part("Reference",     "TypeCode",                          "text",             0, 1),
    Part("Reference",     "RelationshipTypeCode",              "text",             1, 1),
    Part("Reference",     "ID",                                "text",             1, 1),
    Part("Reference",     "AttachmentBinaryObject",            "anything",         0, MANY),
    Part("Reference",     "Information",                       "text",             0, 1),
    Part("Authentication", "TypeCode",                         "text",             0, 1),
    Part("Authentication", "ActualDateTime",                   "moment",           0, 1),
    Part("Authentication", "IssueSPSLocation",                 "Location",         0, 1),
    Part("Authentication", "ProviderSPSParty",                 "Party",            0, 1),
    Part("Authentication", "LocationProviderSPSParty",         "Party",            0, 1),
    Part("Authentication", "IncludedSPSClause",                "Clause",           0, MANY),
    Part("Clause",        "ID",                                "text",             1, 1),
    Part("Clause",        "Content",                           "text",             1, MANY),
    Part("Country",       "ID",                                "text",             1, 1),
    Part("Country",       "Name",                              "text",             0, MANY),
    Part("Country",       "SubordinateSPSCountrySubDivision",  "anything",         0, MANY),
    Part("Location",      "ID",                                "text",             0, 1),
    Part("Location",      "Name",                              "text",             0, MANY),
    Part("Event",         "OccurrenceSPSLocation",             "Location",         0, 1),
    Part("Movement",      "ID",                                "text",             0, 1),
    Part("Movement",      "ModeCode",                          "text",             1, 1),
    Part("Movement",      "UsedSPSTransportMeans",             "Means",            0, 1),
    Part("Means",         "Name",                              "text",             1, 1),
    Part("Equipment",     "ID",                                "text",             1, 1),
    Part("Equipment",     "AffixedSPSSeal",                    "Seal",             0, MANY),
    Part("Equipment",     "SettingSPSTemperature",             "anything",         0, MANY),
    Part("Seal",          "ID",                                "text",             1, 1),
    Part("Seal",          "MaximumID",                         "text",             0, 1),
    Part("Seal",          "IssuingSPSParty",                   "Party",            0, 1),
    Part("Cargo",         "TypeCode",                          "text",             1, 1),
    Part("Classification", "SystemID",                         "text",             0, 1),
    Part("Classification", "SystemName",                       "text",             0, MANY),
    Part("Classification", "ClassCode",                        "text",             0, 1),
    Part("Classification", "ClassName",                        "text",             0, MANY),
    Part("Package",       "LevelCode",                         "text",             1, 1),
    Part("Package",       "TypeCode",                          "text",             1, 1),
    Part("Package",       "ItemQuantity",                      "number",           0, 1),
    Part("Package",       "NominalGrossWeightMeasure",         "measure",          0, 1),
    Part("Package",       "NominalGrossVolumeMeasure",         "measure",          0, 1),
    Part("Package",       "PhysicalSPSShippingMarks",          "anything",         0, MANY),
    Part("Process",       "TypeCode",                          "text",             0, 1),
    Part("Process",       "CompletionSPSPeriod",               "anything",         0, 1),
    Part("Process",       "ApplicableSPSProcessCharacteristic", "anything",        0, MANY),
    Part("Process",       "OperationSPSCountry",               "Country",          0, 1),
    Part("Process",       "OperatorSPSParty",                  "Party",            0, 1),
)
# fmt: on
SIMPLE: Final = frozenset({"text", "number", "measure", "moment", "indicator", "anything"})


@cache
def parts(kind: str) -> dict[str, Part]:
    """What an element of this kind may hold, by name, in the order of the sequence."""
    return {part.name: part for part in PARTS if part.of == kind}


def faults(root: Element) -> list[Fault]:
    """All that is wrong with a document's structure."""
    if root.tag != f"{{{RSM}}}{ROOT}":
        return [(ROOT, "sps_missing", {"element": ROOT})]
    return list(_faults(root, "Certificate", ""))


def _faults(element: Element, kind: str, path: str) -> Iterator[Fault]:
    known, space = parts(kind), RSM if kind == "Certificate" else RAM
    counted: dict[str, int] = {}
    for child in element:
        bare, name = local(child), child.tag.removeprefix(f"{{{space}}}")
        part = known.get(name)
        if part is None:
            yield f"{path}/{bare}".strip("/"), "sps_unknown", {"element": bare}
            continue
        counted[name] = counted.get(name, 0) + 1
        place = f"{path}/{name}".strip("/") + (f"[{counted[name]}]" if part.most > 1 else "")
        if counted[name] > part.most:
            yield place, "sps_twice", {"element": name}
        elif part.holds in SIMPLE:
            if not _is(part.holds, child):
                yield place, "sps_value", {"element": name}
        else:
            yield from _faults(child, part.holds, place)
    for part in known.values():
        if counted.get(part.name, 0) < part.least:
            yield f"{path}/{part.name}".strip("/"), "sps_missing", {"element": part.name}


def local(element: Element) -> str:
    """An element's name without its namespace, as far as it is one."""
    return element.tag.rpartition("}")[2][:80]


def _is(kind: str, element: Element) -> bool:
    """Whether an element holds a value of this kind; an empty one holds nothing, which is none of our business."""
    said = (element.text or "").strip()
    if kind == "anything":
        return True
    if kind in ("moment", "indicator"):
        inner = [local(child) for child in element if child.tag.startswith(f"{{{UDT}}}")]
        wanted = {"DateTime", "DateTimeString"} if kind == "moment" else {"Indicator", "IndicatorString"}
        if len(element) > 1 or len(inner) != len(element) or not wanted.issuperset(inner):
            return False
        value = moment_text(element)
        return not value or kind == "indicator" or _moment(value) is not None
    if len(element):
        return False
    if kind == "number":
        return not said or re.fullmatch(r"\d{1,9}(\.0+)?", said, re.ASCII) is not None
    return len(said) <= LONGEST if kind == "text" else not said or _decimal(said) is not None


def moment_text(element: Element) -> str:
    """The text of a date and time, which stands one element deeper, or in its own place."""
    return ((element[0].text if len(element) else element.text) or "").strip()


def _moment(said: str) -> datetime | None:
    try:
        return datetime.fromisoformat(said)
    except ValueError:
        return None


def _decimal(said: str) -> Decimal | None:
    try:
        found = Decimal(said) if len(said) <= 40 else None
    except InvalidOperation:
        return None
    return found if found is not None and found.is_finite() else None
