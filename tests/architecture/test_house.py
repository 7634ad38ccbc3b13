"""What does not belong here: paths of one machine, hosts of registries, promises, words that say nothing."""

import ast
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
NOT_OURS: Final = frozenset(
    {".git", ".venv", "var", "vendor", "__pycache__", ".ruff_cache", ".mypy_cache", "artefacts"}
)
TEXT: Final = frozenset(
    {".py", ".md", ".toml", ".txt", ".json", ".yaml", ".yml", ".html", ".css", ".js", ".po", ".sh", ".conf", ".lock"}
)
PLAIN: Final = frozenset({"Makefile", "LICENSE", "Dockerfile", "run"})

# Each is written so that this file does not hold it.
# fmt: off
FORBIDDEN: Final = (
    # what                                      why it does not belong here
    (r"/wor" r"k/(?!flows)",                    "a path of one machine"),
    (r"/ro" r"ot/|/hom" r"e/\w",                "a path of one machine"),
    (r"/tm" r"p/te" r"am",                      "a path of one machine"),
    (r"\.\./sha" r"red",                        "notes that are not in the repository"),
    (r"py" r"pi\.(org|io)|python" r"hosted",    "the host of a registry"),
    (r"--(extra-)?ind" r"ex-url",               "the host of a registry"),
    (r"npm" r"js\.(org|com)|un" r"pkg\.com",    "the host of a registry"),
    (r"proxy\.golan" r"g\.org",                 "the host of a registry"),
    (r"\bTO" r"DO\b|\bFIX" r"ME\b|\bXX" r"X\b", "a promise: do it, or write it down where work is planned"),
    (r"BEGIN [A-Z ]*PRIVATE KE" r"Y",           "a secret"),
)
EMPTY_WORDS: Final = ("manager", "helper", "helpers", "util", "utils", "processor", "handler_factory", "misc", "common")
# fmt: on


def texts() -> Iterator[Path]:
    """Every text file that is ours."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [each for each in folders if each not in NOT_OURS]
        for name in names:
            file = Path(folder, name)
            if (file.suffix in TEXT or name in PLAIN) and not name.endswith(".min.js"):
                yield file


@pytest.mark.parametrize(("what", "why"), FORBIDDEN, ids=[why + str(n) for n, (_, why) in enumerate(FORBIDDEN)])
def test_what_does_not_belong_here_is_not_here(what: str, why: str) -> None:
    wrong = [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for file in texts()
        if re.search(what, text := _text(file))
        for number, line in enumerate(text.splitlines(), 1)
        if re.search(what, line)
    ]
    assert not wrong, f"{why}:\n" + "\n".join(wrong[:20])


def python() -> list[Path]:
    """Every Python file that is ours."""
    return [file for file in texts() if file.suffix == ".py"]


def test_names_are_the_fields_words() -> None:
    """A module or class called manager, helper or utils tells nobody what it is."""
    wrong = []
    for file in python():
        classes = [node.name for node in ast.walk(_tree(file)) if isinstance(node, ast.ClassDef)]
        words = {file.stem} | {word.lower() for name in classes for word in re.findall(r"[A-Z][a-z]+", name)}
        wrong += [f"{file.relative_to(ROOT)}: {word}" for word in words if word in EMPTY_WORDS]
    assert not wrong, "\n".join(wrong)


def test_every_module_says_what_it_is() -> None:
    silent = [str(file.relative_to(ROOT)) for file in python() if not ast.get_docstring(_tree(file))]
    assert not [each for each in silent if "/migrations/" not in each], silent


def test_no_test_is_left_out_and_nothing_is_patched() -> None:
    """No skip but that of a missing browser, no expected failure, no mock library: fakes fulfil the real contract."""
    forbidden = {"skip", "skipif", "xfail", "importorskip"}
    wrong = []
    browser = ROOT / "tests" / "portal" / "chromium.py"  # its absence fails under CI
    for file in sorted(set((ROOT / "tests").rglob("*.py")) - {browser}):
        for node in ast.walk(_tree(file)):
            if isinstance(node, ast.Attribute) and node.attr in forbidden and "pytest" in ast.unparse(node):
                wrong.append(f"{file.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)}")
            if isinstance(node, ast.arg) and node.arg in ("monkeypatch", "mocker"):
                wrong.append(f"{file.relative_to(ROOT)}:{node.lineno}: {node.arg}")
            if isinstance(node, ast.Import | ast.ImportFrom) and "mock" in ast.unparse(node):
                wrong.append(f"{file.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)}")
    assert not wrong, "\n".join(wrong)


def test_the_lock_names_hashes_and_no_host() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "--hash=sha256:" in lock
    assert "://" not in lock


@cache
def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")


@cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), str(file))
