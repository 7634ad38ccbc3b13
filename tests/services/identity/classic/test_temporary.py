"""Temporary passwords and the secret question."""

from typing import Any
from uuid import uuid4

from sqlalchemy import text

from services.identity.temporary import LOOKS_LIKE
from shared.contracts.identity import Kind
from tests.services.identity.classic.asking import NEW, ODILES, asked_again
from tests.services.identity.territory import ODILE, Territory


async def signs_in_temporarily(territory: Territory, password: str, email: str = "ann@tarn.example") -> Any:
    return await territory.post("/passwords/temporary", {"email": email, "password": password})


async def own(territory: Territory, form: str, **more: Any) -> Any:
    body = {"form": form, "password": NEW, "password_again": NEW, "question": "hero", "answer": "Zorro"} | more
    return await territory.post("/passwords/own", body)


async def test_a_temporary_password_leads_to_ones_own_and_the_question(territory: Territory) -> None:
    await territory.valid()
    reset = await asked_again(territory)
    assert [each.letter for each in (await territory.look(reset, Kind.RESET)).letters] == ["password-temporary"]
    password = await territory.temporary(reset)
    assert LOOKS_LIKE.fullmatch(password)
    assert (await territory.house.sign_in("ann@tarn.example", password)).status_code == 401, "it is no sign-in"
    assert (await territory.house.sign_in("ann@tarn.example")).status_code == 201, "the old one stays till then"
    opened = (await signs_in_temporarily(territory, password)).json()
    assert (opened["asks"], opened["name"]) == ("answer", "Ann O'Neill")
    assert (await signs_in_temporarily(territory, password)).json()["code"] == "bad_credentials", "once"
    for wrong in ({"answer": "zorro"}, {"answer": "Zorro "}, {"question": "band"}):
        answer = (await own(territory, opened["form"], **wrong)).json()
        assert answer["problems"][0]["code"] == "answer_wrong", wrong
    assert (await own(territory, opened["form"], password="weak", password_again="weak")).status_code == 422
    assert (await own(territory, opened["form"])).status_code == 200
    assert (await territory.house.sign_in("ann@tarn.example")).status_code == 401
    assert (await territory.house.sign_in("ann@tarn.example", NEW)).status_code == 201
    assert (await own(territory, opened["form"])).json()["code"] == "link_expired"


async def test_a_temporary_password_is_dead_after_a_day_and_after_a_newer_one(territory: Territory) -> None:
    await territory.valid()
    older = await territory.temporary(await asked_again(territory))
    newer = await territory.temporary(await asked_again(territory))
    assert (await signs_in_temporarily(territory, older)).status_code == 401
    territory.house.clock.forward(hours=24)
    assert (await signs_in_temporarily(territory, newer)).status_code == 401


async def test_five_wrong_answers_end_a_temporary_password(territory: Territory) -> None:
    await territory.valid()
    form = (await signs_in_temporarily(territory, await territory.temporary(await asked_again(territory)))).json()
    for _ in range(5):
        assert (await own(territory, form["form"], answer="?")).json()["code"] == "incomplete"
    assert (await own(territory, form["form"])).json()["code"] == "link_expired"


async def test_guesses_of_temporary_passwords_are_counted_alike_for_unknown_addresses(territory: Territory) -> None:
    await territory.valid()
    await asked_again(territory)
    for email in ("ann@tarn.example", "nobody@nowhere.example"):
        codes = [(await signs_in_temporarily(territory, "TR000000000000", email)).json()["code"] for _ in range(11)]
        assert codes == ["bad_credentials"] * 10 + ["too_many_attempts"]


async def test_after_mere_inactivity_no_question_is_asked(territory: Territory) -> None:
    user = await territory.valid()
    async with territory.house.around.database.transaction() as session:
        await session.execute(
            text("UPDATE account SET status = 'BLOCKED', block_reason = 'INACTIVITY' WHERE id = :i"), {"i": user}
        )
    opened = (await signs_in_temporarily(territory, await territory.temporary(await asked_again(territory)))).json()
    assert opened["asks"] == "none"
    assert (await own(territory, opened["form"], question="", answer="")).status_code == 200
    assert (await territory.house.sign_in("ann@tarn.example", NEW)).status_code == 201


async def test_after_the_authoritys_reset_a_new_question_is_chosen(territory: Territory) -> None:
    user = await territory.valid()
    secret = (await territory.house.sign_in("ann@tarn.example")).json()["session"]
    odile = await territory.official(ODILES)
    assert (await odile.decides(user, "reset_password", "He forgot his answer, too")).status_code == 200
    me = await territory.house.client.get("/me", headers={"Authorization": f"Session {secret}"})
    assert me.status_code == 401
    assert (await territory.house.sign_in("ann@tarn.example")).status_code == 401, "the old one is put aside"
    reset = str(await territory.house.one("SELECT id FROM reset WHERE by_authority"))
    assert (await territory.look(reset, Kind.RESET)).letters[0].letter == "password-temporary"
    opened = (await signs_in_temporarily(territory, await territory.temporary(reset))).json()
    assert opened["asks"] == "new"
    assert (await own(territory, opened["form"], question="", answer="")).status_code == 422
    assert (await own(territory, opened["form"], question="team", answer="Stade")).status_code == 200
    form = (await signs_in_temporarily(territory, await territory.temporary(await asked_again(territory)))).json()
    assert form["asks"] == "answer"
    assert (await own(territory, form["form"], question="team", answer="Stade", password="Pear-tree-77!",
                      password_again="Pear-tree-77!")).status_code == 200  # fmt: skip


async def test_where_the_question_is_kept_it_is_asked_after_the_authoritys_reset_too(territory: Territory) -> None:
    territory.house.around.settings.reset_keeps_question = True
    user = await territory.valid()
    odile = await territory.official(ODILES)
    assert (await odile.sees(user)).json()["keeps_question"]
    assert (await odile.decides(user, "reset_password", "Asked by telephone")).status_code == 200
    reset = str(await territory.house.one("SELECT id FROM reset WHERE by_authority"))
    await territory.look(reset, Kind.RESET)
    opened = (await signs_in_temporarily(territory, await territory.temporary(reset))).json()
    assert opened["asks"] == "answer"
    assert (await own(territory, opened["form"], question="team", answer="Stade")).status_code == 422
    assert (await own(territory, opened["form"], question="hero", answer="Zorro")).status_code == 200


async def test_a_platform_administrator_sets_a_new_question_and_both_are_told(territory: Territory) -> None:
    user = await territory.valid()
    ops = await territory.official("ops@platform.example")
    assert (await ops.finds())["items"] == [], "an exact address, or nothing"
    found = (await ops.finds(email="ANN@tarn.example"))["items"]
    assert [(each["id"], each["may"], each["organisation"]["name"]) for each in found] == [(user, ["set_question"], "")]
    body = {"revision": found[0]["revision"], "question": "band", "answer": "Noir Désir", "reason": "Asked by post"}
    headers = ops.headers | {"Idempotency-Key": uuid4().hex}
    answer = await territory.house.client.put(f"/users/{user}/question", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    course = await territory.look(user, Kind.LIFE)
    told = {(each.letter, each.person_id) for each in course.letters}
    assert told == {("question-changed", user), ("question-changed", ODILE)}
    odile = await territory.official(ODILES)
    refused = await territory.house.client.put(
        f"/users/{user}/question", json=body, headers=odile.headers | {"Idempotency-Key": uuid4().hex}
    )
    assert refused.status_code == 404
    assert (await ops.decides(user, "delete", "no")).status_code == 404
