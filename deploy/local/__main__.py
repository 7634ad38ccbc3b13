"""`python -m deploy.local run | demo | stop | reset`: what the Makefile calls."""

import argparse
import asyncio
import contextlib
import fcntl
import functools
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from deploy.local import postgres, screen, story
from deploy.local.one import DidNotStart
from deploy.local.programs import ROOT, SERVICES, Service
from deploy.local.stack import Ports, Stack

ENVIRONMENTS: Final = ("production", "acceptance", "training")
"""Installations of their own: accounts may be shared, roles never are (guide 000 §II)."""


def main(services: tuple[Service, ...] = SERVICES, ports: Ports = "usual") -> int:
    """Do what the first argument says."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local")
    parser.add_argument("wish", choices=("run", "demo", "stop", "reset"))
    parser.add_argument("--var", type=Path, help="the folder of the state")
    parser.add_argument("--environment", choices=ENVIRONMENTS, help="an installation of its own, beside the others")
    parser.add_argument("--no-demo", action="store_true", help="start without demo accounts and without the story")
    wish = parser.parse_args()
    var: Path = (wish.var or home(wish.environment)).resolve()
    settings = {"portal": {"ENVIRONMENT": wish.environment or ""}}
    started = functools.partial(
        Stack, var, services=services, ports=ports, demo=not wish.no_demo, settings=settings, say=screen.say
    )
    try:
        match wish.wish:
            case "run":
                return _run(var, started, story.Wanted.NEVER if wish.no_demo else story.Wanted.ONCE)
            case "demo":
                return _demo(var, started)
            case "stop":
                return _stop(var)
            case _:
                return _reset(var)
    except PermissionError as problem:
        owner = "another user" if not os.access(var, os.W_OK) else "root"
        screen.say(f"{problem}. Part of {var} belongs to {owner}: start as that user, or remove it.")
        return 1


def home(environment: str | None) -> Path:
    """Where an installation keeps its state: each environment has a folder, a key and databases of its own."""
    return ROOT / (f"var-{environment}" if environment else "var")


def _run(var: Path, started: Callable[[], Stack], wanted: story.Wanted) -> int:
    with _alone(var) as alone:
        if not alone:
            screen.say(f"Bordereau already runs here (process {_runner(var)}); `make stop` stops it.")
            screen.show_addresses(_addresses(var))
            return 0
        return asyncio.run(_serve(started(), wanted))


def _demo(var: Path, started: Callable[[], Stack]) -> int:
    with _alone(var) as alone:
        runs = not alone
    if runs:
        return asyncio.run(story.play(_addresses(var)))
    return _run(var, started, story.Wanted.ALWAYS)


def _stop(var: Path) -> int:
    with _alone(var) as alone:
        if alone:
            screen.say("Bordereau does not run here.")
            return 0
    os.kill(_runner(var), signal.SIGTERM)
    for _ in range(300):
        with _alone(var) as alone:
            if alone:
                screen.say("Stopped.")
                return 0
        time.sleep(0.05)
    screen.say(f"Process {_runner(var)} does not stop.")
    return 1


def _reset(var: Path) -> int:
    with _alone(var) as alone:
        if not alone:
            screen.say("Bordereau runs here: `make stop` first.")
            return 1
        postgres.remove(var)
    shutil.rmtree(var, ignore_errors=True)
    screen.say(f"{var} is empty again.")
    return 0


async def _serve(stack: Stack, wanted: story.Wanted) -> int:
    began, stop = time.monotonic(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    screen.say(f"Starting; the state is in {stack.var} …")
    serving = asyncio.create_task(_until(stack, wanted, began))
    asked = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, asked}, return_when=asyncio.FIRST_COMPLETED)
    if asked.done() and not serving.done():
        screen.say("Stopping …")
        ending = time.monotonic()
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving
        screen.say(f"Stopped in {time.monotonic() - ending:.1f} s.")
        return 0
    asked.cancel()
    try:
        await serving
    except* DidNotStart as problems:
        for problem in problems.exceptions:
            screen.say(f"It did not start: {problem}")
    return 1


async def _until(stack: Stack, wanted: story.Wanted, began: float) -> None:
    """Start everything, play the story where there is nothing to see yet, say READY, and stay."""
    async with stack:
        played = stack.var / "story-played"
        if wanted is story.Wanted.ALWAYS or (wanted is story.Wanted.ONCE and not played.exists()):
            await story.play(stack.addresses)
            played.touch()
        screen.show_addresses(stack.addresses)
        if wanted is not story.Wanted.NEVER:
            screen.show_people()
        screen.SCREEN.print(
            f"[bold green]READY[/bold green] after {time.monotonic() - began:.1f} s. Ctrl-C stops everything."
        )
        await asyncio.Event().wait()  # until cancelled: what is left of the block then stops everything


@contextmanager
def _alone(var: Path) -> Iterator[bool]:
    """Whether nobody else runs in this folder; while the block lasts, nobody will. The lock dies with the process."""
    var.mkdir(parents=True, exist_ok=True)
    with open(var / "lock", "a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield True


def _runner(var: Path) -> int:
    return int((var / "lock").read_text() or 0)


def _addresses(var: Path) -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads((var / "addresses.json").read_text())
    except (OSError, ValueError):
        return {}
    return found


if __name__ == "__main__":
    sys.exit(main())
