"""One process of the operating system.

It runs in a session of its own, so that Ctrl-C reaches only us, and it gets a signal when we die, so that nothing is
orphaned. What it says goes to a file, never to a pipe: nobody has to read for it to go on.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_LIBC: Final = ctypes.CDLL(None) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG: Final = 1


@dataclass(frozen=True)
class User:
    """The user of the operating system a program runs as; without numbers, we ourselves."""

    uid: int | None = None
    gid: int | None = None
    groups: tuple[int, ...] | None = None


OURSELVES: Final = User()


async def _nothing() -> None: ...


@dataclass(frozen=True)
class Program:
    """What to start, and how to know that it is ready."""

    name: str
    command: tuple[str, ...]
    ready: Callable[[], Awaitable[bool]]
    forked: tuple[str, ...] = ()  # a Python module and its arguments, when the nursery may start it
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path = Path("/")
    user: User = OURSELVES
    before: Callable[[], Awaitable[None]] = _nothing  # clears the way before every start
    after: Callable[[], Awaitable[None]] = _nothing  # what is done once it is ready, before others may rely on it
    stop: signal.Signals = signal.SIGTERM
    orphaned: signal.Signals = signal.SIGKILL  # what it gets when we die without stopping it
    patience: float = 4.0  # seconds between the request to stop and the end of our patience
    alarming: str = "(?!)"  # a line of its log in which this pattern is found is shown on the screen


class Child(ABC):
    """A process of ours, until its end."""

    def __init__(self, program: Program) -> None:
        self.program = program

    @property
    @abstractmethod
    def pid(self) -> int: ...

    @property
    @abstractmethod
    def code(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""

    @abstractmethod
    async def ended(self) -> int:
        """Wait for the end and return the exit code, negative for a signal."""

    @abstractmethod
    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process itself, not to its children."""

    async def stop(self) -> int:
        """Ask it to stop, insist when patience ends, and leave nothing of its group behind."""
        self.send(self.program.stop)
        try:
            code = await asyncio.wait_for(self.ended(), self.program.patience)
        except TimeoutError:
            self.send(signal.SIGKILL)
            code = await self.ended()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        return code


class Started(Child):
    """A program started from its file."""

    def __init__(self, program: Program, log: Path) -> None:
        super().__init__(program)
        with open(log, "ab") as output:
            os.chmod(log, 0o600)
            self._popen = subprocess.Popen(
                program.command,
                cwd=program.folder,
                env=surroundings() | dict(program.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=dies_with_its_parent(program.orphaned),
                user=program.user.uid,
                group=program.user.gid,
                extra_groups=program.user.groups,
            )

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def code(self) -> int | None:
        return self._popen.poll()

    async def ended(self) -> int:
        while (code := self._popen.poll()) is None:
            try:
                descriptor = os.pidfd_open(self.pid)
            except OSError:  # a kernel before 5.3, or a sandbox without it
                await asyncio.sleep(0.05)
                continue
            loop, over = asyncio.get_running_loop(), asyncio.Event()
            loop.add_reader(descriptor, over.set)
            try:
                await over.wait()
            finally:
                loop.remove_reader(descriptor)
                os.close(descriptor)
        return code

    def send(self, number: signal.Signals) -> None:
        if self.code is None:
            self._popen.send_signal(number)


# Settings of somebody else's PostgreSQL, Temporal or Python must not reach ours.
_NOT_INHERITED: Final = frozenset(
    {
        "PGHOST",
        "PGPORT",
        "PGUSER",
        "PGPASSWORD",
        "PGDATABASE",
        "PGDATA",
        "PGSERVICE",
        "PGOPTIONS",
        "PYTHONHOME",
        "PYTHONPATH",
    }
    | {key for key in os.environ if key.startswith(("TEMPORAL_", "NATS_"))}
)


def surroundings() -> dict[str, str]:
    """The environment a program starts in."""
    return {key: value for key, value in os.environ.items() if key not in _NOT_INHERITED}


def dies_with_its_parent(number: signal.Signals, parent: int | None = None) -> Callable[[], None]:
    """What a new process calls to get this signal when its parent ends, however that comes about."""
    libc, parent = _LIBC, parent or os.getpid()

    def ask_the_kernel() -> None:
        if libc is not None:
            libc.prctl(_PR_SET_PDEATHSIG, int(number))
        if os.getppid() != parent:  # it ended between fork and here
            os._exit(1)

    return ask_the_kernel
