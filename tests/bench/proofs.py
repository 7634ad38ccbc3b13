"""Copies printed and sealed, extracts cut from one certificate, and the public page: each through the real processes.

One thing to remember: the public page takes thirty questions a minute from one address, so the crowd that asks here
comes from many addresses of this machine, as it would in life.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import httpx2

from deploy.local.stack import Stack
from services.certificates.copies import code_of
from shared.kit.keys import keyring
from tests.bench import lives
from tests.bench.lives import Traders, organisation
from tests.bench.measure import Stopwatch, percentile

Say = Callable[[str], None]
CHECKED: Final = {"documentary": "acceptable", "identity": "not_done", "physical": "not_done", "laboratory": "not_done"}
IMPORTER: Final = "importer@pyrenees.example"
PER_SECOND: Final = 50
PER_ADDRESS: Final = 25


class Holders(Traders):
    """The persons of a life, and the importer who cuts the goods into batches."""

    async def sign_in(self) -> None:
        lives.PEOPLE.setdefault("importer", IMPORTER)
        await super().sign_in()

    async def moved(self, name: str, action: str, path: str, form: Mapping[str, Any], **signs: Any) -> dict[str, Any]:
        """One move, on what is there now; the answer."""
        seen = await self.answer(name, "GET", path)
        fingerprint = None
        if signs.get("signs"):
            shown = await self.answer(name, "GET", f"{path}/confirmation?action={action}")
            fingerprint = shown["fingerprint"]
        wish = {"action": action, "revision": seen["revision"], "form": form, "fingerprint": fingerprint}
        return await self.answer(name, "POST", f"{path}/actions", wish)

    async def answer(self, name: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """What the certificates service answers this person."""
        said = await self.client.request(method, path, json=body, headers=await self.headers(name))
        if said.is_error:
            raise RuntimeError(f"{method} {path}: {said.text}")
        return said.json()  # type: ignore[no-any-return]

    async def issued(self, **otherwise: Any) -> dict[str, Any]:
        """A certificate that the body has signed."""
        view = await self.answer("exporter", "POST", "/certificates", {"content": lives.content() | otherwise})
        path = f"/certificates/{view['id']}"
        await self.moved("exporter", "submit", path, {})
        checks = {"documentary": "acceptable", "physical": "not_done"}
        return await self.moved("body", "sign", path, checks, signs=True)


def told(say: Say, what: str, times: list[float], rate: float, used: dict[str, float]) -> None:
    """One line of figures, and one of where the CPU went."""
    say(f"\n{what}: {rate:.1f} per second, p50 {1000 * percentile(times, 0.5):.0f} ms,"
        f" p99 {1000 * percentile(times, 0.99):.0f} ms ({len(times)} measured)")  # fmt: skip
    spent = sorted(used.items(), key=lambda row: -row[1])
    say("  CPU, ms each: " + ", ".join(f"{name} {each / len(times):.1f}" for name, each in spent if each))


async def timed(number: int, at_once: int, work: Callable[[int], Awaitable[object]]) -> tuple[list[float], float]:
    """How long each took, and how many were done in a second."""
    room, times = asyncio.Semaphore(at_once), list[float]()

    async def one(place: int) -> None:
        async with room:
            began = time.perf_counter()
            await work(place)
            times.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(one(place) for place in range(number)))
    return times, number / (time.perf_counter() - began)


async def pdf(stack: Stack, say: Say, quick: bool) -> None:
    """Sealed copies per second; each of another revision, so that none was printed before."""
    holders = Holders(stack.addresses)
    await holders.sign_in()
    for at_once in (1, 4):
        made = [await holders.issued() for _ in range(10 if quick else 40)]

        async def one(place: int, made: list[dict[str, Any]] = made) -> None:
            path = f"/certificates/{made[place]['id']}/pdf?language=fr"
            said = await holders.client.get(path, headers=await holders.headers("exporter"))
            assert said.content.startswith(b"%PDF"), said.text

        watch = Stopwatch(stack.pids).start()
        times, rate = await timed(len(made), at_once, one)
        told(say, f"sealed PDFs, {at_once} at a time", times, rate, watch.stop()[1])
    await holders.client.aclose()


async def extracts(stack: Stack, say: Say, quick: bool) -> None:
    """Extracts begun and submitted per second on one certificate; the last ones find nothing left."""
    holders = Holders(stack.addresses)
    await holders.sign_in()
    number = 20 if quick else 100
    for at_once in (1, 20):
        view = await holders.issued(first_consignee=None, release_by_batches=True)
        parent = f"/certificates/{view['id']}"
        opened = await holders.moved("border", "open_batches", parent, CHECKED, signs=True)
        line, whole = opened["content"]["product_lines"][0]["id"], 1920
        part = {"id": line, "packages": 480 // number, "net_weight": f"{whole / number:.3f}"}
        refused: list[str] = []

        async def one(
            place: int, parent: str = parent, part: dict[str, Any] = part, refused: list[str] = refused
        ) -> None:
            new = {"consignee": organisation("garonne-bio"), "product_lines": [part]}
            headers = await holders.headers("importer")
            said = await holders.client.post(f"{parent}/extracts", json={"content": new}, headers=headers)
            if said.is_success:
                begun = said.json()
                wish = {"action": "submit", "revision": begun["revision"], "form": {}}
                headers = await holders.headers("importer")
                said = await holders.client.post(f"/extracts/{begun['id']}/actions", json=wish, headers=headers)
            if said.is_error:  # of a certificate with nothing left, none is begun either
                refused.append(said.json()["code"])

        watch = Stopwatch(stack.pids).start()
        times, rate = await timed(number + 5, at_once, one)
        told(say, f"extracts of one certificate, {at_once} at a time", times, rate, watch.stop()[1])
        say(f"  refused for want of goods: {len(refused)} of {number + 5}")
        assert set(refused) <= {"incomplete"}, refused
        assert len(refused) >= 5
    await holders.client.aclose()


async def verify(stack: Stack, say: Say, quick: bool) -> None:
    """The public page, asked fifty times a second whatever it answers."""
    holders = Holders(stack.addresses)
    await holders.sign_in()
    view = await holders.issued()
    number = PER_SECOND * (5 if quick else 20)
    code = code_of(view["id"], keyring(stack.var / "codec.key", "verification-codes"))
    path = f"/verify/{view['number']}?c={code}&r={view['revision']}"
    doors = [
        httpx2.AsyncClient(
            base_url=stack.addresses["portal"],
            transport=httpx2.AsyncHTTPTransport(local_address=f"127.0.1.{1 + each}"),
            timeout=30,
        )
        for each in range(number // PER_ADDRESS)
    ]
    times: list[float] = []

    async def one(place: int, due: float) -> None:
        await asyncio.sleep(due - time.perf_counter())
        said = await doors[place % len(doors)].get(path)
        assert said.status_code == 200, said.status_code
        assert view["number"] in said.text
        times.append(time.perf_counter() - due)  # from when it was due: whoever waits in line has waited

    watch = Stopwatch(stack.pids).start()
    began = time.perf_counter() + 0.5
    await asyncio.gather(*(one(place, began + place / PER_SECOND) for place in range(number)))
    told(say, f"verification page, asked {PER_SECOND} times a second", times, number / (time.perf_counter() - began),
         watch.stop()[1])  # fmt: skip
    for door in doors:
        await door.aclose()
    await holders.client.aclose()


PROOFS: Final[dict[str, Callable[[Stack, Say, bool], Awaitable[None]]]] = {
    "pdf": pdf, "extracts": extracts, "verify": verify,
}  # fmt: skip
