"""The guide's story as the certificates service knows it: who there is, what stands in the boxes, who acts."""

from datetime import datetime
from typing import Any

from shared.events.directory import ActivityPart, Organisation, RecognitionPart
from shared.rules.actor import Actor
from shared.rules.roles import RoleType
from tests.rules import world as law
from tests.services.conftest import NOON

identity, SIGNED, ENDORSED = law.identity, law.SIGNED, law.ENDORSED
EXPORTER, BODY, IMPORTER, CONSIGNEE, PRODUCER = (identity(number) for number in range(1, 6))
POST, CENTRE, FORWARDER, STRANGER, EUROPEAN_BODY, BELGIAN_POST = (identity(number) for number in range(6, 12))
CUSTOMS, BELGIAN_CUSTOMS, OTHER_PRODUCER, OTHER_BODY, OPS = (identity(number) for number in range(12, 17))
RECEIVED = {"in_order": True}
FORMS: dict[str, dict[str, Any]] = {
    "submit": {},
    "sign": SIGNED,
    "verify": ENDORSED,
    "open_batches": ENDORSED,
    "receive": RECEIVED,
    "delete": {"reason": "drawn up by mistake"},
    "release_conventional": {"reason": "residues found"},
    "reject": {"reason": "the goods are not those described"},
}
"""What each action's form says when nothing else matters."""


def _operator(id: str, name: str, country: str, *activities: tuple[str, str | None], **more: Any) -> Organisation:
    parts = [ActivityPart(kind=kind, control_body=body) for kind, body in activities]
    return Organisation(id=id, kind="OPERATOR", name=name, country=country, status="VALID", activities=parts, **more)


def _body(id: str, name: str, code: str, *recognitions: tuple[str, str]) -> Organisation:
    parts = [
        RecognitionPart(country=country, categories=["a", "d"], legal_basis=basis) for country, basis in recognitions
    ]
    return Organisation(
        id=id, kind="CONTROL_BODY", name=name, country="FR", status="VALID", code=code, recognitions=parts
    )


def _authority(id: str, name: str, country: str, role: str, superior: str | None = None) -> Organisation:
    return Organisation(
        id=id,
        kind="AUTHORITY",
        name=name,
        country=country,
        status="VALID",
        authority_role=role,
        competences=["ORGANIC"],
        superior=superior,
    )


EORI = {"EORI": "FR00100311000010"}
ORGANISATIONS = {
    each.id: each
    for each in (
        _operator(EXPORTER, "Atlas Bio Export", "MA", ("ORG_EXPORTER", BODY), ("ORG_PRODUCER", BODY), city="Agadir"),
        _body(BODY, "ECOCERT SA", "MA-BIO-154", ("MA", "EQUIVALENT_CONTROL_BODY")),
        _operator(
            IMPORTER,
            "Pyrénées Bio Import",
            "FR",
            ("ORG_IMPORTER", EUROPEAN_BODY),
            ("ORG_OPERATOR", EUROPEAN_BODY),
            identifiers=EORI,
        ),
        _operator(CONSIGNEE, "Garonne Bio", "FR", ("ORG_OPERATOR", EUROPEAN_BODY)),
        _operator(PRODUCER, "Coopérative du Souss", "MA", ("ORG_PRODUCER", BODY), ("ORG_EXPORTER", BODY)),
        _operator(OTHER_PRODUCER, "Domaine du Tafilalet", "MA", ("ORG_PRODUCER", OTHER_BODY)),
        _authority(POST, "Perpignan", "FR", "BCP", CENTRE),
        _authority(CENTRE, "DGCCRF", "FR", "CCA"),
        _authority(CUSTOMS, "Bureau de douane de Perpignan", "FR", "CUSTOMS"),
        _authority(BELGIAN_POST, "Aalst", "BE", "BCP"),
        _authority(BELGIAN_CUSTOMS, "Aalst, douane", "BE", "CUSTOMS"),
        _operator(FORWARDER, "Transit Catalan", "FR", ("RFL", None)),
        _operator(STRANGER, "Vaysse Import", "FR", ("ORG_IMPORTER", EUROPEAN_BODY), identifiers=EORI),
        _body(EUROPEAN_BODY, "CERTISYS", "BE-BIO-01", ("FR", "UNION")),
        _body(OTHER_BODY, "QUALITY PARTNER", "MA-BIO-168", ("MA", "COMPLIANCE")),
        Organisation(id=OPS, kind="SYS_ADMIN", name="Bordereau", country="FR", status="VALID"),
    )
}
"""Everybody, by id."""

COMMODITIES = (
    {"code": "08", "parent": None, "level": 2, "name_en": "Edible fruit and nuts", "name_fr": "Fruits comestibles"},
    {"code": "0804", "parent": "08", "level": 4, "name_en": "Dates, figs, avocados", "name_fr": "Dattes, figues"},
    {"code": "08041000", "parent": "0804", "level": 8, "name_en": "Dates", "name_fr": "Dattes", "category": "a"},
    {"code": "08044000", "parent": "0804", "level": 8, "name_en": "Avocados", "name_fr": "Avocats", "category": "a"},
    {
        "code": "15092000",
        "parent": None,
        "level": 8,
        "name_en": "Olive oil",
        "name_fr": "Huile d’olive",
        "category": "d",
    },
)
"""As much of the nomenclature as the story needs."""


def line(number: int = 1, **fields: Any) -> dict[str, Any]:
    """A product line that is in order, with some fields otherwise."""
    return {
        "id": str(number),
        "cn_code": "08041000",
        "trade_name": "Dattes Medjool biologiques",
        "lot": f"L-{number}",
        "packages": 100,
        "package_type": "CT",
        "net_weight": "1000.000",
        "unit": "KGM",
        "producer": PRODUCER,
        "producer_control_body": BODY,
        **fields,
    }


def boxes(**otherwise: Any) -> dict[str, Any]:
    """What the exporter types into a draft that may be submitted, signed and verified, with some boxes otherwise."""
    content: dict[str, Any] = {
        "issuing_body": BODY,
        "exporter": EXPORTER,
        "importer": IMPORTER,
        "first_consignee": CONSIGNEE,
        "entry_authority": POST,
        "clearance_country": "FR",
        "countries_of_origin": ["MA"],
        "country_of_export": "MA",
        "responsible_for_load": [FORWARDER],
        "product_lines": [line()],
        "containers": ["CSQU3054383"],
        "seals": ["S-1"],
        "gross_weight": {"value": "1100", "unit": "KGM"},
        "transport": {"mode": "1", "identification": "MV Tanger", "document": "BL-1"},
        "departure_at": "2026-11-23T08:00:00+01:00",
        "arrival_at": "2026-12-01T08:00:00+01:00",
    }
    return {**content, **otherwise}


def without(*names: str, **otherwise: Any) -> dict[str, Any]:
    """The same boxes, some left out."""
    return {name: value for name, value in boxes(**otherwise).items() if name not in names}


def person(organisation: str, *, name: str = "", proved_at: datetime | None = NOON, session: str = "session") -> Actor:
    """Somebody who acts for an organisation."""
    known = ORGANISATIONS[organisation]
    number = int(organisation[-12:])
    return Actor(
        person_id=identity(1000 + number),
        name=name or f"Person of {known.name}",
        organisation_id=organisation,
        role_type=RoleType(known.kind),
        session_id=session,
        proved_at=proved_at,
    )
