"""The demonstration's organisations and accounts: every name resolves, every number is well formed, nothing is real."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from stdnum import luhn
from stdnum.be import vat as be_vat
from stdnum.fr import siret, tva

from shared.reference.categories import categories
from shared.reference.countries import countries

DEMO = Path(__file__).parents[2] / "deploy" / "demo"
ORGANISATIONS: dict[str, Any] = json.loads((DEMO / "organisations.json").read_text(encoding="utf-8"))
ACCOUNTS: dict[str, Any] = json.loads((DEMO / "accounts.json").read_text(encoding="utf-8"))
BY_SLUG: dict[str, dict[str, Any]] = {row["slug"]: row for row in ORGANISATIONS["organisations"]}
PEOPLE: list[dict[str, Any]] = ACCOUNTS["accounts"]

KINDS = {"OPERATOR", "CONTROL_BODY", "AUTHORITY", "SYS_ADMIN"}
ACTIVITIES = {"ORG_IMPORTER", "ORG_EXPORTER", "ORG_PRODUCER", "ORG_OPERATOR", "RFL"}
AUTHORITIES = {"BCP", "CCA", "CUSTOMS", "NATIONAL_VALIDATING", "EC"}
PROCEDURES = {"UNION", "COMPLIANCE", "EQUIVALENT_THIRD_COUNTRY", "EQUIVALENT_CONTROL_BODY"}
STATUSES = {"NEW", "VALID", "SUSPENDED", "EXPIRED"}


def test_the_files_say_what_they_are() -> None:
    for content in (ORGANISATIONS, ACCOUNTS):
        assert content["note"].startswith("Demonstration only")
        assert content["origin"]
        assert content["licence"]
        assert date.fromisoformat(content["date"])


def test_slugs_and_addresses_stand_once() -> None:
    assert len(BY_SLUG) == len(ORGANISATIONS["organisations"]) >= 35
    assert len({person["slug"] for person in PEOPLE}) == len(PEOPLE) >= 25
    assert len({person["email"] for person in PEOPLE}) == len(PEOPLE)


@pytest.mark.parametrize("slug", BY_SLUG)
def test_an_organisation_is_complete_and_marked(slug: str) -> None:
    row = BY_SLUG[slug]
    assert row["name"].endswith(" (démonstration)")
    assert row["kind"] in KINDS
    assert row["country"] in countries()
    assert row["status"] in STATUSES
    assert all(row[field] for field in ("city", "postal_code", "address"))
    assert -90 <= row["latitude"] <= 90
    assert -180 <= row["longitude"] <= 180
    ZoneInfo(row["time_zone"])
    contacts = {contact["kind"]: contact["value"] for contact in row["contacts"]}
    assert contacts["email"].endswith(".example")
    assert contacts["web"].endswith(".example")
    for activity in row["activities"]:
        assert activity["kind"] in ACTIVITIES
        assert activity["status"] in STATUSES
        body = activity["control_body"]
        assert (body is None) == (activity["kind"] == "RFL")
        assert body is None or BY_SLUG[body]["kind"] == "CONTROL_BODY"
    assert bool(row["activities"]) == (row["kind"] == "OPERATOR")
    assert bool(row["recognitions"]) == (row["kind"] == "CONTROL_BODY")
    assert (row["authority_role"] in AUTHORITIES) == (row["kind"] == "AUTHORITY")
    assert row["superior"] is None or BY_SLUG[row["superior"]]["authority_role"] == "CCA"
    assert row["authority_role"] != "BCP" or row["superior"]


@pytest.mark.parametrize("slug", [slug for slug, row in BY_SLUG.items() if row["kind"] == "CONTROL_BODY"])
def test_a_control_body_is_recognised_where_its_code_says(slug: str) -> None:
    row = BY_SLUG[slug]
    assert re.fullmatch(r"[A-Z]{2}-[A-ZÖ]{3}-\d{1,3}", row["code"])
    for recognition in row["recognitions"]:
        assert recognition["country"] == row["code"][:2]
        assert set(recognition["categories"]) <= set(categories())
        assert recognition["legal_basis"] in PROCEDURES
        assert date.fromisoformat(recognition["valid_from"])
        assert (recognition["legal_basis"] == "UNION") == countries()[recognition["country"]].in_union


def test_codes_of_bodies_and_authorities_stand_once() -> None:
    codes = [row["code"] for row in BY_SLUG.values() if row["code"]]
    assert len(set(codes)) == len(codes)
    assert {"MA-BIO-154", "BE-BIO-01", "BE-BIO-03", "BE0001", "FR007", "FRCDG4R", "FRDGCCRF11"} <= set(codes)


def test_numbers_have_their_check_digits() -> None:
    checked = 0
    for row in BY_SLUG.values():
        for identifier in row["identifiers"]:
            value = identifier["value"]
            if identifier["type"] == "SIRET":
                assert siret.validate(value) == value
                assert luhn.is_valid(value)
            elif identifier["type"] == "VAT":
                (tva if row["country"] == "FR" else be_vat).validate(value)
            elif identifier["type"] == "EORI":
                assert re.fullmatch(r"[A-Z]{2}[A-Z0-9]{1,15}", value)
                assert value[:2] == row["country"]
            checked += 1
    assert checked > 30


@pytest.mark.parametrize("email", [person["email"] for person in PEOPLE])
def test_a_person_works_for_organisations_of_one_kind(email: str) -> None:
    person = next(row for row in PEOPLE if row["email"] == email)
    assert email.endswith(".example")
    assert person["language"] in ("fr", "en")
    ZoneInfo(person["time_zone"])
    granted = [BY_SLUG[grant["organisation"]] for grant in person["grants"]]
    assert granted
    assert len({row["kind"] for row in granted}) == 1


def test_whoever_is_needed_for_the_story_is_there() -> None:
    emails = {person["email"] for person in PEOPLE}
    assert {
        "exporter@atlas.example",
        "inspector@ecocert.example",
        "importer@pyrenees.example",
        "officer@perpignan.example",
        "consignee@garonne.example",
        "supervisor@dgccrf.example",
        "ops@bordereau.example",
    } <= emails
    posts = [grant["organisation"] for person in PEOPLE for grant in person["grants"]]
    assert posts.count("perpignan") >= 2
    assert {row["kind"] for slug, row in BY_SLUG.items() if slug in posts} == KINDS
    assert {activity["kind"] for row in BY_SLUG.values() for activity in row["activities"]} == ACTIVITIES
    assert {row["authority_role"] for row in BY_SLUG.values()} == AUTHORITIES | {None}
    assert any(len(person["grants"]) > 1 for person in PEOPLE)
    assert {person["language"] for person in PEOPLE} == {"fr", "en"}
    assert len(ACCOUNTS["password"]) >= 10


def test_there_is_something_to_refuse() -> None:
    def importers_without_eori() -> list[str]:
        return [
            slug
            for slug, row in BY_SLUG.items()
            if any(activity["kind"] == "ORG_IMPORTER" for activity in row["activities"])
            and not any(identifier["type"] == "EORI" for identifier in row["identifiers"])
        ]

    assert importers_without_eori() == ["tarn-bio-import"]
    assert BY_SLUG["rif-bio-trading"]["status"] == "SUSPENDED"
    assert BY_SLUG["oriental-bio-export"]["activities"][0]["status"] == "EXPIRED"
    assert "EORI" in {identifier["type"] for identifier in BY_SLUG["pyrenees-bio-import"]["identifiers"]}
