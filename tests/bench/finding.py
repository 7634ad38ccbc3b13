"""``python -m tests.bench finding``: how long a list takes over very many certificates, written by COPY.

One thing to remember: it asks what a page asks, the lines and the counts beside them, of a service's real database; a
plan that would read the whole table is an error.
"""

import shutil
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from sqlalchemy import event

from deploy.local.postgres import postgres
from services.certificates import lists
from services.certificates.lists import ListWish
from shared.kit import migrations
from shared.kit.db import Database
from shared.rules.status import Status
from tests.bench.measure import percentile
from tests.services.certificates.conftest import the_story
from tests.services.certificates.rows import copied
from tests.services.certificates.world import BODY, CUSTOMS, EXPORTER, IMPORTER, POST, PRODUCER, person

TIMES: Final = 100
# fmt: off
SEARCHES: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    # what               who asks   the wish; {n} is another number each time
    ("number",           BODY,      {"text": "{n}"}),
    ("whole number",     POST,      {"text": "COI.MA.2024.{n}"}),
    ("party",            BODY,      {"importer": IMPORTER}),
    ("party, any box",   POST,      {"party": EXPORTER}),
    ("free text",        IMPORTER,  {"text": "dattes med"}),
    ("free text, body",  BODY,      {"text": "huile vierge"}),
    ("status and date",  POST,      {"status": [Status.ISSUED], "created_from": "2024-06-01",
                                     "created_until": "2024-09-01"}),
    ("status and ETA",   CUSTOMS,   {"status": [Status.ISSUED], "arrival_from": "2024-08-01",
                                     "arrival_until": "2024-08-07", "sort": "arrival"}),
    ("needs my action",  BODY,      {"awaits_me": True}),
    ("needs my action",  POST,      {"awaits_me": True, "sort": "arrival"}),
    ("lot",              BODY,      {"lot": "L-{m}"}),
    ("commodity",        CUSTOMS,   {"cn_code": "0804"}),
    ("flag",             BODY,      {"flag": ["overdue"]}),
    ("mere producer",    PRODUCER,  {"goods": "dattes"}),
    ("everything",       IMPORTER,  {}),
    ("everything",       CUSTOMS,   {}),
)
# fmt: on


async def finding(number: int) -> None:
    """Write the certificates, ask each search, print its times; SystemExit where a plan reads the whole table."""
    folder = Path(tempfile.mkdtemp(prefix="bordereau-finding-"))
    try:
        async with postgres(folder) as server:
            base = Database(server.url("certificates", "certificates"))
            await migrations.upgrade(base, "certificates")
            await the_story(base)
            began = time.perf_counter()
            await copied(server.url("certificates", "certificates", "postgresql"), number)
            print(
                f"{number} certificates written by COPY, indexes made: {time.perf_counter() - began:.0f} s", flush=True
            )
            bad = [
                f"{name}: {each}" for name, reader, wish in SEARCHES for each in await _asked(base, name, reader, wish)
            ]
            await base.close()
        if bad:
            raise SystemExit("these read the whole table:\n" + "\n".join(bad))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _asked(base: Database, name: str, reader: str, wish: dict[str, Any]) -> list[str]:
    times = []
    for round_ in range(TIMES):
        asked = _wish(wish, 1000 + 997 * round_)
        began = time.perf_counter()
        async with base.reading() as session:
            page = await lists.page(session, person(reader), asked)
        times.append(time.perf_counter() - began)
    who = person(reader).name.removeprefix("Person of ")
    found = sum(page.counts.values())
    p50, p99 = (1000 * percentile(times, share) for share in (0.5, 0.99))
    print(f"  {name:<16} {who:<30} p50 {p50:7.1f} ms   p99 {p99:7.1f} ms   {found:>5} found", flush=True)
    return await _whole_table(base, reader, _wish(wish, 4999))


def _wish(wish: dict[str, Any], n: int) -> ListWish:
    said = {key: value.format(n=f"{n:07d}", m=n) if isinstance(value, str) else value for key, value in wish.items()}
    return ListWish.model_validate(said)


async def _whole_table(base: Database, reader: str, wish: ListWish) -> list[str]:
    """The plans of a list that read every row."""
    asked: list[tuple[str, Any]] = []

    def heard(_: object, __: object, statement: str, parameters: Any, ___: object, ____: object) -> None:
        if "FROM certificate" in statement or "FROM sight" in statement:
            asked.append((statement, parameters))

    event.listen(base.engine.sync_engine, "before_cursor_execute", heard)
    async with base.transaction() as session:
        await lists.page(session, person(reader), wish)
    event.remove(base.engine.sync_engine, "before_cursor_execute", heard)
    plans = []
    async with base.engine.connect() as connection:
        for statement, parameters in asked:
            rows = await connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
            plans.append("\n".join(row[0] for row in rows))
    return [plan for plan in plans if "Seq Scan on certificate" in plan or "Seq Scan on sight" in plan]
