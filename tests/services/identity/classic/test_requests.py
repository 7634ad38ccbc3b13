"""Classic requests, from the form to a valid account, against a real database."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from shared.kit.http import ServiceClient
from shared.kit.keys import keyring
from shared.kit.settings import Registering
from shared.rules.refusals import Refused
from tests.services.identity.classic.asking import ODILES, OTHMARS, letters
from tests.services.identity.conftest import PASSWORD
from tests.services.identity.territory import DDPP_31, DDPP_81, ODILE, Territory


async def test_from_the_form_to_the_first_sign_in(territory: Territory) -> None:
    request = await territory.asks()
    assert await letters(territory, request) == ["account-confirmation"]
    assert (await territory.house.sign_in("ann@tarn.example")).status_code == 401, "NEW: no access"
    confirmed = (await territory.confirms(request)).json()
    assert confirmed["authority"]["name"] == "DDPP de la Haute-Garonne"
    assert (await territory.house.sign_in("ann@tarn.example")).status_code == 401, "CONFIRMED: no access"
    course = await territory.look(request)
    assert [(each.letter, each.person_id) for each in course.letters] == [("account-requests", ODILE)]
    odile = await territory.official(ODILES)
    seen = (await odile.sees(request)).json()
    assert (seen["status"], seen["may"]) == ("CONFIRMED", ["activate", "refuse", "correct"])
    activated = (await odile.decides(request, "activate")).json()
    assert (activated["status"], activated["lines"][0]["person"]) == ("VALID", "Odile Faure")
    assert "account-activated" in await letters(territory, request)
    assert (await territory.house.sign_in("ann@tarn.example")).status_code == 201
    assert await territory.house.one("SELECT count(*) FROM registration WHERE password_hash IS NOT NULL") == 0


async def test_password_and_answer_are_nowhere_in_clear(territory: Territory) -> None:
    await territory.confirmed(answer="Zorro-the-fox")
    for table in ("registration", "link", "journal", "outbox"):
        for secret in (PASSWORD, "Zorro-the-fox"):
            found = await territory.house.one(
                f"SELECT count(*) FROM {table} t WHERE t::text LIKE :s",
                s=f"%{secret}%",
            )
            assert found == 0, table


async def test_the_form_says_all_that_is_wrong_at_once(territory: Territory) -> None:
    answer = await territory.fill_in(
        email="nobody",
        password="short",
        question="of mine",
        answer="  ",
        privacy=False,
        organisation={"name": "", "address": "x", "postal_code": "3120", "country": "FR"},
    )
    assert answer.status_code == 422
    problems = {(each["field"], each["code"]) for each in answer.json()["problems"]}
    assert problems >= {
        ("email", "not_an_address"), ("password", "password_short"), ("password_again", "passwords_differ"),
        ("question", "not_in_list"), ("answer", "field_needed"), ("privacy", "privacy_unread"),
        ("organisation.name", "field_needed"), ("organisation.postal_code", "postal_code_wrong"),
    }  # fmt: skip


class Directory(ServiceClient):
    """One valid organisation and one that is closed, as the directory tells other services of them."""

    async def get(self, service: str, path: str, **params: Any) -> Any:
        assert service == "directory"
        status = {f"/organisations/{DDPP_81}": "VALID", f"/organisations/{DDPP_31}": "CLOSED"}.get(path)
        if status is None:
            raise Refused("not_found")
        return {"status": status, "name": "Albi Bio", "address": "9 lices Jean-Moulin", "postal_code": "81000",
                "city": "Albi", "country": "FR", "contacts": []}  # fmt: skip


async def test_an_organisation_of_the_directory_keeps_its_own_address(territory: Territory) -> None:
    around = territory.house.around
    picked = {"name": "Albi", "postal_code": "31200", "city": "Toulouse", "country": "FR", "organisation_id": DDPP_81}
    request = await territory.asks("away@tarn.example", organisation=picked)
    keep = "SELECT details->'organisation'->>:name FROM registration WHERE id = :id"
    assert await territory.house.one(keep, name="name", id=request) == "Albi", "the directory is away"
    around.others = Directory("identity", around.settings.base_url, keyring(around.settings.codec_key_file, "services"))
    for wrong in (DDPP_31, ODILE, "nonsense"):
        refused = await territory.fill_in(organisation=picked | {"organisation_id": wrong})
        assert [each["field"] for each in refused.json()["problems"]] == ["organisation.name"], wrong
    request = await territory.asks(organisation=picked)
    secret = await territory.secret(request, "account-confirmation")
    shown = (await territory.post("/registrations/classic/opened", {"secret": secret})).json()
    assert (shown["organisation"]["address"], shown["authority"]["code"]) == ("", "FRDDPP81")
    await territory.confirms(request)
    seen = (await (await territory.official(OTHMARS)).sees(request)).json()["organisation"]
    assert (seen["name"], seen["address"], seen["city"]) == ("Albi Bio", "9 lices Jean-Moulin", "Albi")


@pytest.mark.parametrize("email", ["odile@ddpp31.example", "ann@tarn.example"])
async def test_known_and_unknown_addresses_get_the_same_answer(territory: Territory, email: str) -> None:
    answer = await territory.fill_in(email)
    assert (answer.status_code, set(answer.json()), answer.json()["days"]) == (202, {"id", "days"}, 7)


async def test_a_known_address_gets_another_letter_and_no_request(territory: Territory) -> None:
    request = await territory.asks("ODILE@ddpp31.example")
    assert await letters(territory, request) == ["account-exists"]
    assert await territory.house.one("SELECT count(*) FROM registration WHERE password_hash IS NOT NULL") == 0


async def test_one_open_request_for_each_address_and_the_older_one_counts(territory: Territory) -> None:
    first = await territory.asks()
    second = await territory.asks(password="Somebody-elses-1", password_again="Somebody-elses-1")
    assert await letters(territory, second) == ["account-exists"]
    assert (await territory.confirms(first)).json()["state"] == "CONFIRMED"


async def test_a_classic_request_closes_one_of_the_other_kind_and_blocks_new_ones(territory: Territory) -> None:
    await territory.confirmed()
    assert (await territory.house.one("SELECT count(*) FROM registration WHERE state = 'CONFIRMED'")) == 1
    second = await territory.asks()
    assert (await territory.look(second)).state == "KNOWN"


async def test_what_is_not_offered_is_not_there(territory: Territory) -> None:
    settings = territory.house.around.settings
    settings.registration = Registering.EU
    assert (await territory.fill_in()).status_code == 404
    assert await territory.house.one("SELECT count(*) FROM registration") == 0
    settings.registration = Registering.CLASSIC
    assert (await territory.fill_in()).status_code == 202
    eu = {"first_name": "Ann", "last_name": "O'Neill", "email": "bea@tarn.example", "email_again": "bea@tarn.example"}
    form = eu | {"language": "en", "privacy": True, "proof": "none"}
    assert (await territory.post("/registrations", form)).status_code == 404


async def test_the_same_form_sent_twice_is_one_request(territory: Territory) -> None:
    key = uuid4().hex
    first = await territory.fill_in(key=key)
    assert (await territory.fill_in(key=key)).json() == first.json()
    assert await territory.house.one("SELECT count(*) FROM registration") == 1


async def test_whoever_did_not_ask_says_so_and_everything_is_forgotten(territory: Territory) -> None:
    request = await territory.asks()
    assert (await territory.confirms(request, mine=False)).json()["state"] == "EXPIRED"
    assert await territory.house.one("SELECT count(*) FROM registration") == 0
    again = await territory.asks()
    assert await letters(territory, again) == ["account-confirmation"], "the address is free again"


async def test_a_link_works_once_and_not_after_seven_days(territory: Territory) -> None:
    request = await territory.asks()
    assert (await territory.confirms(request)).status_code == 200
    assert (await territory.confirms(request)).json()["code"] == "link_expired"
    other = await territory.asks("late@tarn.example")
    territory.house.clock.forward(days=7, seconds=1)
    assert (await territory.confirms(other)).json()["code"] == "link_expired"


async def test_who_does_not_confirm_is_reminded_once_and_forgotten_after_seven_days(territory: Territory) -> None:
    request = await territory.asks()
    course = await territory.rings(request)
    assert [each.letter for each in course.letters] == ["account-confirmation-reminder"]
    assert (await territory.confirms(request)).json()["code"] == "link_expired", "the first link is replaced"
    assert (await territory.rings(request)).over
    assert await territory.house.one("SELECT count(*) FROM registration") == 0


async def test_no_reminder_follows_where_the_request_is_forgotten_by_then(
    territory: Territory, otherwise: Callable[[str], None]
) -> None:
    otherwise("confirmation=2")
    assert (await territory.rings(await territory.asks())).over


async def test_the_link_of_the_reminder_confirms_as_well(territory: Territory) -> None:
    request = await territory.asks()
    await territory.rings(request)
    answer = await territory.confirms(request, purpose="account-confirmation-reminder")
    assert answer.json()["state"] == "CONFIRMED"
