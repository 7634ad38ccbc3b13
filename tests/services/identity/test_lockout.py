"""Wrong passwords, known devices, new passwords and inactivity, against a real database."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from services.identity import links
from services.identity.activities import Paper
from services.identity.links import Mint
from services.identity.models import ChoiceRow
from services.notifications.writing import Reader, gist
from shared.contracts.identity import Kind, Rung, Step, Taken, Which
from shared.kit.keys import keyring
from shared.kit.sessions import service_token
from shared.rules.refusals import Refused
from tests.services.identity.conftest import CLAIRE, PASSWORD, House, by

CLAIRES = "claire@pyrenees.example"
NEW = "Plum-tree-in-42-gardens!"


async def state(house: House) -> tuple[str, str | None]:
    async with house.around.database.transaction() as session:
        row = (
            await session.execute(text("SELECT status, block_reason FROM account WHERE id = :i"), {"i": CLAIRE})
        ).one()
    return row[0], row[1]


async def attempt(house: House, password: str, **more: Any) -> Any:
    return await house.client.post("/sessions", json={"email": CLAIRES, "password": password, **more})


async def guesses(house: House, number: int, email: str = CLAIRES, sources: int = 500) -> None:
    """Wrong passwords, from so many sources by turns, some at once."""
    services = keyring(house.around.settings.codec_key_file, "services")
    ours = service_token("portal", services)

    async def one(each: int) -> None:
        headers = {"For-Source": f"2001:db8::{each % sources:x}", "On-Behalf": ours}
        answer = await house.client.post("/sessions", json={"email": email, "password": "wrong"}, headers=headers)
        assert answer.json()["code"] == "bad_credentials"

    for begin in range(0, number, 4):
        await asyncio.gather(*(one(each) for each in range(begin, min(begin + 4, number))))


async def test_five_wrong_passwords_block_and_the_answer_stays_the_same(house: House) -> None:
    await guesses(house, 4)
    assert (await state(house))[0] == "ACTIVE"
    await guesses(house, 1)
    assert await state(house) == ("BLOCKED", "WRONG_PASSWORDS")
    answer = await attempt(house, PASSWORD)
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_credentials")
    assert len(await house.announced("identity.account.blocked.v1")) == 1


async def test_a_right_password_starts_the_count_anew(house: House) -> None:
    await guesses(house, 4)
    assert (await attempt(house, PASSWORD)).status_code == 201
    await guesses(house, 4)
    assert (await state(house))[0] == "ACTIVE"


@pytest.mark.parametrize(("number", "sources"), [(5, 1), (500, 500)])
async def test_guesses_from_elsewhere_do_not_lock_the_owner_out_of_his_device(
    house: House, number: int, sources: int
) -> None:
    opened = (await attempt(house, PASSWORD)).json()
    device, session = opened["device"], opened["session"]

    async def meanwhile() -> None:
        assert (await attempt(house, PASSWORD, device=device)).status_code == 201

    await asyncio.gather(guesses(house, number, sources=sources), meanwhile())
    assert await state(house) == ("BLOCKED", "WRONG_PASSWORDS")
    assert len(await house.announced("identity.account.blocked.v1")) == 1
    assert (await house.client.get("/me", headers=by(session))).status_code == 200, "his session goes on"
    again = await attempt(house, PASSWORD, device=device)
    assert again.status_code == 201
    assert again.json()["device"] is None, "it is known already"
    assert (await attempt(house, PASSWORD)).status_code == 401, "elsewhere he is locked out like everybody"
    assert (await attempt(house, PASSWORD, device="device_of_somebody_else")).status_code == 401


async def test_a_known_device_has_a_count_of_five_of_its_own(house: House) -> None:
    device = (await attempt(house, PASSWORD)).json()["device"]
    for _ in range(5):
        assert (await attempt(house, "wrong", device=device)).status_code == 401
    assert (await attempt(house, PASSWORD, device=device)).status_code == 401
    assert await state(house) == ("BLOCKED", "WRONG_PASSWORDS")


async def test_an_unknown_address_is_counted_alike(house: House) -> None:
    await guesses(house, 6, "nobody@nowhere.example")
    assert await house.one("SELECT number FROM wrong") == 6
    assert await house.announced("identity.account.blocked.v1") == []


async def ask(house: House, email: str = CLAIRES, minutes: int = 90) -> str:
    """A new password is asked for and its paper looked at; the id of the request."""
    key = uuid4().hex
    answer = await house.client.post("/password-resets", json={"email": email}, headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.json()) == (202, {"minutes": minutes})
    return str(await house.one("SELECT id FROM reset WHERE key = :k", k=key))


async def reset(house: House, paper: Paper, request: str, password: str = NEW) -> None:
    """The link is clicked and a password chosen, as the process would carry it out."""
    link = await house.one("SELECT id FROM link WHERE course_id = :c AND ended_at IS NULL", c=request)
    mint: Mint = paper.mint
    secret = mint.secret(str(link), mint.current)
    opened = (await house.client.post("/links/opened", json={"secret": secret})).json()
    key = uuid4().hex
    async with house.around.database.transaction() as session:
        hashed = await house.desk.attempts.passwords.hashed(password)
        await links.choose(session, ChoiceRow(key=key, course_id=request, password_hash=hashed, at=house.clock()))
    until = house.clock() + timedelta(minutes=15)
    assert opened["form"]
    await paper.take(Taken(Step(Kind.RESET, request, "confirm", until, str(link)), key))


async def test_a_new_password_opens_a_blocked_account_and_ends_its_sessions(house: House) -> None:
    paper = Paper(house.around)
    session = await house.secret()
    await guesses(house, 5)
    request = await ask(house)
    course = await paper.look(Which(Kind.RESET, request))
    assert [each.letter for each in course.letters] == ["password-link"]
    await reset(house, paper, request)
    assert await state(house) == ("ACTIVE", None)
    assert (await house.client.get("/me", headers=by(session))).status_code == 401
    assert (await attempt(house, PASSWORD)).status_code == 401
    assert (await attempt(house, NEW)).status_code == 201
    course = await paper.look(Which(Kind.RESET, request))
    assert [each.letter for each in course.letters] == ["password-changed"]
    assert (course.state, course.over) == ("DONE", True)


async def test_the_link_is_good_at_89_minutes_and_dead_at_91(house: House) -> None:
    paper = Paper(house.around)
    for minutes, status in ((89, 200), (91, 410)):
        request = await ask(house)
        await paper.look(Which(Kind.RESET, request))
        link = str(await house.one("SELECT id FROM link WHERE course_id = :c", c=request))
        house.clock.forward(minutes=minutes)
        secret = paper.mint.secret(link, paper.mint.current)
        assert (await house.client.post("/links/opened", json={"secret": secret})).status_code == status


async def test_a_link_of_another_length_is_good_and_written_about_for_so_long(
    house: House, otherwise: Callable[[str], None]
) -> None:
    otherwise("link=120")
    paper = Paper(house.around)
    for minutes, status in ((119, 200), (121, 410)):
        request = await ask(house, minutes=120)
        await paper.look(Which(Kind.RESET, request))
        async with house.around.database.transaction() as session:
            (link,) = await links.of_course(session, request)
            facts = links.shown(paper.mint, link, "", house.clock()).facts
        assert "within 120 minutes" in gist("password-link", facts, {}, Reader("en", "UTC"))
        house.clock.forward(minutes=minutes)
        secret = paper.mint.secret(link.id, paper.mint.current)
        assert (await house.client.post("/links/opened", json={"secret": secret})).status_code == status


async def test_for_an_unknown_address_nothing_is_sent(house: House) -> None:
    course = await Paper(house.around).look(Which(Kind.RESET, await ask(house, "nobody@nowhere.example")))
    assert (course.letters, course.over) == ((), True)


async def test_a_newer_request_kills_the_older_link_and_a_fourth_in_an_hour_sends_nothing(house: House) -> None:
    paper, requests = Paper(house.around), []
    for _ in range(4):
        requests.append(await ask(house))
        await paper.look(Which(Kind.RESET, requests[-1]))
    assert await house.one("SELECT count(*) FROM link WHERE purpose = 'password-link' AND ended_at IS NULL") == 1
    assert (await paper.look(Which(Kind.RESET, requests[3]))).state == "NOBODY"
    with pytest.raises(Refused) as refusal:
        await paper.take(
            Taken(Step(Kind.RESET, requests[0], "confirm", house.clock() + timedelta(minutes=9)), "key-1234")
        )
    assert refusal.value.code == "link_expired"


async def test_changing_the_password_needs_the_present_one_and_ends_every_session(house: House) -> None:
    here, there = await house.secret(), await house.secret()
    said = {"present": "wrong", "password": NEW, "password_again": NEW}
    headers = by(here) | {"Idempotency-Key": uuid4().hex}
    assert (await house.client.put("/me/password", json=said, headers=headers)).status_code == 401
    weak = {"present": PASSWORD, "password": "Claire", "password_again": "claire"}
    answer = await house.client.put("/me/password", json=weak, headers=headers)
    assert {each["code"] for each in answer.json()["problems"]} >= {"password_short", "password_personal"}
    answer = await house.client.put("/me/password", json=said | {"present": PASSWORD}, headers=headers)
    assert answer.status_code == 204
    for session in (here, there):
        assert (await house.client.get("/me", headers=by(session))).status_code == 401
    assert (await attempt(house, NEW)).status_code == 201


async def test_my_sessions_are_listed_and_ended_one_by_one_or_all(house: House) -> None:
    here = await house.secret()
    there = (await attempt(house, PASSWORD, agent="Firefox on Debian")).json()["session"]
    listed = (await house.client.get("/me/sessions", headers=by(here))).json()
    assert sorted((each["device"], each["current"]) for each in listed) == [("", True), ("Firefox on Debian", False)]
    other = next(each["id"] for each in listed if not each["current"])
    assert (await house.client.delete(f"/me/sessions/{other}", headers=by(here))).status_code == 204
    assert (await house.client.get("/me", headers=by(there))).status_code == 401
    assert (await house.client.delete("/me/sessions", headers=by(here))).status_code == 204
    assert (await house.client.get("/me", headers=by(here))).status_code == 401


@pytest.mark.parametrize(
    ("said", "warnings", "end"),
    [
        ("", ["02-06", "02-17"], "02-20"),
        ("inactivity=1 inactivity_first_warning=10", ["12-10", "12-17"], "12-20"),
        ("inactivity=1 inactivity_first_warning=3", ["12-17"], "12-20"),
    ],
)
async def test_three_months_of_silence_or_what_is_set_warn_and_block(
    house: House, otherwise: Callable[[str], None], said: str, warnings: list[str], end: str
) -> None:
    otherwise(said)
    paper = Paper(house.around)
    await attempt(house, PASSWORD)
    course, letters = await paper.look(Which(Kind.LIFE, CLAIRE)), []
    while course.due:
        house.clock.time = course.due.at
        course = await paper.ring(Rung(Kind.LIFE, CLAIRE, course.due))
        letters += [(f"{house.clock():%m-%d}", each.letter) for each in course.letters]
    assert letters == [*((each, "account-inactive") for each in warnings), (end, "account-blocked")]
    assert await state(house) == ("BLOCKED", "INACTIVITY")
    assert course.over


async def test_a_sign_in_after_a_warning_starts_the_three_months_anew(house: House) -> None:
    paper = Paper(house.around)
    course = await paper.look(Which(Kind.LIFE, CLAIRE))
    assert course.due
    house.clock.time = course.due.at
    course = await paper.ring(Rung(Kind.LIFE, CLAIRE, course.due))
    first = course.due
    await attempt(house, PASSWORD)
    course = await paper.look(Which(Kind.LIFE, CLAIRE))
    assert first
    assert course.due
    assert course.due.name == "inactive: 14 days left"
    assert course.due.at > first.at
