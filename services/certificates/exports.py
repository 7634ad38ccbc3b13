"""A list as a file, CSV or XLSX: the columns a page shows, every page of it, in the reader's language.

One thing to remember: what others typed must stay text. A cell that a spreadsheet would take for a formula gets a quote
before it in CSV, and is written as a string in XLSX.
"""

import csv
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from io import BytesIO, StringIO
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from sqlmodel.ext.asyncio.session import AsyncSession

from services.certificates import lists
from services.certificates.lists import ListWish
from services.certificates.print.words import STATUSES as PRINTED
from shared.contracts.certificate_views import CertificateLine, PartyView
from shared.rules.actor import Actor
from shared.rules.status import Status
from shared.words import catalogue

MOST: Final = 50_000
"""Rows of one file; a wider search is narrowed first."""
AT_ONCE: Final = 1000
RISKY: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""How a cell begins that a spreadsheet might carry out."""

Cell = str | datetime | None


@dataclass(frozen=True)
class Column:
    """One column of the list."""

    title: str
    cell: Callable[[CertificateLine], Cell]
    spoken: bool = False
    """Whether the cell is a sentence of ours, to be translated."""


STATUSES: Final = {status: PRINTED[status] for status in Status}
"""As the printed sheet says them."""


def _name(party: PartyView | None) -> str | None:
    return party.name if party else None


# fmt: off
COLUMNS: Final = (
    Column("Number",      lambda line: line.number or "Draft",                           spoken=True),
    Column("Status",      lambda line: STATUSES[line.status],                            spoken=True),
    Column("Awaiting me", lambda line: "yes" if line.awaits_me else None,                spoken=True),
    Column("Goods",       lambda line: line.goods),
    Column("From",        lambda line: _name(line.exporter)),
    Column("To",          lambda line: _name(line.first_consignee or line.importer)),
    Column("Arrival",     lambda line: line.arrival_at),
    Column("Changed",     lambda line: line.updated_at),
)
# fmt: on
"""What a list shows, from left to right."""


@lru_cache
def _words(language: str) -> dict[str, str]:
    file = Path(__file__).with_name(f"exports_{language}.po")
    return catalogue(file) if file.exists() else {}


def say(sentence: str, language: str) -> str:
    """A word of the file in the reader's language."""
    return _words(language).get(sentence, sentence)


async def lines(session: AsyncSession, actor: Actor, wish: ListWish) -> AsyncIterator[CertificateLine]:
    """Every certificate the list finds, from its beginning, in its order."""
    after, left = None, MOST
    while left > 0:
        step = wish.model_copy(update={"after": after, "limit": min(AT_ONCE, left)})
        found, after = await lists.lines(session, actor, step)
        for line in found:
            yield line
        left -= len(found)
        if after is None:
            return


def cells(line: CertificateLine, language: str) -> list[Cell]:
    """One row of the file."""
    found = [(column, column.cell(line)) for column in COLUMNS]
    return [say(cell, language) if column.spoken and isinstance(cell, str) else cell for column, cell in found]


def titles(language: str) -> list[str]:
    """The first row of the file."""
    return [say(column.title, language) for column in COLUMNS]


def as_csv(rows: Iterable[list[Cell]], language: str, zone: ZoneInfo) -> bytes:
    """The list as CSV: UTF-8 with a mark for spreadsheets, and the separator they expect in this language."""
    out = StringIO()
    write = csv.writer(out, delimiter=";" if language == "fr" else ",", lineterminator="\r\n").writerow
    write(titles(language))
    for row in rows:
        write([_moment(cell, zone) if isinstance(cell, datetime) else harmless(cell or "") for cell in row])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(RISKY) or text.startswith(RISKY) else text


def as_xlsx(rows: Iterable[list[Cell]], language: str, zone: ZoneInfo) -> bytes:
    """The list as a workbook of one sheet; moments are moments, everything else is text."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(say("Certificates", language))
    sheet.freeze_panes = "A2"
    for number, width in enumerate((24, 34, 14, 44, 32, 32, 18, 18), start=1):
        sheet.column_dimensions["ABCDEFGH"[number - 1]].width = width
    head = []
    for title in titles(language):
        cell = WriteOnlyCell(sheet, title)
        cell.font = Font(bold=True)
        head.append(cell)
    sheet.append(head)
    for row in rows:
        written = []
        for value in row:
            if isinstance(value, datetime):
                cell = WriteOnlyCell(sheet, value.astimezone(zone).replace(tzinfo=None))
                cell.number_format = "yyyy-mm-dd hh:mm"
            else:
                cell = WriteOnlyCell(sheet, _printable(value or ""))
                cell.data_type = "s"
            written.append(cell)
        sheet.append(written)
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def _moment(value: datetime, zone: ZoneInfo) -> str:
    return value.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _printable(text: str) -> str:
    """A workbook is XML: signs that cannot be written there are left out."""
    return "".join(sign for sign in text if sign.isprintable() or sign == "\n")
