"""Keeps one program running: starts it, waits until it is ready, and starts it again when it ends unasked."""

import asyncio
import contextlib
import math
import os
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from deploy.local.child import Child, Program, Started
from deploy.local.one import DidNotStart, last_lines, ready_or_ended

PAUSES: Final = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0)  # seconds before the first, second, … new start
CALM: Final = 20.0  # whoever was ready for so long begins again with the shortest pause
ATTEMPTS: Final = 3  # so often may the very first start fail
PATIENCE: Final = 45.0  # seconds for one start


async def start_alone(program: Program, log: Path) -> Child:
    """The usual birth of a process."""
    return Started(program, log)


class Keeper:
    """One program, kept running between `start` and `stop`."""

    def __init__(
        self,
        program: Program,
        log: Path,
        say: Callable[[str], None],
        pauses: tuple[float, ...] = PAUSES,
        birth: Callable[[Program, Path], Awaitable[Child]] = start_alone,
    ) -> None:
        self.program, self.log = program, log
        self.starts = 0
        self._say, self._pauses, self._birth = say, pauses, birth
        self._child: Child | None = None
        self._task: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._was_ready, self._since = False, math.inf  # whether it was ever ready, and since when it is

    @property
    def pid(self) -> int:
        """The process that runs now."""
        if self._child is None or self._child.code is not None:
            raise ProcessLookupError(f"{self.program.name} does not run")
        return self._child.pid

    @property
    def is_ready(self) -> bool:
        return self._ready.is_set() and self._child is not None and self._child.code is None

    async def start(self) -> None:
        """Start it and wait until it is ready; raise `DidNotStart` when it does not get there."""
        if self._task is None:
            self._task = asyncio.create_task(self._keep(), name=f"keeping {self.program.name}")
        await self.until_ready()

    async def until_ready(self) -> None:
        """Wait until it is ready, also while it is being started again."""
        while not self.is_ready:
            if self._task is None:
                raise DidNotStart(f"{self.program.name} was stopped")
            ready = asyncio.ensure_future(self._ready.wait())
            try:
                await asyncio.wait({ready, self._task}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                ready.cancel()
            if self._task is not None and self._task.done():
                self._task.result()
            if self._ready.is_set() and not self.is_ready:
                await asyncio.sleep(0.01)  # it has just ended; the task will notice in a moment

    async def stop(self) -> None:
        """Stop it and do not start it again."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, DidNotStart):
                await task
        self._ready.clear()
        if self._child is not None:
            await self._child.stop()

    def kill(self, number: signal.Signals = signal.SIGKILL) -> int:
        """End it without warning, as a fault would; it will be started again. Returns the process id."""
        pid = self.pid
        os.kill(pid, number)
        self._ready.clear()
        return pid

    async def _keep(self) -> None:
        failures = 0
        while True:
            self._since = math.inf
            try:
                ending = await self._one_life()
            except Exception as problem:  # a keeper never gives up because of what it meets on the way
                ending = f"could not be started ({problem})"
            failures = 1 if time.monotonic() - self._since > CALM else failures + 1
            if not self._was_ready and failures >= ATTEMPTS:
                raise DidNotStart(f"{self.program.name} {ending}\n{last_lines(self.log)}")
            pause = self._pauses[min(failures, len(self._pauses)) - 1]
            self._say(f"{self.program.name} {ending}; starting it again in {pause:g} s (see {self.log})")
            await asyncio.sleep(pause)

    async def _one_life(self) -> str:
        """From one start to the end, and how it ended."""
        await self.program.before()
        self.starts += 1
        child = self._child = await self._birth(self.program, self.log)
        try:
            await ready_or_ended(child, self.log, PATIENCE)
            await self.program.after()
        except Exception as problem:  # whatever goes wrong on the way is a failed start, and the next one may succeed
            how = _ending(child.code) if child.code is not None else f"was stopped ({str(problem).splitlines()[0]})"
            await child.stop()
            return f"{how} before it was ready"
        if self._was_ready:
            self._say(f"{self.program.name} is ready again")
        self._was_ready, self._since = True, time.monotonic()
        self._ready.set()
        try:
            return _ending(await child.ended())
        finally:
            self._ready.clear()


def _ending(code: int) -> str:
    """An exit code in words."""
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended by itself with code {code}"
