"""Asking for a role, and who may decide: every row of the table of validators, for yes and for no, at the HTTP door."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.directory import demo, store
from services.directory.store import By
from tests.services.directory.conftest import JSON, House, Somebody

ATLAS, PYRENEES, PERPIGNAN = (
    demo.organisation_id(each) for each in ("atlas-bio-export", "pyrenees-bio-import", "perpignan")
)


def inao(house: House) -> Somebody:
    """Who validates operators in France."""
    return house.person("paul-renaud", "inao", "AUTHORITY", True)


async def ask(house: House, organisation: str, slug: str = "jeanne-martin") -> tuple[Somebody, JSON]:
    """Somebody new asks to belong to an organisation."""
    somebody = house.person(slug)
    return somebody, (await somebody.wants(organisation))[0]


OP, CB, AU = "OPERATOR", "CONTROL_BODY", "AUTHORITY"
INAO, ECOCERT = ("paul-renaud", "inao", AU), ("helene-castan", "ecocert-ma", CB)
# organisation, those who may decide, and those for whom the request does not exist
# fmt: off
ROWS = [
    ("tarn-bio-import",
     [("gilles-rouquette", "tarn-bio-import", OP), INAO],
     [("sylvie-garnier", "dgccrf", AU), ("anne-lambert", "be-central", AU), ("mathilde-soule", "ecocert-fr", CB)]),
    ("languedoc-bio", [("thomas-hardy", "languedoc-bio", OP), INAO], []),
    ("domaine-tafilalet", [ECOCERT], [INAO, ("amel-trabelsi", "sahel-bio-export", OP)]),
    ("atlas-bio-export",
     [("youssef-amrani", "atlas-bio-export", OP), ECOCERT],
     [("salma-bennis", "atlas-bio-export", OP), INAO]),
    ("ecocert-ma", [ECOCERT, INAO], [("karim-ziani", "ecocert-ma", CB)]),
    ("perpignan",
     [("jordi-puig", "perpignan", AU), ("eva-novak", "commission", AU)],
     [("anais-roca", "perpignan", AU), ("sylvie-garnier", "dgccrf", AU)]),
    ("nl-central", [("eva-novak", "commission", AU)], [("daan-visser", "rotterdam-port", AU)]),
]
# fmt: on


@pytest.mark.parametrize(("organisation", "may", "may_not"), ROWS, ids=[row[0] for row in ROWS])
async def test_who_decides_is_who_the_table_names(
    house: House, organisation: str, may: list[Any], may_not: list[Any]
) -> None:
    for number, (slug, where, kind) in enumerate(may):
        _, role = await ask(house, organisation, f"new-person-{number}")
        decider = house.person(slug, where, kind)
        assert role["id"] in {each["id"] for each in (await decider.gets("/role-requests"))["items"]}
        assert (await decider.steps_well(role, "validate"))["status"] == "VALID"
    _, role = await ask(house, organisation, "another-person")
    ops = ("camille-fabre", "bordereau-ops", "SYS_ADMIN")
    for slug, where, kind in [*may_not, ops, ("wayan-peeters", "abian-bali-eu", "OPERATOR")]:
        stranger = house.person(slug, where, kind)
        assert role["id"] not in {each["id"] for each in (await stranger.gets("/role-requests"))["items"]}
        assert (await stranger.steps(role, "validate")).json()["code"] == "not_found"
        assert await stranger.refused("GET", f"/role-requests/{role['id']}") == "not_found"


async def test_a_post_that_was_lost_decides_nothing_although_the_token_still_names_it(house: House) -> None:
    _, role = await ask(house, "tarn-bio-import")
    async with house.around.database.transaction() as session:
        await store.revoke(session, demo.person_id("paul-renaud"), demo.organisation_id("inao"), By(), house.clock())
    assert (await inao(house).steps(role, "validate")).json()["code"] == "not_found"


async def test_the_first_validated_user_becomes_administrator_and_validates_the_next(house: House) -> None:
    _, role = await ask(house, "domaine-tafilalet", "first-person")
    body = house.person("helene-castan", "ecocert-ma", "CONTROL_BODY", True)
    assert (await body.steps_well(role, "validate"))["administrator"] is True
    _, second = await ask(house, "domaine-tafilalet", "second-person")
    owner = house.person("first-person", "domaine-tafilalet", "OPERATOR", True)
    validated = await owner.steps_well(second, "validate")
    assert (validated["status"], validated["administrator"]) == ("VALID", False)
    assert (await owner.steps_well(validated, "appoint"))["administrator"] is True
    granted = [body for subject, body in await house.news() if subject == "directory.role.granted.v1"][-3:]
    assert [each["administrator"] for each in granted] == [True, False, True]


async def test_nobody_decides_about_himself(house: House) -> None:
    owner = house.person("gilles-rouquette", "tarn-bio-import", "OPERATOR", True)
    mine = next(each for each in await owner.gets("/people/me/role-requests") if each["status"] == "VALID")
    assert (await owner.steps(mine, "appoint")).json()["code"] == "own_request"
    me, role = await ask(house, "tarn-bio-import")
    assert (await me.steps(role, "validate")).json()["code"] == "own_request"
    assert (await me.steps_well(role, "withdraw"))["status"] == "WITHDRAWN"


async def test_an_operator_is_valid_before_its_people(house: House) -> None:
    _, role = await ask(house, "vaysse-import")
    assert (await inao(house).steps(role, "validate")).json()["code"] == "operator_first"
    assert (await inao(house).steps_well(role, "refuse", "Not certified."))["status"] == "REFUSED"


async def test_one_person_has_one_kind_of_role_and_several_posts_within(house: House) -> None:
    somebody = house.person("jeanne-martin")
    both = await somebody.wants("tarn-bio-import", "garonne-bio")
    assert [each["status"] for each in both] == ["REQUESTED", "REQUESTED"]
    wanted = {"wanted": [{"organisation_id": PERPIGNAN}]}
    assert await somebody.refused("POST", "/role-requests", wanted) == "one_role_type"
    again = {"wanted": [{"organisation_id": both[0]["organisation"]["id"]}]}
    assert await somebody.refused("POST", "/role-requests", again) == "already_exists"
    for role in both:
        await inao(house).steps_well(role, "validate")
    mine = await somebody.gets("/people/me/role-requests")
    assert {each["status"] for each in mine} == {"VALID"}
    assert len(mine) == 2


async def test_a_key_is_one_request(house: House) -> None:
    somebody, key = house.person("jeanne-martin"), uuid4().hex
    body = {"wanted": [{"organisation_id": demo.organisation_id("tarn-bio-import")}], "message": "I am the new buyer."}
    first = await somebody.does("POST", "/role-requests", body, key)
    assert await somebody.does("POST", "/role-requests", body, key) == first
    assert await somebody.refused("POST", "/role-requests", {**body, "message": "Something else."}, key) == "key_reused"
    requested = [body for subject, body in await house.news() if subject == "directory.role.requested.v1"]
    assert len(requested) == 1
    assert "buyer" not in str(requested)
    woken = await house.all("SELECT target FROM outbox WHERE kind = 'wake' AND target LIKE 'role-validation/%'")
    assert [target for (target,) in woken] == [f"role-validation/{first[0]['id']}"]


async def test_nobody_asks_to_belong_to_the_platform_or_to_what_is_gone(house: House) -> None:
    somebody = house.person("jeanne-martin")
    for slug in ("bordereau-ops", "rif-bio-trading", "oriental-bio-export", "no-such-thing"):
        wanted = {"wanted": [{"organisation_id": demo.organisation_id(slug)}]}
        assert await somebody.refused("POST", "/role-requests", wanted) == "not_found"


async def test_a_refusal_has_its_reason_and_the_applicant_reads_it(house: House) -> None:
    me, role = await ask(house, "tarn-bio-import")
    assert (await inao(house).steps(role, "refuse")).json()["field"] == "reason"
    await inao(house).steps_well(role, "refuse", "Your name is not on the list of the company.")
    seen = await me.gets(f"/role-requests/{role['id']}")
    assert seen["role"]["reason"] == "Your name is not on the list of the company."
    assert [(each["action"], each["person"]) for each in seen["role"]["lines"]] == [
        ("request", "Jeanne Martin"),
        ("refuse", "Paul Renaud"),
    ]
    assert (await me.wants("tarn-bio-import"))[0]["status"] == "REQUESTED"


async def test_a_question_is_answered_within_the_system_and_both_sides_see_it(house: House) -> None:
    me, role = await ask(house, "tarn-bio-import")
    asked = await inao(house).steps_well(role, "ask", "Since when do you work there?")
    assert (asked["due"], asked["question"]) == ("unanswered", "Since when do you work there?")
    house.clock.forward(days=3)
    mine = (await me.gets(f"/role-requests/{role['id']}"))["role"]
    assert mine["may"] == ["answer", "withdraw"]
    answered = await me.steps_well(mine, "answer", "Since Monday.")
    assert (answered["question"], answered["due"]) == ("", "validator_reminded")
    seen = (await inao(house).gets(f"/role-requests/{role['id']}"))["role"]
    assert [each["said"] for each in seen["lines"]] == ["", "Since when do you work there?", "Since Monday."]
    assert (await me.steps(answered, "answer", "And more.")).json()["code"] == "not_permitted"


async def test_whoever_comes_second_is_told_who_decided_what_and_when(house: House) -> None:
    _, role = await ask(house, "tarn-bio-import")
    owner = house.person("gilles-rouquette", "tarn-bio-import", "OPERATOR", True)
    answers = await asyncio.gather(owner.steps(role, "validate"), inao(house).steps(role, "refuse", "No."))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    lost = next(answer.json() for answer in answers if answer.status_code == 409)
    assert lost["code"] == "already_decided"
    assert lost["params"]["action"] in ("validate", "refuse")
    assert lost["params"]["person"] in ("Gilles Rouquette", "Paul Renaud")
    assert lost["params"]["at"]


async def test_two_working_days_then_the_authority_above_then_the_end(house: House) -> None:
    me, role = await ask(house, "vaysse-import")
    assert [each["name"].split(" ")[0] for each in role["awaits"]] == ["INAO"]
    await house.ring_role(role)
    assert house.clock().isoformat() == "2026-11-24T12:00:00+00:00"  # from Friday to Tuesday
    await house.ring_role(role)
    assert house.clock().isoformat() == "2026-11-26T12:00:00+00:00"
    mine = (await me.gets("/people/me/role-requests"))[0]
    assert [each["id"] for each in mine["told"]] == [demo.organisation_id("dgccrf")]
    above = house.person("sylvie-garnier", "dgccrf", "AUTHORITY")
    assert [each["id"] for each in (await above.gets("/role-requests"))["items"]] == [role["id"]]
    assert (await above.gets(f"/role-requests/{role['id']}"))["role"]["may"] == []
    assert (await above.steps(role, "validate")).json()["code"] == "not_found"
    assert (await house.ring_role(role)).status == "EXPIRED"
    told = [subject.split(".")[2] for subject, body in await house.news() if body.get("role_id") == role["id"]]
    assert told == ["requested", "reminded", "escalated", "expired"]
    assert (await me.gets("/people/me/role-requests"))[0]["status"] == "EXPIRED"


async def test_a_request_nobody_may_decide_alarms_ops_at_once(house: House) -> None:
    async with house.around.database.transaction() as session:
        await store.change(session, demo.organisation_id("ecocert-ma"), {"status": "SUSPENDED"}, By(), house.clock())
    _, role = await ask(house, "domaine-tafilalet")
    assert role["awaits"] == []
    subject, told = (await house.news())[-1]
    assert subject == "directory.role.undecidable.v1"
    assert told["concerns"] == [demo.organisation_id("bordereau-ops")]


async def test_suspension_ends_access_at_once_and_reinstatement_gives_it_back(house: House) -> None:
    me, role = await ask(house, "tarn-bio-import")
    validated = await inao(house).steps_well(role, "validate")
    suspended = await inao(house).steps_well(validated, "suspend", "On leave.")
    assert suspended["status"] == "SUSPENDED"
    assert (await house.news())[-2][0] == "directory.role.revoked.v1"
    assert (await me.gets("/people/me/role-requests"))[0]["reason"] == "On leave."
    again = await inao(house).steps_well(suspended, "reinstate", "Back again.")
    assert again["status"] == "VALID"
    assert [subject for subject, _ in (await house.news())[-2:]] == [
        "directory.role.granted.v1",
        "directory.role.reinstated.v1",
    ]
    assert (await inao(house).steps_well(again, "revoke", "Left the company."))["status"] == "WITHDRAWN"


async def test_several_are_decided_at_once_with_a_result_for_each(house: House) -> None:
    requests = [(await ask(house, "tarn-bio-import", f"person-{number}")) for number in range(12)]
    await requests[3][0].steps_well(requests[3][1], "withdraw")
    await inao(house).steps_well(requests[5][1], "refuse", "Twice.")
    chosen = [{"id": role["id"], "revision": role["revision"]} for _, role in requests]
    strange = {"id": str(uuid4()), "revision": 1}
    wish, key = {"action": "validate", "chosen": [*chosen, strange]}, uuid4().hex
    results = await inao(house).does("POST", "/role-requests/decisions", wish, key)
    assert [each["status"] for each in results].count("VALID") == 10
    assert {results[at]["code"] for at in (3, 5)} == {"already_decided"}
    assert results[12]["code"] == "not_found"
    assert await inao(house).does("POST", "/role-requests/decisions", wish, key) == results


async def test_the_list_of_what_waits_is_searched_filtered_and_paged(house: House) -> None:
    for number, where in enumerate(
        ["tarn-bio-import", "garonne-bio", "vaysse-import", "acme-bio-imports", "ecocert-fr"]
    ):
        house.clock.forward(minutes=1)
        await ask(house, where, f"{['anna', 'bruno', 'clara', 'denis', 'elise'][number]}-dupont")
    desk = inao(house)
    everything = await desk.gets("/role-requests")
    assert (everything["number"], [each["person"].split()[0] for each in everything["items"]]) == (
        5,
        ["Anna", "Bruno", "Clara", "Denis", "Elise"],
    )
    first = await desk.gets("/role-requests", limit=2, sort="newest")
    second = await desk.gets("/role-requests", limit=2, sort="newest", after=first["next"])
    assert [each["person"].split()[0] for each in first["items"] + second["items"]] == [
        "Elise",
        "Denis",
        "Clara",
        "Bruno",
    ]
    assert [each["person"] for each in (await desk.gets("/role-requests", text="garonne"))["items"]] == ["Bruno Dupont"]
    assert [each["person"] for each in (await desk.gets("/role-requests", text="clar"))["items"]] == ["Clara Dupont"]
    bodies = await desk.gets("/role-requests", role_type="CONTROL_BODY")
    assert [each["person"] for each in bodies["items"]] == ["Elise Dupont"]
    assert (await desk.gets("/role-requests", country="BE"))["items"] == []
    assert await desk.refused("GET", "/role-requests?after=nonsense") == "invalid"


async def test_the_people_of_an_organisation_are_shown_to_its_administrator_only(house: House) -> None:
    path = f"/organisations/{PYRENEES}/people"
    claire = house.person("claire-delmas", "pyrenees-bio-import", "OPERATOR", True)
    shown = {each["person_id"]: each["may"] for each in await claire.gets(path)}
    assert shown[demo.person_id("claire-delmas")] == []
    assert "suspend" in shown[demo.person_id("thomas-hardy")]
    thomas = house.person("thomas-hardy", "pyrenees-bio-import")
    assert await thomas.refused("GET", path) == "not_found"
    assert await inao(house).gets(path)
    assert await house.person("wayan-peeters", "abian-bali-eu").refused("GET", path) == "not_found"


async def test_a_late_clock_calls_its_process(house: House) -> None:
    from services.directory import roles

    await ask(house, "tarn-bio-import")
    house.clock.forward(days=40)
    async with house.around.database.transaction() as session:
        assert await roles.overdue(session, house.clock() - timedelta(minutes=1)) == 1


@pytest.mark.parametrize("path", ["/role-requests/{}/steps", "/proposals/{}/steps", "/organisations/{}/steps"])
async def test_what_is_not_there_and_what_is_not_yours_are_answered_alike(house: House, path: str) -> None:
    _, role = await ask(house, "tarn-bio-import")
    stranger = house.person("wayan-peeters", "abian-bali-eu", "OPERATOR", True)
    wish = {"action": "validate", "revision": 1}
    there = {"/role-requests/{}/steps": role["id"], "/proposals/{}/steps": str(uuid4())}.get(path, PYRENEES)
    answers = [await stranger.asks("POST", path.format(each), wish) for each in (there, str(uuid4()))]
    assert [answer.status_code for answer in answers] == [404, 404]
    bodies = [{name: value for name, value in answer.json().items() if name != "correlation"} for answer in answers]
    assert bodies[0] == bodies[1]


async def test_a_person_with_roles_in_two_companies_decides_for_the_one_he_acts_for(house: House) -> None:
    both = await house.person("jeanne-martin").wants("tarn-bio-import", "domaine-tafilalet")
    await inao(house).steps_well(both[0], "validate")
    body = house.person("helene-castan", "ecocert-ma", CB)
    assert (await body.steps_well(both[1], "validate"))["administrator"] is True, "its first user"
    _, for_tarn = await ask(house, "tarn-bio-import", "colleague-of-tarn")
    _, for_tafilalet = await ask(house, "domaine-tafilalet", "colleague-of-tafilalet")
    here, there = (house.person("jeanne-martin", each, OP) for each in ("tarn-bio-import", "domaine-tafilalet"))
    assert (await here.gets("/role-requests"))["items"] == [], "in the first company she is no administrator"
    assert [each["id"] for each in (await there.gets("/role-requests"))["items"]] == [for_tafilalet["id"]]
    assert (await here.steps(for_tafilalet, "validate")).json()["code"] == "not_found", "nor with the other post"
    assert (await there.steps(for_tarn, "validate")).json()["code"] == "not_found"
    assert (await there.steps_well(for_tafilalet, "validate"))["status"] == "VALID"
    mine = await here.gets("/people/me/role-requests")
    assert {(each["organisation"]["name"].split(" ")[0], each["administrator"]) for each in mine} == {
        ("Tarn", False),
        ("Domaine", True),
    }
