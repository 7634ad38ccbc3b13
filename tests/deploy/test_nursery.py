"""What the nursery forks is a process like any other: with its own log, end and exit code."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from deploy.local.child import Program
from deploy.local.nursery import Nursery
from deploy.local.ports import free_port
from deploy.local.probes import http, until_ready
from deploy.local.programs import ROOT


@pytest.fixture
async def nursery(tmp_path: Path) -> AsyncIterator[Nursery]:
    nursery = Nursery(tmp_path / "nursery.log", ROOT, libraries=())
    nursery.open()
    yield nursery
    await nursery.close()


def standin(*arguments: str, port: int = 1) -> Program:
    return Program(
        name="alpha",
        command=(),
        forked=("tests.deploy.standin", "alpha", *arguments),
        environment={"ALPHA_PORT": str(port)},
        folder=ROOT,
        ready=http(port),
        patience=0.5,
    )


async def test_a_child_is_told_its_surroundings_and_speaks_to_its_own_log(nursery: Nursery, tmp_path: Path) -> None:
    program = standin(port=free_port())
    child = await nursery.fork(program, tmp_path / "alpha.log")
    async with asyncio.timeout(20):
        await until_ready(program.ready)
    assert "a word of warning" in (tmp_path / "alpha.log").read_text()
    assert os.getsid(child.pid) == child.pid
    assert await child.stop() == -signal.SIGTERM


async def test_a_child_ends_with_its_own_code_and_its_last_words(nursery: Nursery, tmp_path: Path) -> None:
    child = await nursery.fork(standin("broken"), tmp_path / "alpha.log")
    assert await child.ended() == 1
    assert "this program does not start" in (tmp_path / "alpha.log").read_text()


async def test_who_does_not_stop_is_stopped(nursery: Nursery, tmp_path: Path) -> None:
    program = standin("stubborn", port=free_port())
    child = await nursery.fork(program, tmp_path / "alpha.log")
    async with asyncio.timeout(20):
        await until_ready(program.ready)
    assert await child.stop() == -signal.SIGKILL


async def test_with_the_nursery_its_children_end_and_the_next_wish_opens_another(
    nursery: Nursery, tmp_path: Path
) -> None:
    for _ in range(3):  # killed while the child is still becoming what it shall be
        child = await nursery.fork(standin(port=free_port()), tmp_path / "alpha.log")
        born = psutil.Process(child.pid)
        os.kill(born.ppid(), signal.SIGKILL)
        async with asyncio.timeout(5):
            assert await child.ended() == -signal.SIGKILL
        assert psutil.wait_procs([born], timeout=5)[1] == [], "no child outlives its nursery"
    again = await nursery.fork(standin("broken"), tmp_path / "alpha.log")
    assert await again.ended() == 1


async def test_after_its_end_it_forks_nobody_and_whoever_waits_hears_of_it(nursery: Nursery, tmp_path: Path) -> None:
    wish = asyncio.ensure_future(nursery.fork(standin(port=free_port()), tmp_path / "alpha.log"))
    await asyncio.sleep(0)
    await nursery.close()
    for late in (wish, nursery.fork(standin("broken"), tmp_path / "alpha.log")):
        with pytest.raises(ChildProcessError):
            await late


def test_when_its_supervisor_is_killed_neither_nursery_nor_child_is_left(tmp_path: Path) -> None:
    supervisor = subprocess.Popen(
        (sys.executable, "-m", "tests.deploy.forking", str(tmp_path)), cwd=ROOT, stdout=subprocess.PIPE
    )
    assert supervisor.stdout is not None
    pids = [int(supervisor.stdout.readline()) for _ in range(2)]
    children = psutil.Process(supervisor.pid).children(recursive=True)
    assert {each.pid for each in children} >= set(pids)
    supervisor.kill()  # the last child is still becoming what it shall be
    supervisor.communicate()
    assert psutil.wait_procs(children, timeout=10)[1] == []
