"""The structure of an SPS certificate as one table: what each element holds, in which order, how often, of what kind.

One thing to remember: the table says what the standard's schema says (compared with public bindings of it and with
recorded certificates of TRACES), in our own notation; what it holds ``anything`` in is passed over unread. Writing and
reading obey the same table.
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


SEQUENCES: Final = {
    "Certificate": "SPSExchangedDocument=Document SPSConsignment=Consignment",
    "Document": """
        Name+ ID Description* TypeCode StatusCode IssueDateTime=moment CopyIndicator=indicator? IssuerSPSParty=Party?
        RecipientSPSParty=Party* IncludedSPSNote=Note* ReferenceSPSReferencedDocument=Reference*
        SignatorySPSAuthentication=Authentication+""",
    "Consignment": """
        ID? AvailabilityDueDateTime=moment? ExportExitDateTime=moment? ShipStoresIndicator=indicator?
        ConsignorSPSParty=Party ConsigneeSPSParty=Party ExportSPSCountry=Country ReExportSPSCountry=Country*
        StorageSPSEvent=Event* LoadingBaseportSPSLocation=Location? ImportSPSCountry=Country
        ConsigneeReceiptSPSLocation=Location? TransitSPSCountry=Country* TransitSPSLocation=Location*
        UnloadingBaseportSPSLocation=Location? ExaminationSPSEvent=Event CarrierSPSParty=Party?
        DespatchSPSParty=Party? DeliverySPSParty=Party? CustomsTransitAgentSPSParty=Party?
        MainCarriageSPSTransportMovement=Movement* UtilizedSPSTransportEquipment=Equipment*
        IncludedSPSConsignmentItem=Item+""",
    "Item": "NatureIdentificationSPSCargo=Cargo* IncludedSPSTradeLineItem=Line+",
    "Line": """
        SequenceNumeric=number Description+ CommonName* ScientificName* ProductionBatchID* IntendedUse*
        ExpiryDateTime=moment* NetWeightMeasure=measure? GrossWeightMeasure=measure? NetVolumeMeasure=measure?
        GrossVolumeMeasure=measure? AdditionalInformationSPSNote=Note* ApplicableSPSClassification=Classification*
        PhysicalSPSPackage=Package* AssociatedSPSTransportEquipment=Equipment* OriginSPSCountry=Country*
        OriginSPSLocation=Location* AppliedSPSProcess=Process* AssertedSPSAuthentication=Authentication*
        ReferenceSPSReferencedDocument=Reference*""",
    "Party": """
        ID? Name RoleCode? TypeCode* SpecifiedSPSAddress=Address? DefinedSPSContact=anything*
        SpecifiedSPSPerson=Person?""",
    "Person": "Name AttainedSPSQualification=anything*",
    "Address": """
        PostcodeCode? LineOne? LineTwo? LineThree? LineFour? LineFive? CityName? CountryID? TypeCode? CountryName?
        CountrySubDivisionID? CountrySubDivisionName? CityID?""",
    "Note": "Subject? ContentCode* Content+ SubjectCode?",
    "Reference": """
        IssueDateTime=moment? TypeCode? RelationshipTypeCode ID AttachmentBinaryObject=anything* Information?""",
    "Authentication": """
        TypeCode? ActualDateTime=moment IssueSPSLocation=Location? ProviderSPSParty=Party
        LocationProviderSPSParty=Party? IncludedSPSClause=Clause+""",
    "Clause": "ID? Content+",
    "Country": "ID Name+ SubordinateSPSCountrySubDivision=anything*",
    "Location": "ID? Name+",
    "Event": "OccurrenceSPSLocation=Location",
    "Movement": "ID? ModeCode UsedSPSTransportMeans=Means?",
    "Means": "Name",
    "Equipment": "ID AffixedSPSSeal=Seal* SettingSPSTemperature=anything*",
    "Seal": "ID MaximumID? IssuingSPSParty=Party?",
    "Cargo": "TypeCode",
    "Classification": "SystemID? SystemName+ ClassCode? ClassName+",
    "Package": """
        LevelCode TypeCode ItemQuantity=number NominalGrossWeightMeasure=measure? NominalGrossVolumeMeasure=measure?
        PhysicalSPSShippingMarks=anything*""",
    "Process": """
        TypeCode CompletionSPSPeriod=anything? ApplicableSPSProcessCharacteristic=anything*
        OperationSPSCountry=Country? OperatorSPSParty=Party?""",
}
"""What each kind of element holds, in its order, as a document type says it: ``?`` none or one, ``*`` any number, ``+``
one at least, nothing for exactly one; after ``=`` what it holds itself, a text where nothing stands."""
OFTEN: Final = {"?": (0, 1), "*": (0, MANY), "+": (1, MANY)}
SIMPLE: Final = frozenset({"text", "number", "measure", "moment", "indicator", "anything"})


def _part(of: str, said: str) -> Part:
    name, _, holds = said.rstrip("".join(OFTEN)).partition("=")
    least, most = OFTEN.get(said[-1], (1, 1))
    return Part(of, name, holds or "text", least, most)


PARTS: Final = tuple(_part(kind, said) for kind, parts_ in SEQUENCES.items() for said in parts_.split())


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
    order, latest = list(known), 0
    for child in element:
        bare, name = local(child), child.tag.removeprefix(f"{{{space}}}")
        part = known.get(name)
        if part is None:
            yield f"{path}/{bare}".strip("/"), "sps_unknown", {"element": bare}
            continue
        counted[name] = counted.get(name, 0) + 1
        at = order.index(name)
        place = f"{path}/{name}".strip("/") + (f"[{counted[name]}]" if part.most > 1 else "")
        if counted[name] > part.most:
            yield place, "sps_twice", {"element": name}
        elif at < latest:
            yield place, "sps_order", {"element": name, "other": order[latest]}
        elif part.holds in SIMPLE:
            if not _is(part.holds, child):
                yield place, "sps_value", {"element": name}
        else:
            yield from _faults(child, part.holds, place)
        latest = max(latest, at)
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
