"""The directory at its HTTP door, against a real database."""

from typing import Any

import pytest

from services.directory import demo, store
from services.directory.models import OrganisationRow
from services.directory.store import By
from shared.kit.sessions import Post
from tests.services.conftest import PassportOffice
from tests.services.directory.conftest import House

ECOCERT = demo.organisation_id("ecocert-ma")
ATLAS = demo.organisation_id("atlas-bio-export")


@pytest.mark.parametrize(
    ("wanted", "first"),
    [
        ({"text": "MA-BIO-154"}, "ecocert-ma"),
        ({"text": "mabio154"}, "ecocert-ma"),
        ({"text": "ma bio 154"}, "ecocert-ma"),
        ({"text": "Ecocert MA"}, "ecocert-ma"),
        ({"code": "ma-bio-154"}, "ecocert-ma"),
        ({"text": "pyrenees"}, "pyrenees-bio-import"),
        ({"text": "PYRÉN"}, "pyrenees-bio-import"),
        ({"text": "BE0001"}, "aalst-customs"),
        ({"text": "agadir", "activity": "ORG_EXPORTER"}, "atlas-bio-export"),
        ({"country": "FR", "kind": "AUTHORITY", "authority_role": "BCP", "text": "perp"}, "perpignan"),
    ],
)
async def test_an_organisation_is_found(house: House, wanted: dict[str, str], first: str) -> None:
    assert (await house.names(**wanted))[0] == first


async def test_identifiers_find_their_owner(house: House) -> None:
    for slug, identifiers in await house.all("SELECT slug, identifiers FROM organisation"):
        for each in identifiers:
            assert (await house.names(text=each["value"]))[0] == slug
            assert slug in await house.names(text=each["value"].replace("-", " ").lower(), limit=100)


async def test_filters_leave_only_what_fits(house: House) -> None:
    assert await house.names(kind="AUTHORITY", country="BE", competence="ORGANIC", authority_role="BCP")
    rows = await house.all("SELECT slug FROM organisation WHERE country = 'MA' ORDER BY name_key, id")
    assert await house.names(country="MA", limit=100) == [slug for (slug,) in rows]
    suspended = await house.all("SELECT slug FROM organisation WHERE status = 'SUSPENDED'")
    assert await house.names(status="SUSPENDED") == [slug for (slug,) in suspended]
    assert "ecocert-ma" in await house.names(kind="CONTROL_BODY", recognised_in="MA")
    assert "certisys" not in await house.names(kind="CONTROL_BODY", recognised_in="MA")
    assert await house.names(text="no such organisation") == []


@pytest.mark.parametrize("wanted", [{}, {"text": "bio"}, {"text": "ma-bio-154"}, {"country": "FR"}])
async def test_pages_follow_each_other_without_gap_or_repetition(house: House, wanted: dict[str, str]) -> None:
    whole = await house.names(**wanted, limit=100)
    pages: list[str] = []
    after: dict[str, str] = {}
    while True:
        answer = (await house.client.get("/organisations", params={**wanted, **after, "limit": 3})).json()
        pages += [each["slug"] for each in answer["items"]]
        if answer["next"] is None:
            break
        after = {"after": answer["next"]}
    assert pages == whole
    assert len(set(pages)) == len(pages) > 1


async def test_names_are_sorted_as_people_expect(empty: House) -> None:
    async with empty.around.database.transaction() as session:
        for number, name in enumerate(("Zèbre", "étoile", "Epice", "Abricot", "éclair")):
            await store.create(session, _row(number, name), By(), empty.clock())
    answer = await empty.client.get("/organisations")
    assert [each["name"] for each in answer.json()["items"]] == ["Abricot", "éclair", "Epice", "étoile", "Zèbre"]


@pytest.mark.parametrize(
    "text", ["' OR 1=1", "\\", "a & | !", "bio:*", "%", "\0bio", "😀", "ﷺ" * 50, "x" * 200, "'''", "-", "مَا"]
)
async def test_no_text_breaks_the_search(house: House, text: str) -> None:
    answer = await house.client.get("/organisations", params={"text": text})
    assert answer.status_code == 200


async def test_a_record_shows_everything_public(house: House) -> None:
    record = (await house.client.get(f"/organisations/{ATLAS}")).json()
    assert record["slug"] == "atlas-bio-export"
    assert record["activities"][0] == {
        "kind": "ORG_EXPORTER",
        "chapter": "ORGANIC",
        "section": "ORGANIC",
        "status": "VALID",
        "valid_from": "2019-01-01",
        "valid_to": None,
        "control_body": ECOCERT,
        "control_body_code": "MA-BIO-154",
    }
    assert {"type": "TRACES", "value": "MA-ORG-000118"} in record["identifiers"]
    assert record["contacts"][0]["kind"] == "email"


async def test_several_records_can_be_asked_for_at_once(house: House) -> None:
    answer = await house.client.get("/organisations", params={"ids": f"{ATLAS},{ECOCERT},{demo.person_id('x')}"})
    assert [each["slug"] for each in answer.json()["items"]] == ["atlas-bio-export", "ecocert-ma"]


async def test_a_person_sees_his_roles(house: House) -> None:
    roles = (await house.client.get("/people/me/roles")).json()
    assert [(role["organisation_id"], role["administrator"], role["status"]) for role in roles] == [
        (demo.organisation_id("languedoc-bio"), True, "VALID"),
        (demo.organisation_id("pyrenees-bio-import"), False, "VALID"),
    ]


async def test_only_the_signed_in_and_our_services_may_read(house: House, passports: PassportOffice) -> None:
    house.client.headers.pop("Authorization")
    for path in ("/organisations", f"/organisations/{ATLAS}", "/people/me/roles", "/events"):
        answer = await house.client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    for path in ("/organisations", f"/organisations/{ATLAS}", "/events"):
        assert (await house.client.get(path, headers=passports.service())).status_code == 200
    several = passports.bearer(Post("a", "OPERATOR"), Post("b", "OPERATOR"))
    assert (await house.client.get("/organisations", headers=several)).status_code == 200
    assert (await house.client.get("/events", headers=several)).status_code == 401


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"contry": "FR"}, "contry"),
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"text": "x" * 201}, "text"),
        ({"ids": "x"}, "ids"),
        ({"after": "x"}, "after"),
        ({"after": "W10"}, "after"),
        ({"after": "WyJhIiwgImIiXQ"}, "after"),
        ({"after": "é"}, "after"),
        (
            {"after": "Wzk5OTk5OTk5OTk5OTk5OTk5OTk5LCAiYSIsICIwMDAwMDAwMC0wMDAwLTAwMDAtMDAwMC0wMDAwMDAwMDAwMDAiXQ"},
            "after",
        ),
    ],
)
async def test_what_is_not_right_is_named(house: House, wanted: dict[str, Any], field: str) -> None:
    answer = await house.client.get("/organisations", params=wanted)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "invalid", field)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_what_is_not_there_is_not_found(house: House) -> None:
    assert (await house.client.get(f"/organisations/{demo.person_id('x')}")).json()["code"] == "not_found"
    assert (await house.client.get("/organisations/x")).json()["field"] == "organisation_id"


def _row(number: int, name: str) -> OrganisationRow:
    return OrganisationRow(
        id=f"00000000-0000-4000-8000-{number:012}", kind="OPERATOR", name=name, country="FR", status="VALID"
    )
