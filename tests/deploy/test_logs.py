"""The logs: what alarms is shown once, and no file grows without end."""

import asyncio
import contextlib
from pathlib import Path

from deploy.local.logs import follow


def append(log: Path, lines: list[str]) -> None:
    with open(log, "a") as file:
        file.writelines(line + "\n" for line in lines)


async def following(log: Path, said: list[str], largest: int, write: list[str]) -> None:
    task = asyncio.create_task(follow("alpha", log, r'"level": "error"|^Traceback', said.append, largest))
    await asyncio.sleep(0.1)
    append(log, write)
    await asyncio.sleep(0.8)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_only_new_lines_that_alarm_are_shown_and_only_some_of_them(tmp_path: Path) -> None:
    log, said = tmp_path / "alpha.log", list[str]()
    log.write_text('{"level": "error", "event": "of yesterday"}\n')
    lines = ['{"level": "info", "event": "fine"}', *(f'{{"level": "error", "event": "no. {n}"}}' for n in range(9))]
    await following(log, said, 10_000, lines)
    assert said == [f"alpha: error no. {n}" for n in range(5)]


async def test_a_large_log_is_turned_over_and_what_it_said_is_kept_beside(tmp_path: Path) -> None:
    log, said = tmp_path / "alpha.log", list[str]()
    await following(log, said, 500, ["x" * 99] * 10)
    assert log.stat().st_size == 0
    assert (tmp_path / "alpha.old.log").read_text() == ("x" * 99 + "\n") * 10
