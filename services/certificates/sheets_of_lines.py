"""Product lines as a spreadsheet: reading one somebody filled in, writing one to be filled in.

One thing to remember: reading decides nothing. A sheet becomes cells with their place; what is wrong with one is said
with its row and its column, and a sheet with one wrong cell changes nothing.
"""

import csv
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from io import BytesIO, StringIO
from typing import Any, Final

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from services.certificates.exports import RISKY
from services.certificates.finding import normalised
from shared.reference.units import package_types, units
from shared.rules.boxes import BOX, Model, Problem, problem
from shared.rules.refusals import Refused
from shared.rules.shape import MANY, wrong
from shared.words import LANGUAGES, say

LARGEST: Final = 2 * 1024 * 1024
"""Bytes of a sheet."""
UNPACKED: Final = 40 * 1024 * 1024
WIDEST: Final = 60
"""Columns we look at."""
SEPARATORS: Final = "\t;,"
ENCODINGS: Final = ("utf-8-sig", "cp1252")


@dataclass(frozen=True)
class Column:
    """One column: the part of a product line it holds, and an example for the template."""

    part: str
    example: str
    wide: int

    def label(self) -> str:
        """What it is called, in English."""
        return BOX[f"product_lines.{self.part}"].label(Model.COI_2022)


# fmt: off
COLUMNS: Final = (
    Column("cn_code",               "08041000",              12),
    Column("trade_name",            "Dattes Medjool",        28),
    Column("lot",                   "L-2026-118",            16),
    Column("packages",              "480",                   10),
    Column("package_type",          "CT",                    10),
    Column("net_weight",            "2400.5",                12),
    Column("unit",                  "KGM",                   8),
    Column("producer",              "Coopérative du Souss",  32),
    Column("producer_control_body", "MA-BIO-154",            20),
    Column("organic",               "organic",               14),
)
ALSO: Final = {
    "cn_code":               ("cn", "nc", "cn code", "code", "commodity", "marchandise"),
    "trade_name":            ("name", "product", "nom", "produit", "designation"),
    "lot":                   ("lot", "batch", "lot no", "n lot", "numero lot"),
    "packages":              ("packages", "colis", "nb colis", "number of packages"),
    "package_type":          ("package", "emballage", "type emballage"),
    "net_weight":            ("net", "weight", "poids", "net weight kg", "poids net kg"),
    "unit":                  ("units", "unite", "unites"),
    "producer":              ("producer", "producteur", "processor", "transformateur"),
    "producer_control_body": ("control body", "certifier", "organisme de controle", "oc"),
    "organic":               ("organic", "biologique", "conversion"),
}
UNITS: Final = {"kg": "KGM", "kgs": "KGM", "g": "GRM", "t": "TNE", "l": "LTR", "hl": "HLT", "ml": "MLT", "m3": "MTQ"}
ORGANIC: Final = {
    "organic": "organic", "biologique": "organic", "bio": "organic", "yes": "organic", "oui": "organic",
    "in conversion": "in_conversion", "en conversion": "in_conversion", "conversion": "in_conversion",
}
# fmt: on
PARTS: Final = {column.part: column for column in COLUMNS}


def headings() -> dict[str, str]:
    """Every way a column may be headed, in any of our languages -> its part of a line."""
    found: dict[str, str] = {}
    for column in COLUMNS:
        said = (column.part, *ALSO[column.part], *(say(column.label(), each) for each in LANGUAGES))
        found |= {plain(each): column.part for each in said}
    return found


def plain(text: object) -> str:
    """Words alone: case, accents and punctuation do not matter."""
    return " ".join(normalised(str(text)).split())


@dataclass(frozen=True)
class Read:
    """A sheet that was read: its lines with the row each stood in, where the parts stand, and what is wrong."""

    lines: tuple[dict[str, Any], ...]
    rows: tuple[int, ...]
    places: Mapping[str, int]
    problems: tuple[Problem, ...]

    def wrong(self, number: int, part: str, code: str, **params: object) -> Problem:
        """Something wrong with one cell: of a line, by its place among the lines."""
        column = PARTS[part]
        said = {"label": column.label(), **params, **_cell(self.rows[number], self.places.get(part))}
        return problem(f"product_lines[{number}].{part}", code, Model.COI_2022, said)


def read(body: bytes, model: Model) -> Read:
    """What somebody filled in, CSV or XLSX by content; what cannot be read at all is refused."""
    if len(body) > LARGEST:
        raise Refused("file_too_large", megabytes=LARGEST // (1024 * 1024), field="file")
    rows = _book(body) if body.startswith(b"PK\x03\x04") else _text(body)
    head = next((number for number, row in enumerate(rows) if any(_said(each) for each in row)), None)
    if head is None:
        raise Refused("file_empty", field="file")
    known, places, problems = headings(), dict[str, int](), list[Problem]()
    for column, cell in enumerate(rows[head][:WIDEST]):
        if not _said(cell):
            continue
        part = known.get(plain(cell))
        here = _cell(head + 1, column)
        if part is None or not BOX[f"product_lines.{part}"].is_on(model):
            problems.append(of_sheet("unknown_column", heading=str(cell)[:60], **here))
        elif part in places:
            problems.append(of_sheet("column_twice", heading=str(cell)[:60], **here))
        else:
            places[part] = column
    if "cn_code" not in places:
        problems.append(of_sheet("column_missing", label=PARTS["cn_code"].label(), **_cell(head + 1, None)))
    filled = [(number, row) for number, row in enumerate(rows[head + 1 :], head + 2) if any(map(_said, row))]
    if len(filled) > MANY:
        problems.append(of_sheet("too_many", label="Description of products", most=MANY))
        filled = filled[:MANY]
    lines = tuple(
        {part: _value(part, row[place]) for part, place in places.items() if place < len(row) and _said(row[place])}
        for _, row in filled
    )
    found = Read(lines, tuple(number for number, _ in filled), places, ())
    return Read(lines, found.rows, places, (*problems, *_shapes(found)))


def _shapes(found: Read) -> Iterable[Problem]:
    """What is wrong with cells by themselves; organisations and codes are looked up by whoever can."""
    for number, line in enumerate(found.lines):
        if "cn_code" in found.places and "cn_code" not in line:
            yield found.wrong(number, "cn_code", "needed")
        for part, value in line.items():
            if part in ("producer", "producer_control_body"):
                continue
            box = BOX[f"product_lines.{part}"]
            shapes = list(wrong(box.kind, value, box.field))
            for _, code, params in shapes[:1]:
                yield found.wrong(number, part, code, **params)
            if shapes:  # one sentence for each cell
                continue
            if part == "net_weight" and _is_number(value) and Decimal(value) <= 0:
                yield found.wrong(number, part, "weight_not_positive")
            if part == "packages" and isinstance(value, int) and value < 1:
                yield found.wrong(number, part, "packages_not_positive")
            if part == "unit" and value not in units():
                yield found.wrong(number, part, "unknown_unit", unit=value, units=", ".join(units()))


def _is_number(value: object) -> bool:
    try:
        return Decimal(str(value)).is_finite()
    except InvalidOperation:
        return False


def _cell(row: int, column: int | None) -> dict[str, object]:
    return {"row": row, "column": get_column_letter(column + 1) if column is not None else ""}


def of_sheet(code: str, **params: object) -> Problem:
    """Something wrong with the sheet, or with its headings."""
    return problem("product_lines", code, Model.COI_2022, params)


def _said(cell: object) -> bool:
    return cell is not None and str(cell).strip() != ""


# ── Reading cells ─────────────────────────────────────────────────────────────────────────────────────────────


def _text(body: bytes) -> list[Sequence[Any]]:
    """The rows of a CSV, or of what somebody copied from a spreadsheet."""
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = ENCODINGS
    for encoding in encodings:
        try:
            text = body.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise Refused("sheet_kind", field="file")
    if "\x00" in text:
        raise Refused("sheet_kind", field="file")
    first = next((row for row in text.splitlines() if row.strip()), "")
    separator = max(SEPARATORS, key=first.count)
    try:
        return list(csv.reader(StringIO(text, newline=""), delimiter=separator))
    except csv.Error:
        raise Refused("sheet_kind", field="file") from None


def _book(body: bytes) -> list[Sequence[Any]]:
    """The rows of the first sheet of a workbook, with its values and not its formulas."""
    try:
        with zipfile.ZipFile(BytesIO(body)) as packed:
            if sum(each.file_size for each in packed.infolist()) > UNPACKED:
                raise Refused("file_too_large", megabytes=UNPACKED // (1024 * 1024), field="file")
            for each in packed.infolist():
                with packed.open(each) as inner:
                    if b"<!DOCTYPE" in inner.read(4096):
                        raise Refused("file_entities", field="file")
        book = load_workbook(BytesIO(body), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        rows = [tuple(row[:WIDEST]) for row in sheet.iter_rows(max_row=MANY + 50, max_col=WIDEST, values_only=True)]
        book.close()
        return list(rows)
    except Refused:
        raise
    except Exception:  # a workbook that is none fails in a hundred ways, in four libraries
        raise Refused("sheet_kind", field="file") from None


def _value(part: str, cell: object) -> Any:
    """What somebody typed, as the box wants it; what it cannot be stays as it is, and is found wrong."""
    return _READERS.get(part, _plain)(cell)


def _plain(cell: object) -> Any:
    text = str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
    text = text.strip()
    return text[1:] if text[:1] == "'" and text[1:2] and text[1] in "".join(RISKY) else text


def _code(cell: object) -> Any:
    text = "".join(sign for sign in str(_plain(cell)) if sign not in " .\u00a0\u202f")
    return text.zfill(8) if text.isascii() and text.isdigit() and len(text) == 7 else text


def _number(cell: object) -> Any:
    """A number as people write it: 2 400,5 or 2,400.5; from a workbook without what binary adds."""
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        text = format(Decimal(repr(cell)).normalize(), "f") if Decimal(repr(cell)).is_finite() else str(cell)
        return text
    text = "".join(sign for sign in str(cell).strip() if sign not in " \u00a0\u202f'’")
    last = max(text.rfind("."), text.rfind(","))
    if last >= 0 and text.count(text[last]) == 1:
        whole = text[:last].replace(".", "").replace(",", "")
        return f"{whole}.{text[last + 1 :]}" if text[last + 1 :] else whole
    return text.replace(",", "").replace(".", "") if last >= 0 else text


def _count(cell: object) -> Any:
    text = _number(cell)
    return int(text) if text.isascii() and text.lstrip("-").isdigit() and len(text) < 12 else text


def _unit(cell: object) -> Any:
    text = str(_plain(cell))
    return UNITS.get(text.lower(), _named(text, units()))


def _package(cell: object) -> Any:
    return _named(str(_plain(cell)), package_types())


def _named(text: str, table: Mapping[str, Any]) -> str:
    """A code, or what a name of the table stands for."""
    if text.upper() in table:
        return text.upper()
    wanted = plain(text)
    named = (row.code for row in table.values() if wanted in (plain(row.name_en), plain(row.name_fr)))
    return next(named, text)


def _organic(cell: object) -> Any:
    return ORGANIC.get(plain(str(_plain(cell)).replace("_", " ")), _plain(cell))


_READERS: Final[Mapping[str, Callable[[object], Any]]] = {
    "cn_code": _code,
    "packages": _count,
    "net_weight": _number,
    "unit": _unit,
    "package_type": _package,
    "organic": _organic,
}


# ── Writing ───────────────────────────────────────────────────────────────────────────────────────────────────


def table(rows: Iterable[Mapping[str, Any]], model: Model, language: str) -> list[list[Any]]:
    """Lines as rows beneath their headings; organisations by the words in `rows`."""
    columns = [column for column in COLUMNS if BOX[f"product_lines.{column.part}"].is_on(model)]
    head = [say(column.label(), language) for column in columns]
    return [head, *([row.get(column.part) for column in columns] for row in rows)]


def template(model: Model, language: str) -> list[list[Any]]:
    """Headings, and one line as an example."""
    return table([{column.part: column.example for column in COLUMNS}], model, language)


def as_csv(rows: Iterable[Sequence[Any]]) -> bytes:
    """A table as CSV that spreadsheets of most countries open: semicolons, and a mark that says UTF-8."""
    out = StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    for row in rows:
        writer.writerow(["" if cell is None else _safe(str(cell)) for cell in row])
    return out.getvalue().encode("utf-8-sig")


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(RISKY) else text


def as_xlsx(rows: Iterable[Sequence[Any]]) -> bytes:
    """A table as a workbook; every cell is text, so that no code loses its zero."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("13")
    for number, column in enumerate(COLUMNS, 1):
        sheet.column_dimensions[get_column_letter(number)].width = column.wide
    sheet.freeze_panes = "A2"
    for number, row in enumerate(rows):
        cells = []
        for value in row:
            cell = WriteOnlyCell(sheet, None if value is None else str(value))
            cell.data_type, cell.number_format = "s", "@"
            if number == 0:
                cell.font, cell.alignment = Font(bold=True), Alignment(wrap_text=True)
            cells.append(cell)
        sheet.append(cells)
    out = BytesIO()
    book.save(out)
    return out.getvalue()
