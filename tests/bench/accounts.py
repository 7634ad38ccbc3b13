"""Accounts under load: logins and registrations per second, the cost of a pending link, how soon the revoked are out.

Passwords are hashed as in production; only the limits that keep a single source from doing this are lifted.
"""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
from altcha import Challenge, Payload, solve_challenge

from deploy.local.programs import SERVICES
from deploy.local.stack import Stack
from services.identity.settings import Settings
from tests.bench.lives import PASSWORD, PEOPLE
from tests.bench.measure import Stopwatch, percentile
from tests.bench.sizes import found, settled, sizes

Say = Callable[[str], None]
LIFTED = {
    "ATTEMPTS_PER_ACCOUNT": "1000000/minute",
    "ATTEMPTS_PER_SOURCE": "1000000/minute",
    "REGISTRATIONS_PER_SOURCE": "1000000/minute",
    "PROOF_COST": "1",  # the browser's work is not ours
}
PENDING = "SELECT count(*) FROM link WHERE purpose = 'account-link' AND ended_at IS NULL"
SENT = "SELECT count(*) FROM letter WHERE letter = 'account-link' AND state = 'SENT'"
READS = (("certificates", "/certificates"), ("directory", "/people/me/role-requests"), ("notifications", "/news"))


async def many(one: Callable[[int], Awaitable[None]], number: int, at_once: int) -> tuple[float, list[float]]:
    """So many of something, so many at a time: how many in a second, and how long each took."""
    times: list[float] = []
    room = asyncio.Semaphore(at_once)

    async def timed(each: int) -> None:
        async with room:
            began = time.perf_counter()
            await one(each)
            times.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(timed(each) for each in range(number)))
    return number / (time.perf_counter() - began), times


def told(label: str, rate: float, times: list[float]) -> str:
    """One line."""
    p50, p99 = (1000 * percentile(times, share) for share in (0.5, 0.99))
    return f"  {label:<34} {rate:6.1f} /s   p50 {p50:6.1f} ms  p99 {p99:6.1f} ms"


class Crowd:
    """People at identity's door."""

    def __init__(self, stack: Stack, web: httpx2.AsyncClient) -> None:
        self.stack, self.web, self.identity = stack, web, stack.addresses["identity"]
        self.emails = list(PEOPLE.values())
        self.proofs: list[str] = []

    async def sign_in(self, each: int) -> None:
        """One of the demonstration's people."""
        body = {"email": self.emails[each % len(self.emails)], "password": PASSWORD}
        (await self.web.post(f"{self.identity}/sessions", json=body)).raise_for_status()

    async def fails(self, each: int) -> None:
        """Somebody nobody knows."""
        body = {"email": f"{uuid4().hex}@nowhere.example", "password": "wrong"}
        assert (await self.web.post(f"{self.identity}/sessions", json=body)).status_code == 401

    async def work(self, number: int) -> None:
        """What the browsers of so many do before they send the form."""
        for _ in range(number):
            said = (await self.web.get(f"{self.identity}/registrations/challenge")).json()["challenge"]
            challenge = Challenge.from_dict(said)
            solution = solve_challenge(challenge)
            assert solution is not None
            self.proofs.append(Payload(challenge, solution).to_base64())

    async def register(self, _: int) -> None:
        """A form, sent."""
        email = f"{uuid4().hex}@bench.example"
        form = {
            "first_name": "Zoë", "last_name": "O'Brien", "email": email, "email_again": email, "language": "en",
            "privacy": True, "proof": self.proofs.pop(),
        }  # fmt: skip
        headers = {"Idempotency-Key": uuid4().hex}
        (await self.web.post(f"{self.identity}/registrations", json=form, headers=headers)).raise_for_status()


async def revoked(stack: Stack, web: httpx2.AsyncClient, rounds: int) -> dict[str, list[float]]:
    """Seconds from the answer to [sign out everywhere] until a reader's token is refused, by service."""
    identity, seconds = stack.addresses["identity"], {name: list[float]() for name, _ in READS}
    for _ in range(rounds):
        said = {"email": PEOPLE["exporter"], "password": PASSWORD}
        opened = (await web.post(f"{identity}/sessions", json=said)).json()
        session = {"Authorization": f"Session {opened['session']}"}
        token = (await web.post(f"{identity}/tokens", headers=session)).json()["token"]
        post = opened["person"]["posts"][0]["organisation_id"]
        bearer = {"Authorization": f"Bearer {token}", "Acting-For": post}
        for name, path in READS:
            (await web.get(stack.addresses[name] + path, headers=bearer)).raise_for_status()
        (await web.delete(f"{identity}/me/sessions", headers=session)).raise_for_status()
        began = time.perf_counter()

        async def refused(name: str, path: str, bearer: Any = bearer, began: float = began) -> None:
            while (await web.get(stack.addresses[name] + path, headers=bearer)).status_code != 401:
                assert time.perf_counter() - began < 10, name
            seconds[name].append(time.perf_counter() - began)

        await asyncio.gather(*(refused(name, path) for name, path in READS))
    return seconds


async def waiting(stack: Stack, number: int) -> None:
    """Until so many links wait to be clicked, and their letters are gone."""
    await found(stack, "identity", PENDING, number)
    await found(stack, "notifications", SENT, number)


async def pending(stack: Stack, crowd: Crowd, before_them: int, links: int, say: Say) -> None:
    """What one more registration costs that waits for its link to be clicked: history, rows, memory, CPU."""
    await crowd.work(links)
    before, watch = sizes(stack), Stopwatch(stack.pids).start()
    rate, times = await many(crowd.register, links, 16)
    await waiting(stack, before_them + links)
    passed, used = watch.stop()
    after = sizes(stack)
    say(told(f"{links} pending links", rate, times))
    each = ", ".join(f"{name} {(after[name] - before[name]) / links:.1f} KiB" for name in ("history", "rows", "memory"))
    say(f"    all of them waiting, their letters sent, after {passed:.0f} s")
    say(f"    each: {each}, {sum(used.values()) / links:.0f} CPU ms")


async def main(quick: bool, say: Say, links: int) -> None:
    """Measure, and print."""
    folder = Path(tempfile.mkdtemp(prefix="bordereau-bench-"))
    services = tuple(row for row in SERVICES if row.name != "portal")
    known = Settings()
    try:
        async with Stack(
            folder,
            services=services,
            ports="free",
            settings={"identity": LIFTED, "notifications": {"LETTERS_PER_SECOND": "2000"}},
        ) as stack:
            limits = httpx2.Limits(max_connections=100, max_keepalive_connections=100)
            async with httpx2.AsyncClient(timeout=60, limits=limits) as web:
                crowd = Crowd(stack, web)
                await settled(stack)
                cost = f"{known.argon2_memory_kib} KiB, {known.argon2_passes} passes, {known.hashes_at_once} at once"
                say(f"\naccounts; argon2id with {cost}")
                number = 60 if quick else 600
                await many(crowd.sign_in, 10, 2)
                for at_once in (1, 16):
                    say(told(f"logins, {at_once} at a time", *await many(crowd.sign_in, number, at_once)))
                say(told("of nobody, 16 at a time", *await many(crowd.fails, number, 16)))

                await crowd.work(number)
                say(told("registrations, 16 at a time", *await many(crowd.register, number, 16)))
                await waiting(stack, number)
                await pending(stack, crowd, number, links, say)

                for name, seconds in (await revoked(stack, web, 10 if quick else 50)).items():
                    p50, worst = 1000 * percentile(seconds, 0.5), 1000 * max(seconds)
                    say(f"  revoked to refused by {name:<14} p50 {p50:6.1f} ms  worst {worst:6.1f} ms")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
