"""New operators and changes of operators: what is checked, what resembles, who decides, what stays in force."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from services.directory import demo
from tests.services.directory.conftest import JSON, House, Somebody

ECOCERT_FR, ECOCERT_MA, TARN = (demo.organisation_id(each) for each in ("ecocert-fr", "ecocert-ma", "tarn-bio-import"))


def company(**other: Any) -> JSON:
    """A French importer as its buyer types it."""
    return {
        "name": "Vallée du Lot Bio SARL",
        "country": "FR",
        "city": "Cahors",
        "postal_code": "46000",
        "address": "3 quai Ségur",
        "contacts": [{"kind": "email", "value": "contact@lot.example"}],
        "identifiers": [{"type": "EORI", "value": "FR 73282932000074"}],
        "activities": [{"kind": "ORG_IMPORTER", "control_body": ECOCERT_FR}],
        "evidence": {"certificate_number": "FR-BIO-01.250", "file_name": "certificat.pdf", "file": "JVBERi0="},
        **other,
    }


OTHER = company(
    name="Quercy Graines Négoce",
    postal_code="46100",
    city="Figeac",
    identifiers=[{"type": "EORI", "value": "FR4610046100"}],
)


def inao(house: House) -> Somebody:
    """Who validates operators in France."""
    return house.person("paul-renaud", "inao", "AUTHORITY", True)


async def decide(somebody: Somebody, proposal: str, action: str, reason: str = "") -> Any:
    """A step about a proposal, in the revision shown."""
    seen = await somebody.gets(f"/proposals/{proposal}")
    form = {"reason": reason} if reason else {}
    return await somebody.asks(
        "POST", f"/proposals/{proposal}/steps", {"action": action, "revision": seen["revision"], "form": form}
    )


async def test_an_operator_is_created_validated_and_then_its_first_user(house: House) -> None:
    me, desk = house.person("jeanne-martin"), inao(house)
    made = await me.does("POST", "/organisations", company(message="We import quinoa."))
    assert made["status"] == "NEW"
    sides = await desk.gets(f"/role-requests/{made['role_id']}")
    assert sides["organisation"]["identifiers"] == [{"type": "EORI", "value": "FR73282932000074"}]
    assert sides["proposal"]["evidence"] == {
        "certificate_number": "FR-BIO-01.250", "valid_to": None, "file_name": "certificat.pdf", "file": ""
    }  # fmt: skip
    assert (await desk.gets(f"/proposals/{made['proposal_id']}/evidence"))["file"] == "JVBERi0="
    assert (await desk.steps(sides["role"], "validate")).json()["code"] == "operator_first"
    assert (await decide(desk, made["proposal_id"], "validate")).json()["status"] == "VALID"
    assert (await desk.steps_well(sides["role"], "validate"))["administrator"] is True
    record = await me.gets(f"/organisations/{made['organisation_id']}")
    assert (record["status"], record["activities"][0]["status"]) == ("VALID", "VALID")
    told = [subject for subject, body in await house.news() if body.get("organisation_id") == made["organisation_id"]]
    assert told == [
        "directory.organisation.proposed.v1",
        "directory.role.requested.v1",
        "directory.organisation.validated.v1",
        "directory.role.granted.v1",
    ]


async def test_a_refused_operator_takes_its_creators_request_along(house: House) -> None:
    me, desk = house.person("jeanne-martin"), inao(house)
    made = await me.does("POST", "/organisations", company())
    assert (await decide(desk, made["proposal_id"], "refuse", "Not certified.")).json()["status"] == "REFUSED"
    assert (await house.ring_role({"id": made["role_id"]})).status == "REFUSED"
    assert (await me.gets(f"/organisations/{made['organisation_id']}"))["status"] == "REJECTED"


async def test_whoever_takes_his_request_back_takes_the_operator_along(house: House) -> None:
    me = house.person("jeanne-martin")
    made = await me.does("POST", "/organisations", company())
    await me.steps_well({"id": made["role_id"], "revision": 1}, "withdraw")
    assert (await house.ring_proposal(made["proposal_id"])).status == "WITHDRAWN"
    assert (await me.gets(f"/organisations/{made['organisation_id']}"))["status"] == "DELETED"


@pytest.mark.parametrize(
    ("wrong", "field", "code"),
    [
        ({"name": " "}, "name", "field_needed"),
        ({"country": "QQ"}, "country", "not_a_country"),
        ({"city": ""}, "city", "field_needed"),
        ({"address": ""}, "address", "field_needed"),
        ({"postal_code": ""}, "postal_code", "field_needed"),
        ({"contacts": []}, "contacts", "contact_needed"),
        ({"contacts": [{"kind": "phone", "value": "  "}]}, "contacts", "contact_needed"),
        ({"identifiers": []}, "identifiers", "eori_needed"),
        ({"identifiers": [{"type": "EORI", "value": "73282932000074"}]}, "identifiers", "not_eori"),
        ({"identifiers": [{"type": "EORI", "value": "FR1"}, {"type": "VAT", "value": "FR00732829320"}]},
         "identifiers", "not_vat"),
        ({"identifiers": [{"type": "EORI", "value": "FR1"}, {"type": "SIRET", "value": "73282932000075"}]},
         "identifiers", "not_siret"),
        ({"activities": []}, "activities", "one_activity"),
        ({"activities": [{"kind": "ORG_IMPORTER", "control_body": ECOCERT_FR}, {"kind": "RFL"}]},
         "activities", "one_activity"),
        ({"activities": [{"kind": "WIZARD", "control_body": ECOCERT_FR}]}, "activities", "not_activity"),
        ({"activities": [{"kind": "ORG_IMPORTER", "control_body": ECOCERT_FR, "chapter": "MAGIC"}]},
         "activities", "not_activity"),
        ({"activities": [{"kind": "ORG_IMPORTER", "control_body": ECOCERT_FR, "section": "DREAMS"}]},
         "activities", "not_activity"),
        ({"activities": [{"kind": "ORG_IMPORTER"}]}, "control_body", "body_needed"),
        ({"activities": [{"kind": "ORG_IMPORTER", "control_body": TARN}]}, "control_body", "body_needed"),
        ({"activities": [{"kind": "ORG_IMPORTER", "control_body": ECOCERT_FR, "valid_from": "2027-01-01",
                          "valid_to": "2026-01-01"}]}, "valid_to", "dates_crossed"),
        ({"latitude": 91.0}, "latitude", "not_coordinates"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_named(house: House, wrong: JSON, field: str, code: str) -> None:
    answer = await house.person("jeanne-martin").asks("POST", "/organisations", company(**wrong))
    assert answer.status_code == 422, answer.text
    assert (field, code) in {(each["field"], each["code"]) for each in answer.json()["problems"]}


async def test_an_exporter_needs_no_eori_and_is_its_control_bodys_to_validate(house: House) -> None:
    exporter = company(
        name="Oasis Draa Export", country="MA", city="Zagora", postal_code="", identifiers=[],
        activities=[{"kind": "ORG_EXPORTER", "control_body": ECOCERT_MA}],
    )  # fmt: skip
    made = await house.person("jeanne-martin").does("POST", "/organisations", exporter)
    assert await inao(house).refused("GET", f"/proposals/{made['proposal_id']}") == "not_found"
    body = house.person("helene-castan", "ecocert-ma", "CONTROL_BODY")
    assert [each["id"] for each in (await body.gets("/proposals"))["items"]] == [made["proposal_id"]]
    assert (await decide(body, made["proposal_id"], "validate")).status_code == 200


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"identifiers": [{"type": "EORI", "value": "FR00100311000010"}]}, "EORI"),
        ({"name": "S.A.R.L. Pyrenees Bio-Import (démonstration)", "postal_code": "31200"}, "NAME_AND_POSTAL_CODE"),
        ({"name": "Pyrénnées Bio Import (démonstration)", "city": "Toulouse", "postal_code": "31000"}, "SIMILAR_NAME"),
    ],
)
async def test_look_alikes_are_shown_before_it_can_be_sent(house: House, other: JSON, reason: str) -> None:
    me, wish = house.person("jeanne-martin"), company(**other)
    found = await me.does("POST", "/organisations/look-alikes", wish)
    assert (found[0]["organisation"]["id"], found[0]["reason"]) == (demo.organisation_id("pyrenees-bio-import"), reason)
    assert found[0]["score"] >= 84
    assert await me.refused("POST", "/organisations", wish) == "look_alikes"
    made = await me.does("POST", "/organisations", {**wish, "another_one": True})
    shown = await inao(house).gets(f"/proposals/{made['proposal_id']}")
    assert shown["look_alikes"][0]["reason"] == reason
    role = (await house.person("noemie-vidal").wants("pyrenees-bio-import"))[0]
    sides = await inao(house).gets(f"/role-requests/{role['id']}")
    alike = {each["organisation"]["id"]: each["reason"] for each in sides["look_alikes"]}
    assert alike[made["organisation_id"]] == reason, "also where somebody asks to join the one that was there before"


async def test_a_key_creates_one_operator(house: House) -> None:
    me, key = house.person("jeanne-martin"), uuid4().hex
    first = await me.does("POST", "/organisations", company(), key)
    assert await me.does("POST", "/organisations", company(), key) == first
    assert await me.refused("POST", "/organisations", company(name="Another"), key) == "key_reused"


async def test_an_authority_creates_and_corrects_operators_of_its_territory_valid_at_once(house: House) -> None:
    desk = inao(house)
    made = await desk.does("POST", "/organisations", company())
    assert (made["status"], made["role_id"], made["proposal_id"]) == ("VALID", None, None)
    path = f"/organisations/{made['organisation_id']}"
    may = await desk.gets(f"{path}/may")
    assert may["edit"] == "NOW"
    await desk.does(
        "PUT", path, {"revision": may["revision"], "changes": {"name": "Vallée du Lot Bio"}, "reason": "Typo"}
    )
    assert (await desk.gets(path))["name"] == "Vallée du Lot Bio"
    belgian = house.person("anne-lambert", "be-central", "AUTHORITY")
    assert (await belgian.gets(f"{path}/may"))["edit"] is None
    assert await belgian.refused("POST", "/organisations", OTHER) == "one_role_type"


async def test_departments_and_control_bodies_keep_to_their_own(house: House) -> None:
    department = house.person("odile-faure", "ddpp-31", "AUTHORITY")
    assert (await department.does("POST", "/organisations", company(postal_code="31100")))["status"] == "VALID"
    assert await department.refused("POST", "/organisations", OTHER) == "one_role_type"
    body = house.person("helene-castan", "ecocert-ma", "CONTROL_BODY")
    exporter = company(
        name="Oasis Draa Export", country="MA", city="Zagora", postal_code="", identifiers=[],
        activities=[{"kind": "ORG_EXPORTER", "control_body": ECOCERT_MA}],
    )  # fmt: skip
    assert (await body.does("POST", "/organisations", exporter))["status"] == "VALID"


async def test_a_material_edit_waits_while_the_valid_version_stays_in_force(house: House) -> None:
    owner = house.person("gilles-rouquette", "tarn-bio-import", "OPERATOR", True)
    path = f"/organisations/{TARN}"
    before, may = await owner.gets(path), await owner.gets(f"{path}/may")
    changes = {"name": "Tarn Bio Négoce (démonstration)", "address": "9 rue Neuve"}
    after = await owner.does("PUT", path, {"revision": may["revision"], "changes": changes, "reason": "New name."})
    now = await owner.gets(path)
    assert (now["name"], now["address"], now["status"]) == (before["name"], "9 rue Neuve", "VALID")
    shown = await inao(house).gets(f"/proposals/{after['pending']}")
    assert shown["differences"] == [{"field": "name", "before": before["name"], "after": changes["name"]}]
    again = {"revision": after["revision"], "changes": {"name": "Third name"}}
    assert await owner.refused("PUT", path, again) == "already_exists"
    assert (await decide(owner, after["pending"], "validate")).json()["code"] == "own_request"
    assert (await decide(inao(house), after["pending"], "validate")).json()["status"] == "VALID"
    assert (await owner.gets(path))["name"] == changes["name"]


async def test_a_refused_edit_leaves_no_trace_in_the_record(house: House) -> None:
    owner, path = house.person("gilles-rouquette", "tarn-bio-import", "OPERATOR", True), f"/organisations/{TARN}"
    may = await owner.gets(f"{path}/may")
    wanted = [{"kind": "ORG_IMPORTER", "control_body": ECOCERT_FR}, {"kind": "RFL"}]
    after = await owner.does("PUT", path, {"revision": may["revision"], "changes": {"activities": wanted}})
    await decide(inao(house), after["pending"], "refuse", "Not a customs agent.")
    assert [each["kind"] for each in (await owner.gets(path))["activities"]] == ["ORG_IMPORTER"]
    assert (await owner.gets(f"{path}/may"))["pending"] is None


async def test_an_edit_on_an_old_revision_is_refused(house: House) -> None:
    owner, path = house.person("gilles-rouquette", "tarn-bio-import", "OPERATOR", True), f"/organisations/{TARN}"
    may = await owner.gets(f"{path}/may")
    await owner.does("PUT", path, {"revision": may["revision"], "changes": {"city": "Gaillac"}})
    assert (
        await owner.refused("PUT", path, {"revision": may["revision"], "changes": {"city": "Albi"}}) == "stale_revision"
    )
    colleague = house.person("claire-delmas", "pyrenees-bio-import", "OPERATOR", True)
    assert await colleague.refused("PUT", path, {"revision": 1, "changes": {"city": "X"}}) == "not_found"


async def test_an_authority_that_corrects_makes_the_decider_look_again(house: House) -> None:
    owner, path, desk = (
        house.person("gilles-rouquette", "tarn-bio-import", "OPERATOR", True),
        f"/organisations/{TARN}",
        inao(house),
    )
    may = await owner.gets(f"{path}/may")
    after = await owner.does("PUT", path, {"revision": may["revision"], "changes": {"name": "Tarn Négoce"}})
    seen = await desk.gets(f"/proposals/{after['pending']}")
    now = await desk.gets(f"{path}/may")
    await desk.does("PUT", path, {"revision": now["revision"], "changes": {"name": "Tarn Bio"}})
    wish = {"action": "validate", "revision": seen["revision"]}
    assert await desk.refused("POST", f"/proposals/{after['pending']}/steps", wish) == "stale_revision"
    assert (await decide(desk, after["pending"], "validate")).json()["status"] == "VALID"


async def test_an_activity_warns_twice_and_then_ends(house: House, otherwise: Callable[[str], None]) -> None:
    otherwise("record_first_warning=45")
    desk, path = inao(house), f"/organisations/{TARN}"
    may = await desk.gets(f"{path}/may")
    ends = [{"kind": "ORG_IMPORTER", "control_body": ECOCERT_FR, "valid_to": "2027-03-31"}]
    await desk.does("PUT", path, {"revision": may["revision"], "changes": {"activities": ends}})
    moments = []
    for _ in range(3):
        await house.ring_standing("tarn-bio-import")
        moments.append(house.clock().isoformat())
    # midnight in Toulouse after the last day; summer time began on 28 March
    assert moments == ["2027-02-14T22:00:00+00:00", "2027-03-24T22:00:00+00:00", "2027-03-31T22:00:00+00:00"]
    told = [body for subject, body in await house.news() if subject == "directory.activity.ending.v1"]
    assert [(each["days"], each["concerns"]) for each in told] == [(days, [TARN, ECOCERT_FR]) for days in (45, 7, 0)]
    record = await desk.gets(path)
    assert (record["status"], record["activities"][0]["status"]) == ("EXPIRED", "EXPIRED")


async def step(somebody: Somebody, slug: str, action: str, **form: Any) -> Any:
    """A step about an organisation's standing."""
    path = f"/organisations/{demo.organisation_id(slug)}"
    revision = (await somebody.gets(f"{path}/may"))["revision"]
    return await somebody.asks("POST", f"{path}/steps", {"action": action, "revision": revision, "form": form})


async def test_standing_is_changed_by_whoever_answers_for_it_with_a_reason(house: House) -> None:
    desk = inao(house)
    assert (await step(desk, "tarn-bio-import", "suspend")).json()["field"] == "reason"
    assert (await step(desk, "tarn-bio-import", "suspend", reason="Residues found.")).json()["status"] == "SUSPENDED"
    assert (await step(desk, "tarn-bio-import", "suspend", reason="Again.")).json()["code"] == "already_decided"
    assert (await step(desk, "tarn-bio-import", "reinstate", reason="Cleared.")).json()["status"] == "VALID"
    one = await step(desk, "pyrenees-bio-import", "suspend", reason="Only this.", activity="ORG_IMPORTER")
    assert one.json()["status"] == "VALID"
    record = await desk.gets(f"/organisations/{demo.organisation_id('pyrenees-bio-import')}")
    assert {each["kind"]: each["status"] for each in record["activities"]} == {
        "ORG_IMPORTER": "SUSPENDED",
        "ORG_OPERATOR": "VALID",
    }
    owner = house.person("gilles-rouquette", "tarn-bio-import", "OPERATOR", True)
    assert (await step(owner, "tarn-bio-import", "suspend", reason="Holiday.")).json()["code"] == "not_found"


async def test_two_records_of_one_organisation_become_one(house: House) -> None:
    desk = inao(house)
    gone, kept = "tarn-bio-import", "acme-bio-imports"
    merged = await step(desk, gone, "merge", into=demo.organisation_id(kept), reason="The same company.")
    assert merged.json()["status"] == "DELETED"
    gilles = house.person("gilles-rouquette")
    assert [each["organisation"]["id"] for each in await gilles.gets("/people/me/role-requests")] == [
        demo.organisation_id(kept)
    ]
    subject, told = (await house.news())[-1]
    assert (subject, told["kept"]) == ("directory.organisation.merged.v1", demo.organisation_id(kept))
    numbers = (await desk.gets(f"/organisations/{demo.organisation_id(kept)}"))["identifiers"]
    old = (await desk.gets(f"/organisations/{demo.organisation_id(gone)}"))["identifiers"]
    assert all(each in numbers for each in old)


async def test_the_record_is_known_as_it_stood_on_any_day(house: House) -> None:
    desk, path = inao(house), f"/organisations/{TARN}"
    was, then = (await desk.gets(path))["city"], house.clock()
    house.clock.forward(days=10)
    may = await desk.gets(f"{path}/may")
    moved = {"revision": may["revision"], "changes": {"city": "Gaillac"}, "reason": "They moved."}
    await desk.does("PUT", path, moved)
    house.clock.forward(days=1)
    shown = await desk.gets(f"{path}/history", at=then.isoformat())
    assert shown["record"]["city"] == was
    assert shown["lines"][0] == shown["lines"][0] | {"why": "They moved.", "what": "corrected"}
    assert shown["lines"][0]["differences"] == [{"field": "city", "before": was, "after": "Gaillac"}]
    assert (await desk.gets(f"{path}/history"))["record"]["city"] == "Gaillac"
    assert await house.person("wayan-peeters", "abian-bali-eu").refused("GET", f"{path}/history") == "not_found"


async def test_the_public_directory_needs_no_sign_in_and_shows_no_person(house: House) -> None:
    bare = {"Authorization": ""}
    answer = await house.client.get("/public/organisations", params={"country": "FR", "limit": 100}, headers=bare)
    shown = answer.json()["items"]
    assert {each["kind"] for each in shown} == {"OPERATOR", "CONTROL_BODY", "AUTHORITY"}
    assert "vaysse-import" not in answer.text
    assert "@" not in answer.text
    assert (await house.client.get("/organisations", headers=bare)).status_code == 401


async def test_the_commission_creates_authorities_and_control_bodies(house: House) -> None:
    commission = house.person("eva-novak", "commission", "AUTHORITY", True)
    body = company(
        kind="CONTROL_BODY", name="Bio Control Iberia", country="ES", city="Madrid", postal_code="28001",
        identifiers=[], activities=[], code="ES-BIO-77", time_zone="Europe/Madrid",
        recognitions=[{"country": "ES", "categories": ["a", "d"], "legal_basis": "2018/848"}],
    )  # fmt: skip
    made = await commission.does("POST", "/organisations", body)
    assert made["status"] == "VALID"
    wrong = await commission.asks("POST", "/organisations", {**body, "code": "ESBIO77"})
    assert wrong.json()["problems"][0]["code"] == "not_body_code"
    assert await inao(house).refused("POST", "/organisations", {**body, "name": "Other"}) == "not_permitted"
