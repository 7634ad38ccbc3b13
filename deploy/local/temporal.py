"""The Temporal dev server with its web UI: the engine, on a file that survives restarts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.local.child import Child, Program
from deploy.local.one import one
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.probes import http
from deploy.local.wheels import script

PUBLIC_PATH: Final = "/ops/temporal"  # where the portal shows the UI to those who may look

SEARCH_ATTRIBUTES: Final = (
    ("CertificateStatus", "Keyword"),
    ("Awaited", "KeywordList"),
    ("NextDeadline", "Datetime"),
)

# The default of these limiters, about 20 a second, adds 40 ms to every step on an idle machine.
_DYNAMIC: Final = tuple(f"history.{queue}ProcessorMaxPollRPS=2000" for queue in ("transfer", "timer", "visibility"))

# With a write-ahead log and full synchronisation nothing acknowledged is lost, at a quarter of the default's flushes.
_DURABLE: Final = ("journal_mode=wal", "synchronous=full")

# Nobody's own configuration of the command line tool is read, and its web page fetches no news from elsewhere.
_QUIET: Final = (
    "--disable-config-file",
    "--disable-config-env",
    "--log-level",
    "warn",
    "--ui-disable-news-fetch",
)


@dataclass(frozen=True)
class Engine:
    """A running Temporal."""

    address: str
    ui_url: str
    child: Child


def program(file: Path | None, port: int, ui_port: int, http_port: int, codec: str = "") -> Program:
    """Temporal that keeps its histories in this file, or in memory; its UI asks `codec` to make payloads readable."""
    if file is not None:
        _make(file.parent)
    settings = (
        ("ip", LOOPBACK),
        ("port", str(port)),
        ("http-port", str(http_port)),
        ("ui-port", str(ui_port)),
        ("ui-public-path", PUBLIC_PATH),
        *([("ui-codec-endpoint", codec)] if codec else []),
        *([("db-filename", str(file))] if file else []),
        *(("sqlite-pragma", pragma) for pragma in _DURABLE if file),
        *(("dynamic-config-value", value) for value in _DYNAMIC),
        *(("search-attribute", f"{name}={kind}") for name, kind in SEARCH_ATTRIBUTES),
    )
    return Program(
        name="temporal",
        command=(script("temporal"), "server", "start-dev", *_QUIET, *_flags(settings)),
        ready=http(http_port, "/api/v1/namespaces/default"),
        alarming="level=ERROR|^Error:",
    )


@asynccontextmanager
async def temporal(folder: Path, port: int | None = None, *, durable: bool = False) -> AsyncIterator[Engine]:
    """A Temporal of one's own, for tests: `async with temporal(folder) as engine: … engine.address`."""
    _make(folder)
    port = port or free_port()
    ui_port = free_port({port})
    file = folder / "temporal.db" if durable else None
    async with one(
        program(file, port, ui_port, free_port({port, ui_port})),
        folder / "temporal.log",
    ) as child:
        yield Engine(f"{LOOPBACK}:{port}", f"http://{LOOPBACK}:{ui_port}{PUBLIC_PATH}", child)


def _make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def _flags(settings: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    return tuple(word for name, value in settings for word in (f"--{name}", value))
