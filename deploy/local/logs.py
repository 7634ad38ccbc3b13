"""The logs of the programs: what alarms is shown on the screen, and no file grows without end."""

import asyncio
import json
import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

LARGEST: Final = 5_000_000  # bytes; then the log becomes the old log
_EVERY: Final = 0.5
_SHOWN: Final = (5, 10.0)  # at most five lines of one program in ten seconds
_LONGEST: Final = 300


async def follow(
    name: str, log: Path, alarming: str, say: Callable[[str], None], largest: int = LARGEST, every: float = _EVERY
) -> None:
    """Read what a program writes from now on, show what alarms, and turn the file over when it is large."""
    place = _size(log)
    rest, shown, hidden = b"", list[float](), 0
    most, within = _SHOWN
    pattern = re.compile(alarming)
    while True:
        await asyncio.sleep(every)
        lines, place, rest = _new_lines(log, place, rest)
        shown = [when for when in shown if time.monotonic() - when < within]
        if hidden and not shown:
            say(f"{name}: … and {hidden} more, in {log}")
            hidden = 0
        for line in lines:
            if pattern.search(line):
                if len(shown) < most:
                    shown.append(time.monotonic())
                    say(f"{name}: {_short(line)}")
                else:
                    hidden += 1
        if place > largest:
            _turn_over(log)
            place, rest = 0, b""


def _size(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0


def _new_lines(log: Path, place: int, rest: bytes) -> tuple[list[str], int, bytes]:
    try:
        with open(log, "rb") as file:
            if os.fstat(file.fileno()).st_size < place:
                place, rest = 0, b""
            file.seek(place)
            new = file.read(1_000_000)
    except FileNotFoundError:
        return [], 0, b""
    *lines, rest = (rest + new).split(b"\n")
    return [line.decode(errors="replace") for line in lines], place + len(new), rest[-10_000:]


def _turn_over(log: Path) -> None:
    """Copy and truncate, because the program holds the file open and goes on writing at its end."""
    shutil.copyfile(log, log.with_suffix(".old.log"))
    log.with_suffix(".old.log").chmod(0o600)
    os.truncate(log, 0)


def _short(line: str) -> str:
    """The sentence of a line: its event, when it is JSON."""
    try:
        record = json.loads(line)
        said = " ".join(str(record[key]) for key in ("level", "where", "log", "event") if key in record)
        if trouble := str(record.get("exception", "")).strip():
            said += f": {trouble.splitlines()[-1]}"
    except (ValueError, TypeError):
        said = line
    return said if len(said) <= _LONGEST else said[:_LONGEST] + "…"
