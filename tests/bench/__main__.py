"""``python -m tests.bench [--quick] [NAME…]``: one measurement or several, by name; without a name all of them.

``lives``: lives per second, latencies, CPU per life, cost of an open certificate. ``pdf``, ``extracts``, ``verify``:
sealed copies per second, extracts per second on one certificate, the public page at fifty a second (``proofs.py``).
``accounts``: logins and registrations per second, the cost of a pending link, how soon the revoked are out.
``directory``: searches among 100,000 organisations, decisions, 100,000 requests that wait (``directory.py``).
``finding``: searches over a million certificates written by COPY (``finding.py``).
"""

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Final
from uuid import uuid4

import uvloop
from temporalio.client import Client
from temporalio.worker import Worker

from deploy.local.programs import SERVICES
from deploy.local.stack import Stack
from tests.bench import accounts, directory
from tests.bench.finding import finding
from tests.bench.floor import UPDATES, BareLife, touch
from tests.bench.lives import Traders
from tests.bench.measure import Stopwatch, percentile, pss_megabytes
from tests.bench.proofs import PROOFS
from tests.bench.sizes import drained, settled, sizes

LETTERS = "letters on"
SILENT = "listeners stopped"
ALL: Final = ("lives", "accounts", "directory", "finding", *PROOFS)


def say(line: str = "") -> None:
    """Print at once."""
    print(line, flush=True)


async def floor(stack: Stack, number: int, at_once: int) -> tuple[float, list[float], float]:
    """Lives per second, update times and CPU milliseconds per life of the bare workflow on this server."""
    client = await Client.connect(stack.addresses["temporal"])
    queue = uuid4().hex
    times: list[float] = []
    room = asyncio.Semaphore(at_once)

    async def one() -> None:
        async with room:
            handle = await client.start_workflow(BareLife.run, id=uuid4().hex, task_queue=queue)
            for step in range(UPDATES):
                began = time.perf_counter()
                await handle.execute_update(BareLife.step, step)
                times.append(time.perf_counter() - began)

    async with Worker(
        client,
        task_queue=queue,
        workflows=[BareLife],
        activities=[touch],
        max_concurrent_workflow_task_polls=16,
    ):
        await asyncio.gather(*(one() for _ in range(5)))
        times.clear()
        watch = Stopwatch({"server": stack.pid("temporal"), "here": os.getpid()}).start()
        await asyncio.gather(*(one() for _ in range(number)))
        passed, used = watch.stop()
    return number / passed, times, sum(used.values()) / number


async def rounds(stack: Stack, label: str, sizes: dict[int, int]) -> None:
    """The same lives at several widths, each beside the floor."""
    traders = Traders(stack.addresses)
    await traders.sign_in()
    await traders.many(10, 4)
    for at_once, number in sizes.items():
        bare, bare_times, bare_cpu = await floor(stack, number, at_once)
        traders.times.clear()
        watch = Stopwatch({**stack.pids, "clients": os.getpid()}).start()
        rate = await traders.many(number, at_once)
        _, used = watch.stop()
        total = sum(used.values()) / number
        say(f"\n{label}, {at_once} at a time, {number} lives")
        say(f"  floor       {bare:6.1f} lives/s   step p50 {ms(bare_times, 0.5)}  p99 {ms(bare_times, 0.99)}"
            f"   {bare_cpu:5.0f} CPU ms per life")  # fmt: skip
        say(f"  ours        {rate:6.1f} lives/s   ratio {rate / bare:4.2f}   {total:5.0f} CPU ms per life")
        for action, times in traders.times.items():
            say(f"    {action:<9} p50 {ms(times, 0.5)}  p99 {ms(times, 0.99)}")
        ratio = percentile(traders.times["sign"], 0.99) / percentile(bare_times, 0.99)
        say(f"    p99 of a signature is {ratio:.1f} times the floor's")
        say("    where the CPU goes, ms per life: " + ", ".join(
            f"{name} {spent / number:.0f}" for name, spent in sorted(used.items(), key=lambda row: -row[1])
        ))  # fmt: skip
    await traders.client.aclose()


def ms(times: list[float], share: float) -> str:
    """A percentile in milliseconds."""
    return f"{1000 * percentile(times, share):6.1f} ms"


async def open_ones(stack: Stack, numbers: tuple[int, ...]) -> None:
    """What one more open certificate costs: bytes of history, bytes of rows, memory."""
    traders = Traders(stack.addresses)
    await traders.sign_in()
    made = 0
    before = sizes(stack)
    for number in numbers:
        await traders.drafts(number - made, at_once=8)
        await drained(stack)
        made = number
        after = sizes(stack)
        say(f"\n{number} open certificates, each: " + ", ".join(
            f"{name} {(after[name] - before[name]) / number:.1f} {unit}"
            for name, unit in (("history", "KiB"), ("rows", "KiB"), ("memory", "KiB"))
        ))  # fmt: skip
    await traders.client.aclose()


async def main(names: list[str], quick: bool, links: int, certificates: int) -> None:
    """Measure what is named, and no other."""
    if "lives" in names:
        await all_lives(quick)
    if "accounts" in names:
        await accounts.main(quick, say, links)
    if "directory" in names:
        await directory.main(quick)
    if "finding" in names:
        await finding(certificates)
    if asked := [name for name in names if name in PROOFS]:
        folder = Path(tempfile.mkdtemp(prefix="bordereau-bench-"))
        try:
            async with Stack(folder, services=SERVICES, ports="free") as stack:
                await settled(stack)
                for name in asked:
                    await PROOFS[name](stack, say, quick)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


async def all_lives(quick: bool) -> None:
    """Lives at several widths, with listeners and without, and what an open certificate costs."""
    widths = {1: 20, 16: 100} if quick else {1: 60, 16: 400, 64: 400}
    folder = Path(tempfile.mkdtemp(prefix="bordereau-bench-"))
    try:
        for label in (LETTERS, SILENT):
            without = {"portal"} if label == LETTERS else {"portal", "notifications"}
            services = tuple(row for row in SERVICES if row.name not in without)
            began = time.perf_counter()
            async with Stack(folder / label.split()[0], services=services, ports="free") as stack:
                say(f"{label}: up after {time.perf_counter() - began:.1f} s (first start, with initdb)")
                await settled(stack)
                say(f"memory, idle: {pss_megabytes([*stack.pids.values()]):.0f} MB (sum of PSS)")
                await rounds(stack, label, widths)
                if label == LETTERS:
                    await open_ones(stack, (200,) if quick else (1000, 10000))
            began = time.perf_counter()
            async with Stack(folder / label.split()[0], services=services, ports="free"):
                say(f"{label}: up again after {time.perf_counter() - began:.1f} s")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*ALL, []], metavar="NAME", help="what to measure")
    parser.add_argument("--quick", action="store_true", help="fewer lives, fewer rows")
    parser.add_argument("--links", type=int, metavar="N", help="accounts: so many pending links (10,000; quick: 300)")
    parser.add_argument("--certificates", type=int, metavar="N", help="finding: so many (1,000,000; quick: 100,000)")
    wish = parser.parse_args()
    links = wish.links or (300 if wish.quick else 10_000)
    certificates = wish.certificates or (100_000 if wish.quick else 1_000_000)
    uvloop.run(main(wish.names or list(ALL), wish.quick, links, certificates))
    sys.stdout.flush()
    os._exit(0)
