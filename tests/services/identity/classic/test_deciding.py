"""The users of a territory: whose turn it is, decisions, finding and correcting."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from shared.contracts.identity import Kind
from shared.kit.sessions import service_token
from shared.rules.actor import Actor
from shared.rules.refusals import Refused
from tests.services.identity.classic.asking import ODILES, OTHMARS, SYLVIES, elsewhere, letters
from tests.services.identity.territory import CAMILLE, DDPP_31, ODILE, SYLVIE, Territory

# ── Whose turn it is ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("postal_code", "country", "validates"),
    [
        ("31200", "FR", "DDPP de la Haute-Garonne"),
        ("81000", "FR", "DDETSPP du Tarn"),
        ("75001", "FR", "INAO"),
        ("20090", "FR", "INAO"),
        ("80000", "MA", "INAO"),
    ],
)
async def test_the_department_decides_and_where_it_is_not_there_the_national_authority(
    territory: Territory, postal_code: str, country: str, validates: str
) -> None:
    request = await territory.asks(**elsewhere(postal_code, country))
    assert (await territory.confirms(request)).json()["authority"]["name"] == validates


async def test_requests_of_one_hour_stand_in_one_letter(territory: Territory) -> None:
    first = await territory.confirmed("one@tarn.example")
    territory.house.clock.forward(minutes=5)
    second, third = await territory.confirmed("two@tarn.example"), await territory.confirmed("three@tarn.example")
    assert (await letters(territory, first), await letters(territory, second)) == (["account-requests"], [])
    assert (await territory.look(second)).due.name == "authority told"  # type: ignore[union-attr]
    course = await territory.rings(second)
    assert [each.letter for each in course.letters] == ["account-requests"]
    course = await territory.rings(third)
    assert course.letters == (), "the second letter told of both"


async def test_the_digest_is_made_while_it_is_written(territory: Territory) -> None:
    first = await territory.confirmed("one@tarn.example")
    territory.house.clock.forward(minutes=1)
    await territory.confirmed("two@tarn.example", first_name="Paul")
    link = await territory.house.one("SELECT id FROM link WHERE purpose = 'account-requests'")
    services = territory.house.around.gatekeeper
    headers = {"Authorization": f"Bearer {service_token('notifications', services._ring)}"}
    facts = (await territory.house.client.get(f"/links/{link}", headers=headers)).json()["facts"]
    assert facts["count"] == 2
    assert facts["requests"][0]["name"] == "Ann O'Neill"
    assert facts["requests"][0]["url"].endswith(f"/users/{first}")
    async with territory.house.around.database.transaction() as session:
        await session.execute(text("DELETE FROM post WHERE person_id = :p"), {"p": ODILE})
    assert (await territory.house.client.get(f"/links/{link}", headers=headers)).status_code == 404


async def test_the_clocks_remind_escalate_and_let_it_expire(territory: Territory) -> None:
    request = await territory.confirmed()  # on a Friday at noon
    asked = territory.house.clock()
    due = (await territory.look(request)).due
    assert due is not None
    assert (due.name, due.at) == ("validator_reminded", asked + timedelta(days=4)), "two working days"
    assert [each.person_id for each in (await territory.rings(request)).letters] == [ODILE]
    sylvie = await territory.official(SYLVIES)
    assert (await sylvie.sees(request)).status_code == 404
    course = await territory.rings(request)
    assert [each.person_id for each in course.letters if each.letter == "account-requests-late"] == [SYLVIE]
    sylvie = await territory.official(SYLVIES)
    assert (await sylvie.sees(request)).json()["late"] is True
    course = await territory.rings(request)
    assert (course.state, course.over) == ("EXPIRED", True)
    assert territory.house.clock() >= asked + timedelta(days=30)
    assert "account-expired" in [each.letter for each in course.letters]
    assert await letters(territory, await territory.asks()) == ["account-confirmation"], "the address is free again"


async def test_the_authority_above_may_decide_once_it_was_told(territory: Territory) -> None:
    request = await territory.confirmed()
    await territory.rings(request)
    await territory.rings(request)
    sylvie = await territory.official(SYLVIES)
    assert (await sylvie.decides(request, "activate")).status_code == 200
    territory_of = await territory.house.one("SELECT authority_id FROM account WHERE id = :i", i=request)
    assert str(territory_of) == DDPP_31, "it stays in the territory of its department"


# ── Decisions ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("email", [OTHMARS, SYLVIES, "paul@inao.example", "ops@platform.example"])
async def test_for_every_other_authority_there_is_nothing_here(territory: Territory, email: str) -> None:
    request = await territory.confirmed()
    stranger = await territory.official(email)
    assert (await stranger.sees(request)).status_code == 404
    assert (await stranger.decides(request, "activate")).status_code == 404
    assert (await stranger.corrects_blindly(request)).status_code == 404
    assert (await stranger.finds())["items"] == []


async def test_an_operator_has_no_users(territory: Territory) -> None:
    claire = await territory.official("claire@pyrenees.example")
    assert (await claire.finds())["code"] == "not_found"


async def test_the_paper_refuses_a_wrong_decider_whatever_the_door_did(territory: Territory) -> None:
    request = await territory.confirmed()
    wrong = Actor(CAMILLE, "Camille Fabre", DDPP_31, "AUTHORITY")
    with pytest.raises(Refused) as refusal:
        await territory.take(request, "activate", actor=wrong)
    assert refusal.value.code == "not_found"


async def test_a_refusal_says_why_and_frees_the_address(territory: Territory) -> None:
    request = await territory.confirmed()
    odile = await territory.official(ODILES)
    silent = await odile.decides(request, "refuse")
    assert silent.json()["problems"][0]["field"] == "reason"
    refused = (await odile.decides(request, "refuse", "No such establishment")).json()
    assert (refused["status"], refused["may"]) == ("REFUSED", [])
    assert "account-refused" in await letters(territory, request)
    assert (await odile.decides(request, "activate")).json()["code"] == "already_decided"
    assert (await territory.house.sign_in("ann@tarn.example")).status_code == 401
    assert await letters(territory, await territory.asks()) == ["account-confirmation"]


async def test_nobody_decides_what_he_has_not_seen(territory: Territory) -> None:
    request = await territory.confirmed()
    odile = await territory.official(ODILES)
    revision = (await odile.sees(request)).json()["revision"]
    assert (await odile.corrects(request, first_name="Anna")).json()["first_name"] == "Anna"
    late = await odile.decides(request, "activate", revision=revision)
    assert late.json()["code"] == "already_decided"


async def test_several_at_once_and_what_came_of_each(territory: Territory) -> None:
    odile = await territory.official(ODILES)
    requests = [await territory.confirmed(f"ann{each}@tarn.example") for each in range(3)]
    chosen = [{"id": each, "revision": (await odile.sees(each)).json()["revision"]} for each in requests]
    chosen[1]["revision"] = 0
    chosen.append({"id": str(uuid4()), "revision": 1})
    body = {"action": "activate", "chosen": chosen}
    answer = (await territory.post("/users/actions", body, **odile.headers)).json()
    assert [each["code"] for each in answer] == ["", "already_decided", "", "not_found"]
    assert (await odile.finds(state="VALID"))["waiting"] == 1


# ── Finding and correcting ────────────────────────────────────────────────────────────────────────────────────


async def test_search_sorts_and_pages(territory: Territory) -> None:
    names = ("Ångström", "Bauer", "Cazal", "Παπαδόπουλος", "عبد الله")
    for number, name in enumerate(names):
        await territory.confirmed(f"user{number}+x@tarn.example", last_name=name)
    odile = await territory.official(ODILES)
    seen: list[str] = []
    after = ""
    while True:
        page = await odile.finds(limit=2, sort="-name", **({"after": after} if after else {}))
        seen += [each["last_name"] for each in page["items"]]
        after = page["next"]
        if not after:
            break
    assert sorted(seen) == sorted(names)
    assert page["waiting"] == 5
    for wanted in ({"email": "USER3+X@"}, {"name": "παπα"}, {"name": "Ann عبد"}):
        assert len((await odile.finds(**wanted))["items"]) == 1, wanted
    for wanted in ({"postal_code": "312"}, {"organisation": "lapujade"}, {"state": "CONFIRMED"}):
        assert len((await odile.finds(**wanted))["items"]) == 5, wanted
    for wanted in ({"postal_code": "81"}, {"organisation": "100%"}, {"state": "VALID"}):
        assert (await odile.finds(**wanted))["items"] == [], wanted
    for sort in ("organisation", "-postal_code", "status", "-since"):
        assert len((await odile.finds(sort=sort))["items"]) == 5, sort
    assert (await odile.finds(sort="password_hash"))["code"] == "invalid"
    assert (await odile.finds(after="rubbish"))["code"] == "invalid"


async def test_corrections_are_journalled_and_never_touch_the_address(territory: Territory) -> None:
    user = await territory.valid()
    odile = await territory.official(ODILES)
    assert (await odile.corrects(user, email="evil@tarn.example")).json()["code"] == "invalid"
    corrected = (await odile.corrects(user, last_name="O'Brien", language="fr")).json()
    assert (corrected["last_name"], corrected["email"]) == ("O'Brien", "ann@tarn.example")
    assert (corrected["lines"][0]["action"], corrected["lines"][0]["reason"]) == ("correct", "last_name, language")
    wrong = await odile.corrects(user, first_name=" ")
    assert wrong.json()["problems"][0]["field"] == "first_name"
    assert await territory.house.announced("identity.person.changed.v1")


async def test_a_corrected_place_may_be_somebody_elses_territory(territory: Territory) -> None:
    request = await territory.confirmed()
    odile, othmar = await territory.official(ODILES), await territory.official(OTHMARS)
    assert (await odile.corrects(request, **elsewhere("81000"))).json() is None
    assert (await odile.sees(request)).status_code == 404
    assert (await othmar.sees(request)).json()["status"] == "CONFIRMED"
    assert (await othmar.decides(request, "activate")).status_code == 200
    assert (await othmar.corrects(request, **elsewhere("31000"))).json() is None
    assert (await odile.sees(request)).json()["status"] == "VALID"


async def test_a_deleted_user_is_out_at_once_and_his_address_is_free(territory: Territory) -> None:
    user = await territory.valid()
    secret = (await territory.house.sign_in("ann@tarn.example")).json()["session"]
    odile = await territory.official(ODILES)
    assert (await odile.decides(user, "delete")).status_code == 422, "with a reason"
    deleted = (await odile.decides(user, "delete", "Left the company")).json()
    assert (deleted["status"], deleted["may"]) == ("DELETED", [])
    me = await territory.house.client.get("/me", headers={"Authorization": f"Session {secret}"})
    assert me.status_code == 401
    course = await territory.look(user, Kind.LIFE)
    assert ([each.letter for each in course.letters], course.over) == (["account-deleted"], True)
    assert await letters(territory, await territory.asks()) == ["account-confirmation"]
