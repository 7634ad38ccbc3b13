"""Nothing reveals whether an address is known: the same answer, the same hashes, the same questions to the database."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, TypeVar
from uuid import uuid4

import pytest
from sqlalchemy import event, text

from services.identity.activities import Paper
from services.identity.passwords import Passwords
from tests.services.identity.conftest import PASSWORD, House
from tests.services.identity.territory import Territory

Answer = TypeVar("Answer")
KNOWN: Final = ("claire@pyrenees.example", "CLAIRE@Pyrenees.example")
ADDRESSES: Final = (*KNOWN, "blocked@inao.example", "guessed@inao.example", "nobody@nowhere.example")


class Counting(Passwords):
    """Hashes as ever, and counts."""

    number = 0

    async def _work(self, work: Callable[[], Answer]) -> Answer:
        self.number += 1
        return await super()._work(work)


@pytest.fixture
async def watched(house: House) -> House:
    """Claire, somebody blocked for his silence, somebody whose password was guessed at, and a count of all hashes."""
    counting = Counting(house.around.settings)
    await counting.matches("", None)  # the hash of nobody is made once
    house.desk.attempts.passwords = counting
    async with house.around.database.transaction() as session:
        await session.execute(text("UPDATE account SET block_reason = 'INACTIVITY' WHERE status = 'BLOCKED'"))
        columns = "first_name, last_name, password_hash, language, time_zone, html, demo, created_at, mode, revision"
        await session.execute(
            text(
                f"INSERT INTO account (id, email, email_key, status, block_reason, details, notify, warned, {columns})"
                f" SELECT gen_random_uuid(), 'guessed@inao.example', 'guessed@inao.example', 'BLOCKED',"
                f" 'WRONG_PASSWORDS', details, notify, warned, {columns} FROM account WHERE email_key = :of"
            ),
            {"of": KNOWN[0]},
        )
    return house


async def seen(house: House, ask: Callable[[], Awaitable[Any]]) -> tuple[Any, ...]:
    """What an observer could tell apart: status, fields of the answer, number of hashes, each statement."""
    statements: list[str] = []

    def heard(_: Any, __: Any, statement: str, *more: Any) -> None:
        statements.append(" ".join(statement.split()))

    counting = house.desk.attempts.passwords
    assert isinstance(counting, Counting)
    before, engine = counting.number, house.around.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", heard)
    try:
        answer = await ask()
    finally:
        event.remove(engine, "before_cursor_execute", heard)
    said = {name: value for name, value in answer.json().items() if name not in ("id", "correlation")}
    return answer.status_code, said, counting.number - before, tuple(statements)


async def test_a_wrong_sign_in(watched: House) -> None:
    async def attempt(email: str, password: str) -> Any:
        return await watched.sign_in(email, password)

    looks = {email: await seen(watched, partial(attempt, email, "wrong")) for email in ADDRESSES}
    for blocked in ADDRESSES[2:4]:
        looks[f"{blocked}, rightly"] = await seen(watched, partial(attempt, blocked, PASSWORD))
    assert looks[ADDRESSES[-1]][0] == 401
    assert looks[ADDRESSES[-1]][2] == 1, "one comparison, also for nobody"
    assert {str(look) for look in looks.values()} == {str(looks[ADDRESSES[-1]])}, looks


async def test_a_new_password_asked_for(watched: House) -> None:
    async def ask(email: str) -> Any:
        headers = {"Idempotency-Key": uuid4().hex}
        return await watched.client.post("/password-resets", json={"email": email}, headers=headers)

    looks = [str(await seen(watched, partial(ask, email))) for email in ADDRESSES]
    assert len(set(looks)) == 1, looks


async def test_a_registration_of_either_kind(watched: House) -> None:
    territory = Territory(watched, Paper(watched.around))

    async def register(email: str) -> Any:
        form = {
            "first_name": "Ann", "last_name": "O'Neill", "email": email, "email_again": email, "language": "en",
            "privacy": True, "proof": await territory.worked(),
        }  # fmt: skip
        headers = {"Idempotency-Key": uuid4().hex}
        return await watched.client.post("/registrations", json=form, headers=headers)

    for way in (register, territory.fill_in):
        looks = [str(await seen(watched, partial(way, email))) for email in ADDRESSES]
        assert looks[0].startswith("(202"), looks[0]
        assert len(set(looks)) == 1, looks
