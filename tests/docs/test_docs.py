"""The pages say what the code says: what is drawn is fresh, what is named exists, what can be set is listed."""

import re
from pathlib import Path
from typing import Final

import pytest
from pydantic_settings import BaseSettings

from docs.draw import PAGES
from services.certificates.settings import Settings as Certificates
from services.directory.settings import Settings as Directory
from services.identity.settings import Settings as Identity
from services.notifications.settings import Settings as Notifications
from services.portal.settings import PortalSettings as Portal

ROOT: Final = Path(__file__).resolve().parents[2]
WRITTEN: Final = tuple(sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]))
SETTINGS: Final = (Identity, Directory, Certificates, Notifications, Portal)
CODED = re.compile(r"`([^`\n]+)`")
ROOMS: Final = ("shared", "services", "workflows", "deploy", "docs", "tests")


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def anchor(heading: str) -> str:
    """The name a reader's page gives to a heading."""
    return re.sub(r"[^\w -]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("name", PAGES)
def test_what_is_drawn_is_fresh(name: str) -> None:
    assert text(ROOT / "docs" / name) == PAGES[name](), f"docs/{name} is stale: `make docs` draws it again"


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    dead = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text(page)):
        path, _, place = target.partition("#")
        if "://" in path:
            continue
        found = (page.parent / path) if path else page
        headings = re.findall(r"^#+ (.+)$", text(found), re.MULTILINE) if place and found.is_file() else []
        if not found.exists() or (place and place not in map(anchor, headings)):
            dead.append(target)
    assert dead == []


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_every_file_named_is_there(page: Path) -> None:
    """A path in code type that begins with one of our folders; what is in <> or {} or * stands for several."""
    named = [each for each in CODED.findall(text(page)) if each.split("/")[0] in ROOMS and "/" in each]
    paths = [each.split("::")[0].split()[0] for each in named]
    assert [each for each in paths if not list(ROOT.glob(re.sub(r"<\w+>|\{[^}]+\}", "*", each).rstrip("/")))] == []


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_every_make_command_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", text(ROOT / "Makefile"), re.MULTILINE))
    said = [*CODED.findall(text(page)), *text(page).splitlines()]
    named = {word for each in said if each.startswith("make ") for word in each.split()[1:2] if "=" not in word}
    assert named <= targets


def explained() -> dict[str, str]:
    """Setting -> its default, as the page for operators lists them."""
    rows = re.findall(r"^\| (`[^|]+`) \|([^|]*)\|", text(ROOT / "docs" / "operations.md"), re.MULTILINE)
    return {name: default for names, default in rows for name in CODED.findall(names)}


@pytest.mark.parametrize("kind", SETTINGS, ids=lambda kind: str(kind.model_config.get("env_prefix")))
def test_every_setting_is_explained_to_operators(kind: type[BaseSettings]) -> None:
    rows, prefix = explained(), kind.model_config.get("env_prefix") or ""
    for field, setting in kind.model_fields.items():
        own, common = prefix + field.upper(), field.upper()
        assert own in rows or common in rows, f"docs/operations.md does not explain {own}"
        if own in rows and setting.default not in (None, ""):
            assert str(setting.default) in rows[own], f"{own} is {setting.default} by default"


def test_no_setting_is_explained_that_is_gone() -> None:
    known = {field.upper() for kind in SETTINGS for field in kind.model_fields}
    known |= {
        f"{kind.model_config.get('env_prefix')}{field}".upper() for kind in SETTINGS for field in kind.model_fields
    }
    assert [name for name in explained() if re.fullmatch(r"[A-Z0-9_]+", name) and name not in known] == []
