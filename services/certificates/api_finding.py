"""The HTTP door for what stands beside a list: searches kept under a name, and the list as a file."""

import asyncio
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from fastapi.responses import Response

from services.certificates import exports, searches
from services.certificates.api import Around, Language
from services.certificates.lists import ListWish
from shared.contracts.certificate_views import View
from shared.contracts.machines import NewSearch, SearchView
from shared.kit.http import IdempotencyKey
from shared.kit.sessions import CurrentActor, CurrentPerson

router = APIRouter(tags=["finding"])
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FILE = {"description": "The list as a file", "content": {"text/csv": {}, XLSX: {}}}


class Shared(View):
    """Whether a search is shared with my organisation."""

    shared: bool


@router.get("/lists/certificates.{kind}", response_class=Response, responses={200: FILE})
async def export(
    kind: Literal["csv", "xlsx"],
    actor: CurrentActor,
    person: CurrentPerson,
    around: Around,
    language: Language,
    wish: Annotated[ListWish, Query()],
) -> Response:
    """Every certificate a list finds, with its columns, as CSV or XLSX."""
    async with around.database.transaction() as session:
        rows = [exports.cells(line, language) async for line in exports.lines(session, actor, wish)]
    write = exports.as_csv if kind == "csv" else exports.as_xlsx
    body = await asyncio.to_thread(write, rows, language, ZoneInfo(person.time_zone))
    name = "certificats" if language == "fr" else "certificates"
    headers = {"Content-Disposition": f'attachment; filename="{name}-{around.now():%Y-%m-%d}.{kind}"'}
    return Response(body, media_type="text/csv; charset=utf-8" if kind == "csv" else XLSX, headers=headers)


@router.get("/searches")
async def known(actor: CurrentActor, around: Around) -> list[SearchView]:
    """My searches, and those my organisation shares."""
    async with around.database.transaction() as session:
        return await searches.known(session, actor)


@router.post("/searches", status_code=201)
async def keep(new: NewSearch, actor: CurrentActor, key: IdempotencyKey, around: Around) -> SearchView:
    """Keep the filters of a list under a name."""
    async with around.database.transaction() as session:
        return await searches.keep(session, actor, new, key, around.now())


@router.put("/searches/{search_id}")
async def share(search_id: str, wish: Shared, actor: CurrentActor, around: Around) -> SearchView:
    """Share a search of mine, or keep it to myself again."""
    async with around.database.transaction() as session:
        return await searches.share(session, actor, search_id, wish.shared)


@router.delete("/searches/{search_id}", status_code=204)
async def drop(search_id: str, actor: CurrentActor, around: Around) -> None:
    """Give a search of mine up."""
    async with around.database.transaction() as session:
        await searches.drop(session, actor, search_id)
