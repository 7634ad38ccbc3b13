"""Reads the files of `data/`: head lines `# key: value`, then rows with semicolons, the first of them the columns.

The one thing to remember: `origin(name)` is never empty; a file without origin, licence and date is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files as resources

LANGUAGES = ("en", "fr")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a file comes from."""

    title: str
    origin: str
    licence: str
    date: str


@dataclass(frozen=True)
class Named:
    """A code with its name in English and French."""

    code: str
    name_en: str
    name_fr: str

    def name(self, language: str) -> str:
        """The name in that language, English where there is none."""
        return (self.name_fr if language[:2].lower() == "fr" else self.name_en) or self.name_en


@cache
def files() -> tuple[str, ...]:
    """The names of all data files."""
    folder = resources(__package__) / "data"
    return tuple(sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".csv")))


@cache
def _content(name: str) -> tuple[Mapping[str, str], tuple[str, ...]]:
    text = (resources(__package__) / "data" / name).read_text(encoding="utf-8")
    head: dict[str, str] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("# "):
            key, _, value = line[2:].partition(": ")
            head[key] = value
        elif line:
            lines.append(line)
    return head, tuple(lines)


def origin(name: str) -> Origin:
    """Title, origin, licence and date of a data file."""
    head, _ = _content(name)
    return Origin(head["title"], head["origin"], head["licence"], head["date"])


def read(name: str) -> list[dict[str, str]]:
    """The rows of a data file by column; every row has every column."""
    origin(name)
    columns, *lines = (line.split(";") for line in _content(name)[1])
    return [dict(zip(columns, line, strict=True)) for line in lines]
