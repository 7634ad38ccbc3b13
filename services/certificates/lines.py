"""Product lines in and out: what a sheet names is looked up, and all of it is taken or nothing."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from services.certificates import paper, register, sheets_of_lines, store
from services.certificates.models import CertificateRow
from services.certificates.sheets_of_lines import Read
from shared.rules.boxes import Model, Problem
from shared.rules.findings import KINDS
from shared.rules.refusals import Refused
from shared.rules.shape import MANY

ORGANISATIONS = ("producer", "producer_control_body")
_NAMED = text(
    "SELECT id, record->>'kind', lower(record->>'name'), record->>'code' FROM party"
    " WHERE lower(record->>'name') = ANY(:names) OR record->>'code' = ANY(:codes) OR id::text = ANY(:names)"
)


async def taken(
    session: AsyncSession, row: CertificateRow, body: bytes, more: bool, now: datetime
) -> list[dict[str, Any]]:
    """The lines of a certificate once a sheet is taken over, in their place or after them; refused cell by cell."""
    sheet = await asyncio.to_thread(sheets_of_lines.read, body, paper.model_of(row))
    lines = [dict(line) for line in sheet.lines]
    problems = [*sheet.problems, *await _organisations(session, sheet, lines), *await _goods(session, sheet, now)]
    before = [dict(line) for line in row.content.get("product_lines") or []] if more else []
    if not problems and len(before) + len(lines) > MANY:
        problems = [sheets_of_lines.of_sheet("too_many", label="Description of products", most=MANY)]
    if not lines and not problems:
        raise Refused("file_empty", field="file")
    if problems:
        raise Refused("sheet_wrong", problems=sorted(problems, key=_place), number=len(problems))
    marks = _free_marks(before)
    return [*before, *({**line, "id": next(marks)} for line in lines)]


def _free_marks(before: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    used = {str(line.get("id")) for line in before}
    return (str(number) for number in range(1, 10_000) if str(number) not in used)


def _place(problem: Problem) -> tuple[int, str]:
    row = problem.params.get("row")
    return (row if isinstance(row, int) else 0, str(problem.params.get("column", "")))


async def _organisations(session: AsyncSession, sheet: Read, lines: list[dict[str, Any]]) -> list[Problem]:
    """Put ids in the place of names and codes; what nobody or several are called is wrong."""
    said = {str(line[part]) for line in lines for part in ORGANISATIONS if line.get(part)}
    if not said:
        return []
    fitting = await called(session, said)
    problems = []
    for number, line in enumerate(lines):
        for part in ORGANISATIONS:
            if not line.get(part):
                continue
            wanted = str(line[part])
            fits = fitting(wanted, KINDS[f"product_lines.{part}"])
            if len(fits) == 1:
                line[part] = fits.pop()
            else:
                code = "several_organisations" if fits else "organisation_not_found"
                problems.append(sheet.wrong(number, part, code, name=wanted[:100]))
    return problems


async def called(session: AsyncSession, said: set[str]) -> Callable[[str, str], set[str]]:
    """A function from what somebody calls an organisation of a kind (id, code or whole name) to those that fit."""
    names = sorted({each.lower() for each in said})
    asked = {"names": names, "codes": sorted({each.upper() for each in said})}
    found = (await session.execute(_NAMED, asked)).all() if said else []

    def fitting(wanted: str, kind: str) -> set[str]:
        return {
            str(each[0])
            for each in found
            if each[1] == kind and (each[2] == wanted.lower() or each[3] == wanted.upper() or str(each[0]) == wanted)
        }

    return fitting


async def _goods(session: AsyncSession, sheet: Read, now: datetime) -> list[Problem]:
    """Codes that are not in the nomenclature of the day."""
    content = {"product_lines": [{"cn_code": line["cn_code"]} for line in sheet.lines if _is_code(line.get("cn_code"))]}
    known, _ = await store.facts(session, content, now)
    return [
        sheet.wrong(number, "cn_code", "unknown_commodity", cn_code=line["cn_code"])
        for number, line in enumerate(sheet.lines)
        if _is_code(line.get("cn_code")) and line["cn_code"] not in known.commodities
    ]


def _is_code(value: object) -> bool:
    return isinstance(value, str) and len(value) == 8 and value.isascii() and value.isdigit()


async def shown(session: AsyncSession, content: Mapping[str, Any], model: Model, language: str) -> list[list[Any]]:
    """Lines as a table that can be taken in again: organisations by their code, or by their name."""
    lines = [dict(line) for line in content.get("product_lines") or []]
    named = await register.parties(
        session, [str(line[part]) for line in lines for part in ORGANISATIONS if line.get(part)]
    )
    for line in lines:
        for part in ORGANISATIONS:
            if line.get(part) in named:
                record = named[line[part]].record
                line[part] = record.get("code") or record["name"]
    return sheets_of_lines.table(lines, model, language)
