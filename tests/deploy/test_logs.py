"""The logs: what alarms is shown once, and no file grows without end."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from deploy.local.logs import follow
from shared.kit.process import end


def append(log: Path, lines: list[str]) -> None:
    with open(log, "a") as file:
        file.writelines(line + "\n" for line in lines)


async def following(log: Path, said: list[str], largest: int, write: list[str], read: Callable[[], bool]) -> None:
    """Write while somebody follows, until it was read."""
    task = asyncio.create_task(follow("alpha", log, r'"level": "error"|^Traceback', said.append, largest, every=0.01))
    await asyncio.sleep(0)  # it begins, and has seen what is there
    append(log, write)
    async with asyncio.timeout(10):
        while not read():  # noqa: ASYNC110 (the log is a file)
            await asyncio.sleep(0.01)
    await end([task])


async def test_only_new_lines_that_alarm_are_shown_and_only_some_of_them(tmp_path: Path) -> None:
    log, said = tmp_path / "alpha.log", list[str]()
    log.write_text('{"level": "error", "event": "of yesterday"}\n')
    lines = ['{"level": "info", "event": "fine"}', *(f'{{"level": "error", "event": "no. {n}"}}' for n in range(9))]
    await following(log, said, 10_000, lines, lambda: bool(said))
    assert said == [f"alpha: error no. {n}" for n in range(5)]


async def test_a_large_log_is_turned_over_and_what_it_said_is_kept_beside(tmp_path: Path) -> None:
    log, said = tmp_path / "alpha.log", list[str]()
    await following(log, said, 500, ["x" * 99] * 10, lambda: log.exists() and not log.stat().st_size)
    assert log.stat().st_size == 0
    assert (tmp_path / "alpha.old.log").read_text() == ("x" * 99 + "\n") * 10
