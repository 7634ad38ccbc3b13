"""What is started: the ports, the services and what each is told of its surroundings. A new service is one row."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.local import nats, temporal
from deploy.local.child import Program
from deploy.local.ports import LOOPBACK
from deploy.local.postgres import Server
from deploy.local.probes import http

ROOT: Final = Path(__file__).resolve().parent.parent.parent

# fmt: off
PORTS: Final = (  # name           usual port
    ("portal",                     8080),
    ("identity",                   8101),
    ("directory",                  8102),
    ("certificates",               8103),
    ("notifications",              8104),
    ("postgres",                   5433),
    ("nats",                       4222),
    ("temporal",                   7233),
    ("temporal_ui",                8233),
    ("temporal_http",              7243),
    ("smtp",                       1025),
    ("mailbox",                    8025),
)


@dataclass(frozen=True)
class Service:
    """A program of ours: its name is its port's, its database's and the prefix of its settings."""

    name: str
    module: str
    arguments: tuple[str, ...] = ("all",)
    demo_file: str = ""
    heavy: bool = True  # it imports much: the nursery starts it


SERVICES: Final = (
    Service("identity",            "services.identity",      demo_file="accounts.json"),
    Service("directory",           "services.directory",     demo_file="organisations.json"),
    Service("certificates",        "services.certificates"),
    Service("notifications",       "services.notifications"),
    Service("portal",              "services.portal",        arguments=(), demo_file="accounts.json"),
)
# fmt: on

_ALARMING: Final = r'"level": "(warning|error|critical)"|^Traceback|^\w*(Error|Exception): |^(WARNING|ERROR)'


@dataclass(frozen=True)
class Addresses:
    """Where everything answers, as the others are told."""

    ports: Mapping[str, int]

    def url(self, name: str) -> str:
        """The address of what speaks HTTP. The portal has the name that browsers trust, the others the number."""
        return f"http://{'localhost' if name == 'portal' else LOOPBACK}:{self.ports[name]}"

    def at(self, name: str) -> str:
        """Host and port."""
        return f"{LOOPBACK}:{self.ports[name]}"

    def table(self) -> dict[str, str]:
        """All of them, as written to `var/addresses.json`."""
        special = {
            "postgres": self.at("postgres"),
            "nats": f"nats://{self.at('nats')}",
            "temporal": self.at("temporal"),
            "temporal_ui": f"{self.url('temporal_ui')}{temporal.PUBLIC_PATH}",
            "smtp": self.at("smtp"),
        }
        return {name: special.get(name, self.url(name)) for name in self.ports}


def servers(var: Path, addresses: Addresses, database: Server) -> tuple[Program, ...]:
    """What the services need before they can start; these do not need each other."""
    ports = addresses.ports
    codec = f"{addresses.url('portal')}/ops/codec"
    engine = temporal.program(
        var / "temporal" / "temporal.db", ports["temporal"], ports["temporal_ui"], ports["temporal_http"], codec
    )
    return database.program, nats.program(var / "nats", ports["nats"]), engine


def service(
    row: Service, var: Path, addresses: Addresses, database: Server, demo: bool, besides: Mapping[str, str]
) -> Program:
    """A service of ours, told where the others are; `besides` are settings without their prefix."""
    settings = _surroundings(row, var, addresses, database, demo) | dict(besides)
    told = {f"{row.name.upper()}_{key}": value for key, value in settings.items()}
    port = addresses.ports[row.name]
    return Program(
        name=row.name,
        command=(sys.executable, "-m", row.module, *row.arguments),
        forked=(row.module, *row.arguments) if row.heavy else (),
        folder=ROOT,
        environment=told | _said_outside(row, told) | {"PYTHONUNBUFFERED": "1"},
        ready=http(port),
        alarming=_ALARMING,
    )


def _surroundings(row: Service, var: Path, addresses: Addresses, database: Server, demo: bool) -> dict[str, str]:
    data = {"DATABASE_URL": database.url(row.name)} if row.name in database.passwords else {}
    demo_file = {"DEMO_FILE": str(ROOT / "deploy" / "demo" / row.demo_file)} if row.demo_file else {}
    return {
        **data,
        **demo_file,
        "HOST": LOOPBACK,
        "PORT": str(addresses.ports[row.name]),
        "NATS_URL": f"nats://{addresses.at('nats')}",
        "TEMPORAL_ADDRESS": addresses.at("temporal"),
        "TEMPORAL_NAMESPACE": "default",
        "TEMPORAL_UI_URL": f"{addresses.url('temporal_ui')}{temporal.PUBLIC_PATH}",
        "CODEC_KEY_FILE": str(var / "codec.key"),
        "VAR": str(var),
        **{f"{name.upper()}_URL": addresses.url(name) for name in addresses.ports if name in _OURS},
        "MAILBOX_URL": addresses.url("mailbox"),
        "SMTP_HOST": LOOPBACK,
        "SMTP_PORT": str(addresses.ports["smtp"]),
        "SENDER": "Bordereau <noreply@bordereau.example>",
        "DEMO": str(demo).lower(),
        **({"REGISTRATION": "both"} if demo else {}),
        "CLOCKS": os.environ.get("CLOCKS", ""),
        "MIGRATE_AT_START": "true",
        "LOG_LEVEL": "INFO",
    }


def _said_outside(row: Service, told: Mapping[str, str]) -> dict[str, str]:
    """What whoever started us says otherwise: `PORTAL_HOST=0.0.0.0 make run`. Ports are ours (var/ports.json)."""
    return {key: os.environ[key] for key in told if key in os.environ and key != f"{row.name.upper()}_PORT"}


_OURS: Final = frozenset(row.name for row in SERVICES)
