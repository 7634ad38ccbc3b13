"""The guide's story as facts: an exporter in Agadir, an importer in Toulouse, and everybody between them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from shared.rules.boxes import Content, Model, Problem
from shared.rules.content import derive
from shared.rules.parties import Activity, Commodity, Facts, Party, Procedure, Recognition
from shared.rules.problems import problems
from shared.rules.roles import ActivityType, AuthorityRole, Competence, RoleType
from shared.rules.status import Action

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def identity(number: int) -> str:
    """An id that looks like one."""
    return f"00000000-0000-4000-8000-{number:012d}"


EXPORTER, BODY, IMPORTER, CONSIGNEE, PRODUCER = (identity(number) for number in range(1, 6))
POST, CENTRE, FORWARDER, STRANGER, EUROPEAN_BODY, BELGIAN_POST = (identity(number) for number in range(6, 12))

_KNOWN = (
    Party(EXPORTER, RoleType.OPERATOR, "Atlas", "MA", activities=(
        Activity(ActivityType.ORG_EXPORTER, control_body=BODY),)),
    Party(BODY, RoleType.CONTROL_BODY, "ECOCERT SA", "FR", code="MA-BIO-154", recognitions=(
        Recognition("MA", ("a", "d"), Procedure.EQUIVALENT_CONTROL_BODY),)),
    Party(IMPORTER, RoleType.OPERATOR, "Pyrénées", "FR", eori="FR00100311000010", activities=(
        Activity(ActivityType.ORG_IMPORTER, control_body=EUROPEAN_BODY),)),
    Party(CONSIGNEE, RoleType.OPERATOR, "Garonne", "FR", activities=(
        Activity(ActivityType.ORG_OPERATOR, control_body=EUROPEAN_BODY),)),
    Party(PRODUCER, RoleType.OPERATOR, "Souss", "MA", activities=(
        Activity(ActivityType.ORG_PRODUCER, control_body=BODY),)),
    Party(POST, RoleType.AUTHORITY, "Perpignan", "FR", superior=CENTRE, authority_role=AuthorityRole.BCP,
          competences=(Competence.ORGANIC,)),
    Party(CENTRE, RoleType.AUTHORITY, "DGCCRF", "FR", authority_role=AuthorityRole.CCA,
          competences=(Competence.ORGANIC,)),
    Party(FORWARDER, RoleType.OPERATOR, "Transit", "FR", activities=(Activity(ActivityType.RFL),)),
    Party(EUROPEAN_BODY, RoleType.CONTROL_BODY, "CERTISYS", "BE", recognitions=(
        Recognition("FR", ("a", "d"), "UNION"),)),
    Party(BELGIAN_POST, RoleType.AUTHORITY, "Aalst", "BE", authority_role=AuthorityRole.BCP,
          competences=(Competence.ORGANIC,)),
)  # fmt: skip
PARTIES = {party.id: party for party in _KNOWN}
COMMODITIES = {code: Commodity(code, category) for code, category in {"08041000": "a", "15092000": "d"}.items()}
SIGNED = {"documentary": "acceptable", "physical": "not_done"}
ENDORSED = {"documentary": "acceptable", "identity": "acceptable", "physical": "not_done", "laboratory": "not_done"}

LINE = {
    "id": "1", "cn_code": "08041000", "trade_name": "Dates", "lot": "L-1", "packages": 100, "package_type": "CT",
    "net_weight": "1000.000", "unit": "KGM", "producer": PRODUCER, "producer_control_body": BODY, "organic": "organic",
}  # fmt: skip


def facts(form: Mapping[str, object] | None = None, now: datetime = NOW, **changed: Party) -> Facts:
    """What is known; `changed` are parties that are otherwise than usual, by any name."""
    return Facts(now, {**PARTIES, **{party.id: party for party in changed.values()}}, COMMODITIES, form)


def otherwise(organisation: str, **fields: Any) -> Party:
    """A party with some fields otherwise."""
    return replace(PARTIES[organisation], **fields)


def line(**fields: Any) -> dict[str, Any]:
    """A product line that is in order, with some fields otherwise."""
    return {**LINE, **fields}


def certificate(**fields: Any) -> Content:
    """A certificate that may be submitted, signed and verified, with some boxes otherwise."""
    content: Content = {
        "issuing_body": BODY,
        "exporter": EXPORTER,
        "countries_of_origin": ["MA"],
        "country_of_export": "MA",
        "clearance_country": "FR",
        "entry_authority": POST,
        "importer": IMPORTER,
        "first_consignee": CONSIGNEE,
        "release_by_batches": False,
        "responsible_for_load": [FORWARDER],
        "product_lines": [line()],
        "containers": ["CSQU3054383"],
        "seals": ["S-1"],
        "gross_weight": {"value": "1100", "unit": "KGM"},
        "transport": {"mode": "1", "identification": "MV Tanger", "document": "BL-1"},
        "departure_at": "2026-03-05T08:00:00+01:00",
        "arrival_at": "2026-03-12T08:00:00+01:00",
    }
    return derive({**content, **fields}, facts())


def found(
    content: Content, action: Action, known: Facts | None = None, model: Model = Model.COI_2017
) -> dict[str, Problem]:
    """Code -> the problem found before this action; where a code is found twice, the last place."""
    return {each.code: each for each in problems(content, action, model, known or facts())}


def errors(content: Content, action: Action, known: Facts | None = None, model: Model = Model.COI_2017) -> set[str]:
    """The codes that refuse this action."""
    return {code for code, each in found(content, action, known, model).items() if each.is_error}


def warnings(content: Content, action: Action, known: Facts | None = None, model: Model = Model.COI_2017) -> set[str]:
    """The codes that only warn before this action."""
    return {code for code, each in found(content, action, known, model).items() if not each.is_error}


YESTERDAY = date(2026, 3, 1)
