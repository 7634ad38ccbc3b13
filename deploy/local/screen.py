"""What is said while everything starts and runs: in colour to a person, in plain lines to a file."""

import json
import time
from collections.abc import Mapping
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.local.programs import ROOT

SCREEN: Final = Console(highlight=False, soft_wrap=True)

# fmt: off
_SHOWN: Final = (  # address, what it is, path
    ("portal",      "Portal",              "/"),
    ("mailbox",     "Mailbox",             "/"),
    ("portal",      "Processes (Temporal), for ops", "/ops/temporal/"),
    ("identity",      "API identity",      "/openapi.json"),
    ("directory",     "API directory",     "/openapi.json"),
    ("certificates",  "API certificates",  "/openapi.json"),
    ("notifications", "API notifications", "/openapi.json"),
)
_PEOPLE: Final = (  # the persons of the guide's story, in the order in which they act
    ("exporter@atlas.example",      "exporter in Agadir: drafts and submits"),
    ("inspector@ecocert.example",   "control body MA-BIO-154: signs box 18"),
    ("importer@pyrenees.example",   "importer in Toulouse"),
    ("officer@perpignan.example",   "border post: verifies, signs box 20"),
    ("consignee@garonne.example",   "first consignee: signs box 21"),
    ("supervisor@dgccrf.example",   "central authority"),
    ("ops@bordereau.example",       "operations: sees the processes"),
)
# fmt: on


def say(line: str) -> None:
    """One line, with the time."""
    SCREEN.print(f"[dim]{time.strftime('%H:%M:%S')}[/dim] {escape(line)}")


def show_addresses(addresses: Mapping[str, str]) -> None:
    """Where to look."""
    _show([(what, f"{addresses[name]}{path}") for name, what, path in _SHOWN if name in addresses])


def show_people() -> None:
    """With whom to sign in: the persons of the story, as far as the demo accounts have them."""
    file = ROOT / "deploy" / "demo" / "accounts.json"
    if not file.exists():
        return
    demo = json.loads(file.read_text())
    names = {one["email"]: f"{one['first_name']} {one['last_name']}" for one in demo["accounts"]}
    _show([(email, f"{names[email]}, {what}") for email, what in _PEOPLE if email in names])
    SCREEN.print(f"  one password for all {len(names)} demo accounts: [bold]{escape(demo['password'])}[/bold]")


def _show(rows: list[tuple[str, str]]) -> None:
    if SCREEN.is_terminal:
        table = Table(show_header=False, box=None, padding=(0, 2))
        table.add_column(style="bold")
        table.add_column(overflow="fold")
        for row in rows:
            table.add_row(*map(escape, row))
        SCREEN.print(table)
    else:
        width = max(len(first) for first, _ in rows) if rows else 0
        for first, second in rows:
            SCREEN.print(f"  {first.ljust(width)}  {second}", markup=False)
