"""Lists: filters, words, orders, cursors that no insert disturbs, and fifty thousand certificates."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import event, text

from services.certificates import lists
from services.certificates.lists import SORTS, ListWish
from shared.kit.db import Database
from shared.rules.status import Status
from tests.services.certificates.conftest import House, the_story
from tests.services.certificates.rows import at_once
from tests.services.certificates.world import (
    BODY,
    CENTRE,
    CONSIGNEE,
    CUSTOMS,
    EXPORTER,
    IMPORTER,
    POST,
    STRANGER,
    identity,
    line,
    person,
)
from tests.services.conftest import Templates

MANY = 50_000


async def found(house: House, reader: str = IMPORTER, **wish: Any) -> list[str]:
    """The numbers a list finds, in its order."""
    return [each["number"] for each in (await house.get(reader, "/certificates", **wish))["items"]]


async def three(house: House) -> list[str]:
    """Three certificates: submitted, issued, verified; their ids."""
    made = []
    for status, goods, lot, container in (
        (Status.DESCRIPTION_COMPLETED, "Dattes Medjool", "L-2026/1", "CSQU3054383"),
        (Status.ISSUED, "Huile d’argan vierge", "ARG 77", "MSKU1234565"),
        (Status.CONSIGNMENT_VERIFIED, "Écorces d’orange", "Ö-9", "CSQU3054383"),
    ):
        content = {"product_lines": [line(trade_name=goods, lot=lot)], "containers": [container]}
        made.append(await house.at(status, **content))
        house.clock.forward(minutes=1)
    return made


ONE, TWO, THREE = (f"COI.MA.2026.000000{n}" for n in (1, 2, 3))


# ── filters and words ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_list_is_filtered_by_status_party_and_turn(house: House) -> None:
    await three(house)
    assert await found(house) == [THREE, TWO, ONE]
    assert await found(house, status=["ISSUED"]) == [TWO]
    assert await found(house, status=["ISSUED", "CONSIGNMENT_VERIFIED"]) == [THREE, TWO]
    assert await found(house, party=POST) == [THREE, TWO, ONE]
    assert await found(house, party=STRANGER) == []
    assert await found(house, BODY, awaits_me=True) == [ONE]
    assert await found(house, CENTRE, awaits_me=True) == []
    assert await found(house, POST, awaits_me=True, status=["ISSUED"]) == [TWO]
    assert await found(house, CONSIGNEE, awaits_me=True) == [THREE]
    assert await found(house, CONSIGNEE, awaits_me=True, status=["ISSUED"]) == []


WORDS: tuple[tuple[str, list[str]], ...] = (
    ("medjool", [ONE]),
    ("DATTES MED", [ONE]),
    ("ecorces d'orange", [THREE]),
    ("ÉCORCES", [THREE]),
    ("argan huile", [TWO]),
    ("coi.ma.2026.0000002", [TWO]),
    ("COI MA 2026 000000", [THREE, TWO, ONE]),
    ("0000003", [THREE]),
    ("L-2026/1", [ONE]),
    ("arg 77", [TWO]),
    ("o-9", [THREE]),
    ("csqu3054383", [THREE, ONE]),
    ("ma-bio-154", [THREE, TWO, ONE]),
    ("pyrenees", [THREE, TWO, ONE]),
    ("08041000", [THREE, TWO, ONE]),
    ("0804", [THREE, TWO, ONE]),
    ("dattes vierge", []),
    ("quinoa", []),
    ("' & | ! ( ) : * \\ %", []),
    ("dattes & | !", [ONE]),
    ("\x00", []),
    ("   ", [THREE, TWO, ONE]),
    ("㌖" * 200, []),
    ("x " * 100, []),
)


async def test_words_are_found_by_their_beginnings_whatever_their_case_and_accents(house: House) -> None:
    await three(house)
    for words, numbers in WORDS:
        assert await found(house, text=words) == numbers, words


async def test_counts_follow_the_filters_but_not_the_status(house: House) -> None:
    await three(house)
    shown = await house.get(IMPORTER, "/certificates", status=["ISSUED"])
    assert shown["counts"] == {"DESCRIPTION_COMPLETED": 1, "ISSUED": 1, "CONSIGNMENT_VERIFIED": 1}
    shown = await house.get(IMPORTER, "/certificates", text="argan")
    assert shown["counts"] == {"ISSUED": 1}
    assert (await house.get(STRANGER, "/certificates"))["counts"] == {}
    page = await house.get(IMPORTER, "/certificates", limit=1)
    assert (await house.get(IMPORTER, "/certificates", limit=1, after=page["next"]))["counts"] == {}


async def test_a_list_shows_what_its_reader_may_see_now(house: House) -> None:
    first, *_ = await three(house)
    draft = await house.draft()
    assert len(await found(house, EXPORTER)) == 4
    assert await found(house, CUSTOMS) == [THREE, TWO, ONE]
    assert draft not in [each["id"] for each in (await house.get(IMPORTER, "/certificates"))["items"]]
    await house.edit(first, IMPORTER, first_consignee=IMPORTER)
    assert await found(house, CONSIGNEE) == [THREE, TWO]


# ── orders and cursors ────────────────────────────────────────────────────────────────────────────────────────────


async def walked(house: House, limit: int, **wish: Any) -> list[str]:
    """The ids of all pages, one after the other."""
    ids: list[str] = []
    after: dict[str, Any] = {}
    while True:
        page = await house.get(EXPORTER, "/certificates", limit=limit, **wish, **after)
        ids += [each["id"] for each in page["items"]]
        if page["next"] is None:
            return ids
        after = {"after": page["next"]}


async def test_every_order_is_the_same_in_pages_of_any_size(house: House) -> None:
    for number in range(3):
        await house.draft(arrival_at=None)
        await house.draft(arrival_at="2026-12-01T08:00:00Z")
        await house.at(Status.ISSUED, arrival_at=f"2026-12-0{3 - number}T08:00:00Z")
        house.clock.forward(minutes=number % 2)
    whole = {sort: await walked(house, 100, sort=sort) for sort in SORTS}
    for sort, ids in whole.items():
        assert len(set(ids)) == len(ids) == 9
        for limit in (2, 8, 9):
            assert await walked(house, limit, sort=sort) == ids
    for sort, opposite in (("updated", "oldest"), ("number", "-number"), ("status", "-status")):
        assert whole[sort] == whole[opposite][::-1]


async def test_who_arrives_first_stands_first_and_who_has_no_date_last(house: House) -> None:
    late = await house.draft(arrival_at="2026-12-09T08:00:00Z")
    none = await house.draft(arrival_at=None)
    soon = await house.draft(arrival_at="2026-12-02T08:00:00Z")
    assert await walked(house, 2, sort="arrival") == [soon, late, none]
    assert await walked(house, 2, sort="-arrival") == [late, soon, none]


@pytest.mark.parametrize("sort", ["updated", "oldest", "-number"])
async def test_what_is_born_or_moves_between_two_pages_makes_nobody_appear_twice_or_never(
    house: House, sort: str
) -> None:
    before = []
    for _ in range(6):
        before.append(await house.draft())
        house.clock.forward(minutes=1)
    page = await house.get(EXPORTER, "/certificates", limit=2, sort=sort)
    seen = [each["id"] for each in page["items"]]
    while page["next"]:
        await house.draft()
        house.clock.forward(minutes=1)
        page = await house.get(EXPORTER, "/certificates", limit=2, sort=sort, after=page["next"])
        seen += [each["id"] for each in page["items"]]
        if len(seen) > 12:
            break
    assert len(set(seen)) == len(seen)
    assert set(before) <= set(seen)


def cursor(*parts: Any) -> str:
    """A cursor somebody has made himself."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


ID = identity(1)
WRONG_CURSORS = [
    "x",
    "%00",
    "é",
    "====",
    "a" * 400,
    cursor(),
    cursor("updated"),
    cursor("updated", "2026-11-20T12:00:00+00:00", "x"),
    cursor("updated", "2026-11-20T12:00:00+00:00", f"{ID}\x00"),
    cursor("updated", "2026-11-20T12:00:00+00:00", None),
    cursor("updated", "2026-11-20T12:00:00", ID),
    cursor("updated", "yesterday", ID),
    cursor("updated", 5, ID),
    cursor("updated", None, ID),
    cursor("updated", "0001-01-01T00:00:00+14:00", ID),
    cursor("updated", "9999-12-31T23:59:59-14:00", ID),
    cursor("number", "COI", ID),
    cursor(["updated"], "2026-11-20T12:00:00+00:00", ID),
    cursor("updated", "2026-11-20T12:00:00+00:00", ID, ID),
    base64.urlsafe_b64encode(b"[" * 290).decode(),
]


async def test_a_cursor_of_ones_own_making_is_refused(house: House) -> None:
    await house.draft()
    for wrong in WRONG_CURSORS:
        answer = await house.door(EXPORTER).get("/certificates", params={"after": wrong})
        body = answer.json()
        assert (answer.status_code, body["code"], body["field"]) == (422, "invalid", "after"), wrong


async def test_a_cursor_belongs_to_its_order(house: House) -> None:
    await house.draft()
    await house.draft()
    for sort in SORTS:
        page = await house.get(EXPORTER, "/certificates", limit=1, sort="number" if sort != "number" else "updated")
        for wrong in (page["next"], cursor(sort, "\x00", ID)):
            answer = await house.door(EXPORTER).get("/certificates", params={"sort": sort, "after": wrong})
            assert (answer.status_code, answer.json()["field"]) == (422, "after")


WRONG_WISHES = (
    ("colour", "red"),
    ("Status", "ISSUED"),
    ("status", "SIGNED"),
    ("sort", "importer"),
    ("limit", "0"),
    ("limit", "101"),
    ("limit", "many"),
    ("party", "Pyrénées"),
    ("party", IMPORTER + "\n"),
    ("awaits_me", "perhaps"),
    ("text", "x" * 201),
    ("after", "x" * 401),
)


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_a_wish_that_is_not_understood_is_named(house: House, language: str) -> None:
    for name, value in WRONG_WISHES:
        answer = await house.door(EXPORTER, language).get("/certificates", params={name: value})
        body = answer.json()
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
        assert (body["code"], body["field"].partition("[")[0]) == ("invalid", name)
        assert ("Please" in body["title"]) == (language == "en")


# ── fifty thousand ────────────────────────────────────────────────────────────────────────────────────────────────

FILL = """
INSERT INTO certificate (
    id, number, form_model, status, revision, submitted, creator, created_at, updated_at, entered_at, content, rung,
    journal_length, journal_head, exporter, importer, issuing_body, first_consignee, entry_authority,
    country_of_export, clearance_country, arrival_at, due_at, visible_to, awaited_by, goods, search
)
SELECT md5(n::text)::uuid, CASE WHEN n % 5 > 0 THEN 'COI.MA.2026.' || lpad(n::text, 7, '0') END, 'COI_2017',
    (ARRAY['DRAFT', 'DESCRIPTION_COMPLETED', 'ISSUED', 'CONSIGNMENT_VERIFIED', 'FIRST_CONSIGNEE_SIGNED'])[1 + n % 5],
    1, n % 5 > 0, $1, at, at, at, '{}', '[]', 1, '', $1::uuid, $2::uuid,
    $3::uuid, $4::uuid, $5::uuid, 'MA', 'FR',
    CASE WHEN n % 3 > 0 THEN at + interval '9 days' END, at + interval '30 days',
    ARRAY[$1::uuid] || CASE WHEN n % 1000 = 0 THEN ARRAY[$6::uuid] ELSE '{}' END,
    CASE WHEN n % 100 = 0 THEN ARRAY[$1::uuid] ELSE '{}' END,
    'Dattes', to_tsvector('simple', 'coi ma 2026 ' || lpad(n::text, 7, '0') || ' dattes lot' || n)
        || array_to_tsvector(ARRAY['lot#', '=seen/' || $1::uuid::text, '=entry_authority/' || $5::uuid::text]
            || CASE WHEN n % 5 > 0 THEN ARRAY['=customs/FR'] ELSE '{}' END
            || CASE WHEN n % 1000 = 0 THEN ARRAY['=seen/' || $6::uuid::text] ELSE '{}' END)
FROM generate_series(1, $7::integer) n,
    LATERAL (SELECT timestamptz '2026-01-01' + (n / 3) * interval '1 minute' AS at) a
"""


@pytest.fixture
async def crowded(templates: Templates, kept: dict[str, str]) -> AsyncIterator[Database]:
    """Fifty thousand certificates that the exporter sees; nobody changes them."""
    name = "crowded"
    if name not in kept:
        template = await templates.of("certificates", the_story)
        await templates.server.create(name, owner="certificates", template=template)
        parties = (EXPORTER, IMPORTER, BODY, CONSIGNEE, POST, STRANGER)
        async with at_once(templates.server.url(name, "certificates", "postgresql")) as connection:
            await connection.execute(FILL, *parties, MANY)
        kept[name] = ""
    base = Database(templates.server.url(name, "certificates"))
    yield base
    await base.close()


async def pages(base: Database, number: int, reader: str = EXPORTER, **wish: Any) -> list[str]:
    """The ids of the first pages of 25."""
    ids: list[str] = []
    after = None
    for _ in range(number):
        async with base.transaction() as session:
            page = await lists.page(session, person(reader), ListWish(**wish, after=after))
        assert len(page.items) == 25 or page.next is None
        ids += [each.id for each in page.items]
        after = page.next
        if after is None:
            break
    return ids


ORDERS = {
    "updated": "updated_at DESC, id DESC",
    "oldest": "updated_at, id",
    "number": "coalesce(number, ''), id",
    "-number": "coalesce(number, '') DESC, id DESC",
    "status": "status, id",
    "-status": "status DESC, id DESC",
    "arrival": "arrival_at NULLS LAST, id",
    "-arrival": "arrival_at DESC NULLS LAST, id DESC",
}


@pytest.mark.parametrize("sort", SORTS)
async def test_page_after_page_visits_each_certificate_once_and_in_order(crowded: Database, sort: str) -> None:
    number = 100 if sort == "updated" else 30
    async with crowded.transaction() as session:
        rows = await session.execute(
            text(f"SELECT id::text FROM certificate ORDER BY {ORDERS[sort]} LIMIT {number * 25}")
        )
        expected = [row[0] for row in rows]
    assert await pages(crowded, number, sort=sort) == expected


async def test_the_last_page_is_reached_from_anywhere(crowded: Database) -> None:
    assert len(await pages(crowded, 10, STRANGER)) == MANY // 1000
    assert len(await pages(crowded, 30, awaits_me=True)) == MANY // 100
    assert await pages(crowded, 3, text="lot4999") == await pages(crowded, 9, text="LOT4999 dattes")
    assert len(await pages(crowded, 9, text="lot4999")) == 11


async def plans(base: Database, reader: str, **wish: Any) -> list[str]:
    """How PostgreSQL would find what a list and its second page ask for."""
    asked: list[tuple[str, Any]] = []

    def heard(_: object, __: object, statement: str, parameters: Any, ___: object, ____: object) -> None:
        if "FROM certificate" in statement or "FROM sight" in statement:
            asked.append((statement, parameters))

    event.listen(base.engine.sync_engine, "before_cursor_execute", heard)
    await pages(base, 2, reader, **wish)
    event.remove(base.engine.sync_engine, "before_cursor_execute", heard)
    explained = []
    async with base.engine.connect() as connection:
        for statement, parameters in asked:
            rows = await connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
            explained.append("\n".join(row[0] for row in rows))
    return explained


@pytest.mark.parametrize("reader", [EXPORTER, STRANGER, CUSTOMS])
async def test_no_list_reads_the_whole_table(crowded: Database, reader: str) -> None:
    wishes: list[dict[str, Any]] = [{"sort": sort} for sort in SORTS]
    wishes += [{"awaits_me": True}, {"text": "lot4999"}, {"status": ["ISSUED"]}, {"party": POST}]
    for wish in wishes:
        found_by = await plans(crowded, reader, **wish)
        assert len(found_by) >= 2
        for plan in found_by:
            assert "Seq Scan on certificate" not in plan, plan
            assert "Seq Scan on sight" not in plan, plan


async def test_counts_stop_at_a_thousand(crowded: Database) -> None:
    async with crowded.transaction() as session:
        page = await lists.page(session, person(EXPORTER), ListWish())
        few = await lists.page(session, person(STRANGER), ListWish())
    assert set(page.counts.values()) == {1000}
    assert few.counts == {"DRAFT": 50}
