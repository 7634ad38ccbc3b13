"""A decision about 500 requests at once: somebody else decides some meanwhile, and the worker is killed midway."""

import asyncio
from typing import Any

import asyncpg
import httpx2
import pytest

from deploy.local.stack import Stack
from tests.bench import crowd
from tests.journeys.people import JSON, People, Person, Refusal, fresh_key, organisation, until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(240)]
NUMBER, TAKEN, STRANGE = 500, 40, 10
TARN, PERPIGNAN, INAO = (organisation(each) for each in ("tarn-bio-import", "perpignan", "inao"))


async def decide(person: Person, wish: JSON, key: str) -> dict[str, Any]:
    """Sends the same call again until every request has its answer; the answer of each."""
    while True:
        try:
            results = await person.asks("POST", "/role-requests/decisions", wish, key, service="directory")
        except (httpx2.HTTPError, Refusal):  # the directory is being started again
            await asyncio.sleep(0.2)
            continue
        if not any(each["code"] in ("timeout", "unavailable") for each in results):
            return {each["id"]: each for each in results}


async def test_five_hundred_are_decided_although_the_worker_is_killed_midway(stack: Stack, people: People) -> None:
    for away in ("notifications", "certificates"):  # five hundred letters and partners are not what is asked about
        await stack.stop(away)
    desk, owner = await people("desk@inao.example"), await people("importer@tarn.example")
    base = await asyncpg.connect(stack.database_url("directory", scheme="postgresql"))
    rows = list(crowd.requests(NUMBER, [TARN], [TARN, INAO]))
    await crowd.write(base, "role", crowd.ROLE, rows)
    ids = [row["id"] for row, _ in rows]
    await _have_another_kind_of_role(base, ids[:STRANGE])
    wish = {"action": "validate", "chosen": [{"id": each, "revision": 1} for each in ids]}
    taken = ids[-TAKEN:]
    deciding = asyncio.create_task(decide(desk, wish, fresh_key()))
    refusal = {"action": "refuse", "reason": "Unknown to us.", "chosen": [{"id": e, "revision": 1} for e in taken]}
    others = await decide(owner, refusal, fresh_key())

    async def midway() -> bool:
        done = await base.fetchval("SELECT count(*) FROM role WHERE status = 'VALID' AND id = ANY($1)", ids)
        return bool(done >= NUMBER // 4)

    await until(midway, patience=60)
    stack.kill("directory")
    results = await deciding
    await stack.ready("directory")

    assert {each["status"] for each in others.values()} == {"REFUSED"}
    assert {results[each]["code"] for each in taken} == {"already_decided"}
    assert {results[each]["code"] for each in ids[:STRANGE]} == {"one_role_type"}
    assert {results[each]["status"] for each in ids[STRANGE:-TAKEN]} == {"VALID"}
    stand = dict(await base.fetch("SELECT id::text, status FROM role WHERE id = ANY($1)", ids))
    assert [stand[each] for each in taken] == ["REFUSED"] * TAKEN
    assert [stand[each] for each in ids[:STRANGE]] == ["REQUESTED"] * STRANGE
    lines = await base.fetch(
        "SELECT about, count(*) AS n FROM line WHERE about = ANY($1) AND action IN ('validate', 'refuse') GROUP BY 1",
        ids,
    )
    assert {each["n"] for each in lines} == {1}, "each was decided once"
    assert len(lines) == NUMBER - STRANGE
    granted = await base.fetchval(
        "SELECT count(*) FROM outbox WHERE subject = 'directory.role.granted.v1' AND body ->> 'person_id' = ANY($1)",
        [row["person_id"] for row, _ in rows],
    )
    assert granted == NUMBER - STRANGE - TAKEN, "told once of each"
    await base.close()


async def _have_another_kind_of_role(base: asyncpg.Connection, ids: list[str]) -> None:
    """These persons have become officers of a border post meanwhile."""
    listed = ", ".join(crowd.ROLE)
    said = {"id": "gen_random_uuid()", "organisation_id": "$2", "role_type": "'AUTHORITY'", "status": "'VALID'"}
    told = ", ".join(said.get(each, each) for each in crowd.ROLE)
    await base.execute(
        f"INSERT INTO role ({listed}, words) SELECT {told}, words FROM role WHERE id = ANY($1)", ids, PERPIGNAN
    )
