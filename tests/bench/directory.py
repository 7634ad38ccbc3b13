"""``python -m tests.bench directory``: searches among 100,000 organisations, decisions, 100,000 that wait.

The rows are written by COPY, without workflows; everything measured goes through the HTTP door. Afterwards the plan of
each query of searches and lists is looked at: one that reads a table from end to end is an error.
"""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from urllib.parse import urlencode

import asyncpg
import httpx2

from deploy.local.programs import SERVICES
from deploy.local.stack import Stack
from services.directory import search, waiting
from services.directory.search import Search
from services.directory.waiting import DUE, NEWEST, Wish
from shared.kit.db import Database
from tests.bench import crowd
from tests.bench.measure import percentile
from tests.bench.plans import overheard, whole_tables
from tests.journeys.people import Person, fresh_key, organisation

INAO, ECOCERT = "desk@inao.example", "inspector@ecocert.example"


def say(line: str = "") -> None:
    """Print at once."""
    print(line, flush=True)


def told(name: str, times: list[float]) -> str:
    """One line of results."""
    return f"  {name:<34} p50 {1000 * percentile(times, 0.5):7.1f} ms   p99 {1000 * percentile(times, 0.99):7.1f} ms"


async def timed(number: int, at_once: int, one: Callable[[int], Awaitable[object]]) -> tuple[list[float], float]:
    """How long each took, and how many there were in a second."""
    times: list[float] = []
    room = asyncio.Semaphore(at_once)

    async def ask(each: int) -> None:
        async with room:
            began = time.perf_counter()
            await one(each)
            times.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(ask(each) for each in range(number)))
    return times, number / (time.perf_counter() - began)


async def planned(address: str, name: str) -> None:
    """The plans of searches and lists; SystemExit where one reads a whole table."""
    base = Database(address)
    # fmt: off
    searches = (
        Search(text="verger", country="FR", kind="OPERATOR"), Search(text=name), Search(text="FR0000000000077"),
        Search(code="MA-BIO-154"), Search(country="FR", kind="OPERATOR"), Search(status="SUSPENDED"),
        Search(country="FR", section="FEED"), Search(text="zyxwv", country="FR"),
    )
    lists = (
        Wish(), Wish(sort=NEWEST), Wish(sort=DUE), Wish(text="moulin 77"), Wish(role_type="AUTHORITY"),
        Wish(country="BE"),
    )
    # fmt: on
    try:
        async with base.transaction() as session:
            async with overheard(base) as asked:
                for wanted in searches:
                    await search.search(session, wanted)
                for wish in lists:
                    for reader in (organisation("inao"), organisation("ecocert-ma")):
                        await waiting.role_requests(session, reader, True, wish)
            bad = await whole_tables(session, asked, ("organisation", "role"))
    finally:
        await base.close()
    say(f"\n{len(asked)} plans looked at, {len(bad)} read a whole table")
    if bad:
        raise SystemExit("\n\n".join(bad))


async def measure(stack: Stack, number: int, decisions: int, rounds: int) -> None:
    """All of it, on a running installation."""
    base = await asyncpg.connect(stack.database_url("directory", "postgresql"))
    async with httpx2.AsyncClient(timeout=60) as web:
        desk, body = [await Person(web, stack.addresses, email).signs_in() for email in (INAO, ECOCERT)]
        rows = list(crowd.organisations(number, organisation("ecocert-fr")))
        began = time.perf_counter()
        await crowd.write(base, "organisation", crowd.ORGANISATION, rows)
        say(f"\n{number} organisations written in {time.perf_counter() - began:.1f} s")
        await searches(desk, [row for row, _ in rows], rounds)
        tarn, french = organisation("tarn-bio-import"), [row["id"] for row, _ in rows if row["country"] == "FR"][:1000]
        since = datetime.now(UTC) - timedelta(hours=6)
        waiting = list(crowd.requests(number, french, [organisation("inao")], since=since))
        began = time.perf_counter()
        await crowd.write(base, "role", crowd.ROLE, waiting)
        say(f"\n{number} requests written in {time.perf_counter() - began:.1f} s")
        await pending(desk, body, [row for row, _ in waiting], rounds)
        deciding = list(crowd.requests(decisions, [tarn], [tarn, organisation("inao")]))
        await crowd.write(base, "role", crowd.ROLE, deciding)
        await decided(desk, [row["id"] for row, _ in deciding])
    await base.close()
    await planned(stack.database_url("directory"), str(rows[0][0]["name"]))


async def searches(desk: Person, rows: list[dict[str, object]], rounds: int) -> None:
    """By text, by code, by country: the first page each time."""
    random = Random(3)

    def wish(**said: object) -> str:
        return "/organisations?" + urlencode({"limit": 20, **said})

    def some() -> dict[str, object]:
        return random.choice(rows)

    kinds: dict[str, Callable[[], str]] = {
        "text, one word": lambda: wish(text=str(some()["name"]).split(" ")[0], country="FR", kind="OPERATOR"),
        "text, two words and a number": lambda: wish(text=some()["name"]),
        "town, in a country": lambda: wish(text=some()["city"], country=some()["country"]),
        "EORI": lambda: wish(text=some()["numbers"][0]),  # type: ignore[index]
        "code": lambda: wish(code="MA-BIO-154"),
        "country": lambda: wish(country=some()["country"], kind="OPERATOR"),
        "what nobody has": lambda: wish(text="zyxwv", country="FR"),
    }
    say(f"searches, 4 at a time, {rounds} each")
    for name, make in kinds.items():
        times, rate = await timed(rounds, 4, lambda _, make=make: desk.asks("GET", make(), service="directory"))  # type: ignore[misc]
        say(f"{told(name, times)}   {rate:6.0f} a second")


async def pending(desk: Person, body: Person, rows: list[dict[str, object]], rounds: int) -> None:
    """The validator's list while many wait: its first page, the next ones, searched and filtered."""
    random = Random(5)
    page = await desk.asks("GET", "/role-requests?limit=50", service="directory")
    deep = page["next"]
    for _ in range(20):
        deep = (await desk.asks("GET", f"/role-requests?limit=100&after={deep}", service="directory"))["next"]
    kinds: dict[str, tuple[Person, Callable[[], str]]] = {
        "first page": (desk, lambda: "limit=50"),
        "newest first": (desk, lambda: "limit=50&sort=newest"),
        "by the day it is due": (desk, lambda: "limit=50&sort=due"),
        "a page far behind": (desk, lambda: f"limit=50&after={deep}"),
        "by name": (desk, lambda: urlencode({"text": random.choice(rows)["person"]})),
        "by kind and country": (desk, lambda: "limit=50&role_type=OPERATOR&country=FR"),
        "a kind of which none waits": (desk, lambda: "limit=50&role_type=AUTHORITY"),
        "of a body for whom none waits": (body, lambda: "limit=50"),
    }
    say(f"the list of what waits, 4 at a time, {rounds} each")
    for name, (who, make) in kinds.items():
        times, _ = await timed(
            rounds,
            4,
            lambda _, who=who, make=make: who.asks("GET", f"/role-requests?{make()}", service="directory"),  # type: ignore[misc]
        )
        say(told(name, times))


async def decided(desk: Person, ids: list[str]) -> None:
    """One decision after the other, and several at once."""
    say()
    for at_once in (1, 16):
        mine, ids = ids[: len(ids) // 2], ids[len(ids) // 2 :]

        async def validate(each: int, mine: list[str] = mine) -> None:
            wish = {"action": "validate", "revision": 1}
            await desk.asks("POST", f"/role-requests/{mine[each]}/steps", wish, fresh_key(), service="directory")

        times, rate = await timed(len(mine), at_once, validate)
        say(f"{told(f'decisions, {at_once} at a time', times)}   {rate:6.1f} a second")


def sizes(quick: bool) -> dict[str, int]:
    """How much of everything."""
    if quick:
        return {"number": 10_000, "decisions": 40, "rounds": 100}
    return {"number": 100_000, "decisions": 400, "rounds": 400}


async def main(quick: bool) -> None:
    """On an installation of its own."""
    folder = Path(tempfile.mkdtemp(prefix="bordereau-bench-"))
    services = tuple(row for row in SERVICES if row.name in ("identity", "directory"))
    try:
        async with Stack(folder, services=services, ports="free") as stack:
            await measure(stack, **sizes(quick))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
