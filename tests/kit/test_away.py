"""What is nobody's bug is answered 503, so that whoever asked comes again."""

import httpx2
import pytest
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as NoRoom

from shared.kit.db import Database
from shared.kit.http import create_app
from shared.kit.keys import Keyring
from shared.kit.sessions import Gatekeeper
from tests.kit.conftest import Line


@pytest.mark.parametrize("state", ["40P01", "40001", "53300", "57P01"])
async def test_what_the_database_undid_may_be_asked_again(line: Line, state: str) -> None:
    await _answers(503, line.reader, f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$")


async def test_a_wrong_statement_is_a_bug(line: Line) -> None:
    await _answers(500, line.reader, "SELECT nothing_of_this_name")


async def test_a_pool_without_room_may_be_asked_again(line: Line) -> None:
    await _answers(503, line.reader, "SELECT 1", NoRoom("no connection is free"))


async def _answers(status: int, database: Database, statement: str, trouble: Exception | None = None) -> None:
    app = create_app("kit", Gatekeeper("http://nobody", Keyring({"1": b"1"}, "kit")))

    @app.get("/asked")
    async def asked() -> None:
        async with database.transaction() as session:
            await session.execute(text(statement))
            if trouble:
                raise trouble

    door = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=door, base_url="http://kit") as web:
        answer = await web.get("/asked")
    assert (answer.status_code, answer.json()["code"]) == (status, "unavailable" if status == 503 else "internal")
