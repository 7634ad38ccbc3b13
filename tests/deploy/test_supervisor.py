"""What is started is kept running, whatever happens to it, and leaves nothing behind."""

import asyncio
import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from deploy.local.one import DidNotStart
from deploy.local.ports import free_port, nearby
from deploy.local.programs import ROOT, Service
from deploy.local.stack import Stack

ALPHA = Service("alpha", "tests.deploy.standin", ("alpha",), heavy=False)
BETA = Service("beta", "tests.deploy.standin", ("beta",), heavy=False)
QUICK = (0.05,)


@pytest.fixture
def said() -> list[str]:
    """What the supervisor says."""
    return []


@pytest.fixture
async def stack(tmp_path: Path, said: list[str]) -> AsyncIterator[Stack]:
    """Everything but our services, and two programs in their place."""
    async with Stack(
        tmp_path / "a folder", services=(ALPHA, BETA), ports="free", fsync=False, say=said.append, pauses=QUICK
    ) as stack:
        yield stack


async def test_everything_starts_answers_and_stops_without_a_trace(tmp_path: Path) -> None:
    async with Stack(tmp_path, services=(ALPHA,), ports="free", fsync=False) as stack:
        pids = stack.pids
        assert set(pids) == {"postgres", "nats", "temporal", "alpha"}
        assert json.loads((tmp_path / "addresses.json").read_text()) == stack.addresses
        connection = await asyncpg.connect(stack.database_url("certificates", scheme="postgresql"))
        assert await connection.fetchval("SELECT current_user") == "certificates"
        await connection.close()
        before = time.monotonic()
    assert time.monotonic() - before < 10
    assert not [pid for pid in pids.values() if is_alive(pid)]


async def test_a_crash_is_told_and_mended(stack: Stack, said: list[str]) -> None:
    killed = {name: stack.kill(name) for name in ("alpha", "nats", "postgres", "temporal")}
    for name, pid in killed.items():
        await stack.ready(name, patience=20)
        assert stack.pid(name) != pid
        assert any(f"{name} was ended by SIGKILL" in line for line in said)
        assert any(f"{name} is ready again" in line for line in said)


async def test_what_is_stopped_stays_stopped_until_it_is_started(stack: Stack) -> None:
    await stack.stop("postgres")
    with pytest.raises(ProcessLookupError):
        stack.pid("postgres")
    await stack.start("postgres")
    assert stack.pid("postgres")


async def test_a_warning_in_a_log_is_shown(stack: Stack, said: list[str]) -> None:
    async with asyncio.timeout(5):
        while "alpha: warning a word of warning" not in said:  # noqa: ASYNC110 (the log is a file)
            await asyncio.sleep(0.05)


async def test_a_program_that_never_starts_ends_the_attempt_with_its_last_words(tmp_path: Path) -> None:
    broken = Service("alpha", "tests.deploy.standin", ("alpha", "broken"), heavy=False)
    with pytest.RaisesGroup(pytest.RaisesExc(DidNotStart, match="this program does not start")):
        async with Stack(tmp_path, services=(broken,), ports="free", fsync=False, pauses=QUICK):
            pass


async def test_a_database_is_closed_to_the_other_services(stack: Stack) -> None:
    theirs = stack.database_url("identity", scheme="postgresql").removesuffix("identity") + "certificates"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(theirs)


def test_a_taken_port_is_avoided_also_when_it_is_taken_in_the_other_family() -> None:
    port = free_port()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        assert nearby(port) != port
    assert nearby(port) == port
    assert nearby(port, {port}) != port


# -- the command, as a process of its own


def run(var: Path, *wish: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.deploy.commanded", *wish, "--no-demo", "--var", str(var)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def until_ready(process: "subprocess.Popen[str]") -> str:
    """Read until READY, and return what was said."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if line.startswith("READY"):
            return said
    raise AssertionError(said)


def children(process: "subprocess.Popen[str]") -> list[int]:
    """What it has started."""
    return [one.pid for one in psutil.Process(process.pid).children(recursive=True)]


def test_ctrl_c_stops_everything_within_ten_seconds_and_secrets_stay_secret(tmp_path: Path) -> None:
    process = run(tmp_path, "run")
    until_ready(process)
    assert (started := children(process))
    before = time.monotonic()
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=15)
    assert process.returncode == 0, rest
    assert time.monotonic() - before < 10
    assert not [pid for pid in started if is_alive(pid)]
    place = Path((tmp_path / "postgres").read_text().strip())
    for secret in (tmp_path / "passwords.json", tmp_path / "mail", tmp_path / "log" / "alpha.log", place):
        assert secret.stat().st_mode & 0o077 == 0, secret
    run(tmp_path, "reset").communicate(timeout=10)
    assert not place.exists()


def test_a_second_run_says_that_one_runs_already_and_stop_stops_it(tmp_path: Path) -> None:
    process = run(tmp_path, "run")
    until_ready(process)
    second = run(tmp_path, "run")
    said, _ = second.communicate(timeout=10)
    assert second.returncode == 0
    assert f"already runs here (process {process.pid})" in said
    assert "http://localhost:" in said
    refused, _ = run(tmp_path, "reset").communicate(timeout=10)
    assert "make stop" in refused
    stopped, _ = run(tmp_path, "stop").communicate(timeout=15)
    assert "Stopped." in stopped
    process.communicate(timeout=10)
    run(tmp_path, "reset").communicate(timeout=10)
    assert not tmp_path.exists()


def test_when_the_supervisor_is_killed_nothing_is_orphaned_and_the_next_start_recovers(tmp_path: Path) -> None:
    process = run(tmp_path, "run")
    until_ready(process)
    orphans = [psutil.Process(pid) for pid in children(process)]
    assert orphans
    process.kill()
    process.communicate()
    assert psutil.wait_procs(orphans, timeout=10)[1] == []
    again = run(tmp_path, "run")
    until_ready(again)
    again.terminate()
    again.communicate(timeout=15)
    run(tmp_path, "reset").communicate(timeout=10)


def test_a_taken_port_is_said_and_remembered(tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text(json.dumps({"portal": (port := free_port()), **others()}))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        process = run(tmp_path, "run")
        said = until_ready(process)
        process.terminate()
        process.communicate(timeout=15)
    assert (found := re.search(rf"port {port} is taken: portal uses (\d+)", said))
    assert json.loads((tmp_path / "ports.json").read_text())["portal"] == int(found[1])
    run(tmp_path, "reset").communicate(timeout=10)


def others() -> dict[str, int]:
    """Ports of this test's own for all the rest, so that it meets nobody else's."""
    names = ("postgres", "nats", "temporal", "temporal_ui", "temporal_http", "smtp", "mailbox", "identity", "directory")
    return {name: free_port() for name in (*names, "certificates", "notifications", "alpha")}


def is_alive(pid: int) -> bool:
    try:
        return (Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][:1]) != "Z"
    except OSError:
        return False
