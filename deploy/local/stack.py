"""The whole installation on this machine, for as long as a block lasts: `make run` and the tests use the same one.

async with Stack(var=folder, ports="free") as stack:
    stack.url("portal"); stack.pid("nats"); stack.kill("certificates"); await stack.ready("certificates")
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

from deploy.local import postgres
from deploy.local.child import Program
from deploy.local.keeper import PAUSES, Keeper, start_alone
from deploy.local.logs import follow
from deploy.local.mailbox import Mailbox, mailbox
from deploy.local.nursery import Nursery
from deploy.local.ports import free_port, nearby
from deploy.local.programs import PORTS, ROOT, SERVICES, Addresses, Service, servers, service

_SERVERS: Final = ("postgres", "nats", "temporal")


Ports = Literal["usual", "free"]


def _silent(_: str) -> None: ...


class Stack:
    """PostgreSQL, NATS, Temporal, a mail catcher and our services, started in order and kept running."""

    def __init__(
        self,
        var: Path,
        *,
        services: tuple[Service, ...] = SERVICES,
        ports: Ports = "usual",
        demo: bool = True,
        fsync: bool = True,
        settings: Mapping[str, Mapping[str, str]] | None = None,
        say: Callable[[str], None] = _silent,
        pauses: tuple[float, ...] = PAUSES,
    ) -> None:
        self.var = var.resolve()
        self.services = services
        self.letters: Mailbox
        self._ports, self._demo, self._fsync = ports, demo, fsync
        self._settings, self._say, self._pauses = settings or {}, say, pauses
        self._keepers: dict[str, Keeper] = {}
        self._nursery = Nursery(self.log("nursery"), ROOT)
        self._open = AsyncExitStack()
        self._followers: list[asyncio.Task[None]] = []

    # -- what others ask

    @property
    def addresses(self) -> dict[str, str]:
        """Where everything answers, by name."""
        return self._addresses.table()

    def url(self, name: str) -> str:
        return self.addresses[name]

    def database_url(self, name: str, scheme: str = "postgresql+asyncpg") -> str:
        """The database of a service, with its password."""
        return self._database.url(name, scheme=scheme)

    def log(self, name: str) -> Path:
        return self.var / "log" / f"{name}.log"

    def pid(self, name: str) -> int:
        """The process that runs now under this name."""
        return self._keepers[name].pid

    @property
    def pids(self) -> dict[str, int]:
        return {name: keeper.pid for name, keeper in self._keepers.items() if keeper.is_ready}

    def starts(self, name: str) -> int:
        """How often it was started."""
        return self._keepers[name].starts

    # -- what others do

    def kill(self, name: str) -> int:
        """kill -9, as a fault; it will be started again. Returns the process id that was killed."""
        return self._keepers[name].kill()

    async def ready(self, name: str, patience: float = 60) -> None:
        """Wait until it is ready, also while it is being started again."""
        async with asyncio.timeout(patience):
            await self._keepers[name].until_ready()

    async def stop(self, name: str) -> None:
        """Stop one program and leave it stopped."""
        await self._keepers[name].stop()

    async def start(self, name: str) -> None:
        """Start one program that was stopped."""
        await self._keepers[name].start()

    # -- from start to end

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        for follower in self._followers:
            follower.cancel()
        await asyncio.gather(*self._followers, return_exceptions=True)
        ours = [keeper for name, keeper in self._keepers.items() if name not in _SERVERS]
        await asyncio.gather(*(keeper.stop() for keeper in ours))
        await self._nursery.close()
        await self._open.aclose()
        await asyncio.gather(*(self._keepers[name].stop() for name in _SERVERS if name in self._keepers))
        if not self._fsync:
            postgres.remove(self.var)

    async def _start(self) -> None:
        self.var.mkdir(parents=True, exist_ok=True)
        (self.var / "log").mkdir(exist_ok=True, mode=0o700)
        if any(row.heavy for row in self.services):
            self._nursery.open()
        self._addresses = Addresses(self._choose_ports())
        self._database = await postgres.prepare(self.var, self._addresses.ports["postgres"], fsync=self._fsync)
        needed = servers(self.var, self._addresses, self._database)
        ports = self._addresses.ports
        self.letters = await self._open.enter_async_context(mailbox(self.var / "mail", ports["smtp"], ports["mailbox"]))
        await self._all_ready(needed)
        await self._all_ready(
            tuple(
                service(row, self.var, self._addresses, self._database, self._demo, self._settings.get(row.name, {}))
                for row in self.services
            )
        )
        (self.var / "addresses.json").write_text(json.dumps(self.addresses, indent=1))

    async def _all_ready(self, programs: tuple[Program, ...]) -> None:
        """Start these side by side; the first that does not get there stops the attempt."""
        for program in programs:
            log = self.log(program.name)
            birth = self._nursery.fork if program.forked else start_alone
            self._keepers[program.name] = Keeper(program, log, self._say, self._pauses, birth)
            self._followers.append(asyncio.create_task(follow(program.name, log, program.alarming, self._say)))
        async with asyncio.TaskGroup() as group:
            for program in programs:
                group.create_task(self._keepers[program.name].start())

    def _choose_ports(self) -> dict[str, int]:
        """The usual port, or the one of last time, or another when somebody else has it."""
        rows = [*PORTS, *((row.name, free_port()) for row in self.services if row not in SERVICES)]
        file = self.var / "ports.json"
        remembered: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
        chosen: dict[str, int] = {}
        for name, usual in rows:
            taken = set(chosen.values())
            if self._ports == "free" and name not in remembered:
                chosen[name] = free_port(taken)
                continue
            wanted = remembered.get(name, usual)
            chosen[name] = nearby(wanted, taken)
            if chosen[name] != wanted:
                self._say(f"port {wanted} is taken: {name} uses {chosen[name]}")
        file.write_text(json.dumps(chosen, indent=1))
        return chosen
