"""What authorities and control bodies create and correct themselves: bodies with their competences, posts, policy."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.directory import demo
from services.directory.settings import Settings
from tests.services.directory.conftest import JSON, House, Somebody
from tests.services.directory.test_proposals import company

DGCCRF, PERPIGNAN = demo.organisation_id("dgccrf"), demo.organisation_id("perpignan")
BODY = company(
    kind="CONTROL_BODY", name="Contrôle Bio Occitan", city="Albi", postal_code="81000", identifiers=[], activities=[],
    code="fr-bio-77", evidence=None,
    recognitions=[{"country": "fr", "categories": ["d", "a"], "legal_basis": "UNION", "valid_from": "2026-01-01"}],
    addresses=[{"label": "Laboratoire", "address": "1 rue du Four", "postal_code": "81100", "city": "Castres",
                "country": "fr"}],
    contacts=[{"kind": "phone", "value": "05 63 00 00 00"}, {"kind": "phone", "value": "05 63 00 00 01"}],
)  # fmt: skip
POST = company(
    kind="AUTHORITY", name="Port-la-Nouvelle", city="Port-la-Nouvelle", postal_code="11210", identifiers=[],
    activities=[], evidence=None, code="FRNOU1", authority_role="BCP", competences=["PLANTS", "ORGANIC"],
    superior=DGCCRF, territory="FR-11", calendar="FR-57",
)  # fmt: skip


def commission(house: House) -> Somebody:
    return house.person("eva-novak", "commission", "AUTHORITY", True)


def central(house: House) -> Somebody:
    return house.person("sylvie-garnier", "dgccrf", "AUTHORITY")


def inao(house: House) -> Somebody:
    return house.person("paul-renaud", "inao", "AUTHORITY", True)


async def test_the_page_is_told_what_each_may_create(house: House) -> None:
    async def kinds(who: Somebody) -> JSON:
        return (await who.gets("/organisations/creatable"))["kinds"]

    assert await kinds(commission(house)) == ["CONTROL_BODY", "AUTHORITY"]
    assert await kinds(central(house)) == ["OPERATOR", "CONTROL_BODY", "AUTHORITY"]
    assert await kinds(inao(house)) == ["OPERATOR", "CONTROL_BODY"]
    assert await kinds(house.person("odile-faure", "ddpp-31", "AUTHORITY")) == ["OPERATOR"]
    assert await kinds(house.person("helene-castan", "ecocert-ma", "CONTROL_BODY")) == ["OPERATOR"]
    for nobody in (("jordi-puig", "perpignan", "AUTHORITY"), ("camille-fabre", "bordereau-ops", "SYS_ADMIN")):
        assert await kinds(house.person(*nobody)) == []


async def test_a_body_has_its_code_and_for_each_country_categories_dates_and_legal_basis(house: House) -> None:
    made = await inao(house).does("POST", "/organisations", BODY)
    assert (made["status"], made["proposal_id"]) == ("VALID", None)
    path = f"/organisations/{made['organisation_id']}"
    shown = await inao(house).gets(path)
    assert shown["code"] == "FR-BIO-77"
    assert shown["recognitions"] == [
        {"country": "FR", "categories": ["a", "d"], "legal_basis": "UNION", "valid_from": "2026-01-01",
         "valid_to": None},
    ]  # fmt: skip
    assert [each["city"] for each in shown["addresses"]] == ["Castres"]
    assert [each["value"] for each in shown["contacts"]] == ["05 63 00 00 00", "05 63 00 00 01"]
    may = await inao(house).gets(f"{path}/may")
    abroad = [*BODY["recognitions"], {**BODY["recognitions"][0], "country": "MA"}]
    wish = {"revision": may["revision"], "changes": {"recognitions": abroad}, "reason": "Decision of 3 March"}
    assert may["edit"] == "NOW"
    assert await inao(house).refused("PUT", path, wish) == "not_permitted", "abroad, the Commission recognises"
    assert (await commission(house).does("PUT", path, wish))["revision"] == may["revision"] + 1
    assert [each["country"] for each in (await inao(house).gets(path))["recognitions"]] == ["FR", "MA"]
    owner = house.person("helene-castan", "ecocert-ma", "CONTROL_BODY", True)
    assert (await owner.gets(f"/organisations/{demo.organisation_id('ecocert-ma')}/may"))["edit"] is None


async def test_a_post_has_its_role_competence_superior_territory_and_calendar(house: House) -> None:
    made = await central(house).does("POST", "/organisations", POST)
    path = f"/organisations/{made['organisation_id']}"
    shown = await central(house).gets(path)
    assert (shown["authority_role"], shown["competences"]) == ("BCP", ["ORGANIC", "PLANTS"])
    assert (shown["superior"], shown["territory"], shown["calendar"]) == (DGCCRF, "FR-11", "FR-57")
    may = await central(house).gets(f"{path}/may")
    wish = {"revision": may["revision"], "changes": {"authority_role": "CCA"}}
    assert await central(house).refused("PUT", path, wish) == "not_permitted", "nobody makes his own like"
    wish["changes"] = {"calendar": None, "name": "Port-la-Nouvelle (Aude)"}
    await central(house).does("PUT", path, wish)
    assert (await central(house).gets(path))["calendar"] is None
    assert await house.person("anne-lambert", "be-central", "AUTHORITY").refused("PUT", path, wish) == "not_found"


# fmt: off
WRONG: list[tuple[JSON, JSON, str, str]] = [
    (BODY, {"code": "FRBIO77"},                                        "code",           "not_body_code"),
    (BODY, {"code": "FR-BIO-01"},                                      "code",           "code_taken"),
    (BODY, {"recognitions": [{"country": "FR", "categories": []}]},    "recognitions",   "not_basis"),
    (BODY, {"recognitions": [{**BODY["recognitions"][0], "legal_basis": ""}]}, "recognitions", "not_basis"),
    (BODY, {"recognitions": [{**BODY["recognitions"][0], "valid_to": "2025-01-01"}]}, "recognitions", "dates_crossed"),
    (BODY, {"addresses": [{"address": "1 rue du Four"}]},              "addresses",      "field_needed"),
    (POST, {"code": ""},                                               "code",           "field_needed"),
    (POST, {"code": "FR007"},                                          "code",           "code_taken"),
    (POST, {"competences": ["DREAMS"]},                                "competences",    "field_needed"),
    (POST, {"superior": demo.organisation_id("ecocert-fr")},           "superior",       "not_superior"),
    (POST, {"superior": demo.organisation_id("be-central")},           "superior",       "not_superior"),
    (POST, {"superior": "somebody"},                                   "superior",       "not_superior"),
    (POST, {"territory": "BE"},                                        "territory",      "not_territory"),
    (POST, {"calendar": "FR-XX"},                                      "calendar",       "not_calendar"),
]
# fmt: on


async def test_what_is_wrong_with_a_body_or_a_post_is_named(house: House) -> None:
    for base, wrong, field, code in WRONG:
        answer = await commission(house).asks("POST", "/organisations", {**base, **wrong})
        assert answer.status_code == 422, (wrong, answer.text)
        assert (field, code) in {(each["field"], each["code"]) for each in answer.json()["problems"]}, wrong


async def test_nobody_stands_above_himself(house: House) -> None:
    path = f"/organisations/{DGCCRF}"
    may = await commission(house).gets(f"{path}/may")
    wish = {"revision": may["revision"], "changes": {"superior": PERPIGNAN}}
    answer = await commission(house).asks("PUT", path, wish)
    assert [each["code"] for each in answer.json()["problems"]] == ["not_superior"]


async def test_a_member_state_may_leave_operators_to_their_control_bodies(house: House) -> None:
    house.around.database.told |= Settings(by_control_body="fr, at").policy
    me = house.person("jeanne-martin")
    made = await me.does("POST", "/organisations", company())
    (mine,) = await me.gets("/people/me/role-requests")
    assert [each["code"] for each in mine["awaits"]] == ["FR-BIO-01", "FRINAO01"], "its body first, then the authority"
    body = house.person("mathilde-soule", "ecocert-fr", "CONTROL_BODY")
    for path, identifier in (("proposals", made["proposal_id"]), ("role-requests", made["role_id"])):
        step = {"action": "validate", "revision": 1}
        assert (await body.does("POST", f"/{path}/{identifier}/steps", step))["status"] == "VALID"
    with pytest.raises(ValueError, match="MA"):
        Settings(by_control_body="FR,MA")


async def test_time_is_counted_by_the_calendar_of_whoever_decides(house: House) -> None:
    """Maundy Thursday 2026: Easter Monday is a holiday in France, not in Morocco, where this body keeps its office."""
    path = f"/organisations/{demo.organisation_id('ecocert-ma')}"
    office = {"revision": (await commission(house).gets(f"{path}/may"))["revision"], "changes": {"calendar": "MA"}}
    await commission(house).does("PUT", path, office)
    due: dict[str, Any] = {}
    for where, zone in (("tarn-bio-import", "Europe/Paris"), ("domaine-tafilalet", "Africa/Casablanca")):
        house.clock.time = datetime(2026, 4, 2, 10, tzinfo=ZoneInfo(zone))
        (role,) = await house.person(f"asks-{where}").wants(where)
        due[where] = datetime.fromisoformat(role["due_at"]).astimezone(ZoneInfo(zone)).date()
    assert due == {"tarn-bio-import": date(2026, 4, 7), "domaine-tafilalet": date(2026, 4, 6)}
