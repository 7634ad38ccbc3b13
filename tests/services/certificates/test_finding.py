"""Finding: every filter, what a mere producer finds, and a hundred thousand certificates without reading them all."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import event

from services.certificates import lists
from services.certificates.finding import FILTERS
from services.certificates.lists import ListWish
from shared.kit.db import Database
from shared.rules.status import Status
from tests.services.certificates.conftest import House, the_story
from tests.services.certificates.rows import copied
from tests.services.certificates.world import (
    BODY,
    CENTRE,
    CONSIGNEE,
    CUSTOMS,
    EXPORTER,
    FORWARDER,
    IMPORTER,
    OTHER_BODY,
    OTHER_PRODUCER,
    POST,
    PRODUCER,
    STRANGER,
    line,
    person,
)
from tests.services.conftest import Templates

MANY = 100_000


async def found(house: House, reader: str = IMPORTER, **wish: Any) -> list[str]:
    """The ends of the numbers a list finds, in their order."""
    page = await house.get(reader, "/certificates", sort="number", **wish)
    return [(each["number"] or "draft")[-1] for each in page["items"]]


async def four(house: House) -> None:
    """Four certificates of four days: verified, issued, submitted, and a draft."""
    for status, changes in (
        (Status.CONSIGNMENT_VERIFIED, {"countries_of_origin": ["MA", "TN"]}),
        (Status.ISSUED, {"product_lines": [line(trade_name="Avocats Hass", cn_code="08044000", lot="ÉT-7/b")]}),
        (Status.DESCRIPTION_COMPLETED, {"arrival_at": "2026-12-05T08:00:00+01:00", "containers": ["MSKU 123456-5"]}),
        (Status.DRAFT, {"national_reference": "Dossier 2026/44"}),
    ):
        await house.at(status, **changes)
        house.clock.forward(days=1)


ASKED: tuple[tuple[dict[str, Any], list[str]], ...] = (
    ({"exporter": EXPORTER}, ["1", "2", "3"]),
    ({"exporter": IMPORTER}, []),
    ({"importer": IMPORTER}, ["1", "2", "3"]),
    ({"issuing_body": BODY}, ["1", "2", "3"]),
    ({"first_consignee": CONSIGNEE}, ["1", "2", "3"]),
    ({"entry_authority": POST}, ["1", "2", "3"]),
    ({"responsible_for_load": FORWARDER}, ["1", "2", "3"]),
    ({"responsible_for_load": STRANGER}, []),
    ({"producer": PRODUCER}, ["1", "2", "3"]),
    ({"authority_country": "FR"}, ["1", "2", "3"]),
    ({"authority_country": "BE"}, []),
    ({"clearance_country": "FR"}, ["1", "2", "3"]),
    ({"country_of_origin": "TN"}, ["1"]),
    ({"country_of_export": "MA"}, ["1", "2", "3"]),
    ({"goods": "AVOCATS"}, ["2"]),
    ({"goods": "hass avo"}, ["2"]),
    ({"goods": "0804 hass"}, ["2"]),
    ({"goods": "dattes hass"}, []),
    ({"goods": "'|!"}, []),
    ({"cn_code": "080440"}, ["2"]),
    ({"cn_code": "08"}, ["1", "2", "3"]),
    ({"lot": "et 7"}, ["2"]),
    ({"lot": "7"}, []),
    ({"container": "msku1234565"}, ["3"]),
    ({"container": "CSQU"}, ["1", "2"]),
    ({"document": "bl1"}, ["1", "2", "3"]),
    ({"form_model": "COI_2017"}, ["1", "2", "3"]),
    ({"form_model": "COI_2022"}, []),
    ({"flag": "prior_notified"}, ["2"]),
    ({"flag": ["prior_notified", "lab_pending"]}, []),
    ({"flag": "overdue"}, []),
    ({"ours": True}, []),
    ({"created_from": "2026-11-21"}, ["2", "3"]),
    ({"created_until": "2026-11-20"}, ["1"]),
    ({"issued_from": "2026-11-20", "issued_until": "2026-11-20"}, ["1"]),
    ({"issued_from": "2026-11-20"}, ["1", "2"]),
    ({"decided_until": "2026-11-22"}, ["1"]),
    ({"decided_from": "2026-11-21"}, []),
    ({"arrival_from": "2026-12-02"}, ["3"]),
    ({"arrival_until": "2026-12-01"}, ["1", "2"]),
    ({"goods": "dattes", "country_of_origin": "TN", "text": "pyren", "status": ["CONSIGNMENT_VERIFIED"]}, ["1"]),
)


async def test_every_filter_finds_what_it_says(house: House) -> None:
    await four(house)
    for wish, numbers in ASKED:
        assert await found(house, **wish) == numbers, wish
    assert await found(house, EXPORTER, ours=True) == ["t", "1", "2", "3"]
    assert await found(house, EXPORTER, document="dossier 2026") == ["t"]
    asked = {name for wish, _ in ASKED for name in wish} | {"awaits_me", "party"}
    assert {each.name for each in FILTERS} <= asked


async def test_the_table_of_filters_and_what_a_list_understands_are_one(house: House) -> None:
    understood = set(ListWish.model_fields) - {"text", "sort", "after", "limit"}
    assert {each.name for each in FILTERS} == understood
    assert all(bool(each.mark) != (each.column is not None) for each in FILTERS)


async def test_an_overdue_certificate_is_flagged_and_no_longer_once_it_has_moved_on(house: House) -> None:
    certificate_id = await house.at(Status.CONSIGNMENT_VERIFIED)
    for _ in range(3):
        house.clock.forward(days=40)
        await house.ring(certificate_id)
    assert await found(house, flag="overdue") == ["1"]
    await house.move(certificate_id, "receive", CONSIGNEE)
    assert await found(house, flag="overdue") == []


async def test_a_mere_producer_finds_and_reads_by_his_own_lines_only(house: House) -> None:
    lines = [
        line(1, trade_name="Dattes Medjool", lot="A1"),
        line(2, trade_name="Olives secrètes", lot="Z9", producer=OTHER_PRODUCER, producer_control_body=OTHER_BODY),
    ]
    await house.at(Status.DESCRIPTION_COMPLETED, product_lines=lines)
    for reader in (EXPORTER, IMPORTER, BODY, OTHER_BODY):
        assert await found(house, reader, lot="a1") == await found(house, reader, goods="olives") == ["1"]
    his = {"lot": "z9", "goods": "secretes", "cn_code": "0804", "producer": OTHER_PRODUCER, "text": "olives sec"}
    others = {"lot": "a1", "goods": "medjool", "producer": PRODUCER, "text": "medjool"}
    for name, value in his.items():
        assert await found(house, OTHER_PRODUCER, **{name: value}) == ["1"], name
    for name, value in others.items():
        assert await found(house, OTHER_PRODUCER, **{name: value}) == [], name
    page = await house.get(OTHER_PRODUCER, "/certificates")
    assert page["items"][0]["goods"] == "Olives secrètes"
    assert await found(house, OTHER_PRODUCER, text="coi ma 2026") == ["1"]


# ── a hundred thousand ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def many(templates: Templates, kept: dict[str, str]) -> AsyncIterator[Database]:
    """A hundred thousand certificates of very many organisations; nobody changes them."""
    name = "hundred_thousand"
    if name not in kept:
        template = await templates.of("certificates", the_story)
        await templates.server.create(name, owner="certificates", template=template)
        await copied(templates.server.url(name, "certificates", "postgresql"), MANY)
        kept[name] = ""
    base = Database(templates.server.url(name, "certificates"))
    yield base
    await base.close()


WISHES: tuple[dict[str, Any], ...] = (
    {},
    {"text": "dattes med"},
    {"text": "0004999"},
    {"importer": IMPORTER},
    {"producer": PRODUCER},
    {"goods": "huile vierge"},
    {"cn_code": "0804"},
    {"lot": "L-499"},
    {"container": "CSQU0004"},
    {"document": "BL-77"},
    {"country_of_origin": "TN", "authority_country": "FR"},
    {"flag": ["overdue"]},
    {"form_model": "COI_2022", "status": [Status.ISSUED]},
    {"awaits_me": True},
    {"ours": True},
    {"created_from": date(2024, 2, 1), "created_until": date(2024, 2, 1)},
    {"issued_from": date(2024, 3, 1), "issued_until": date(2024, 3, 2)},
    {"decided_until": date(2024, 1, 12)},
    {"arrival_from": date(2024, 3, 11), "sort": "arrival"},
    {"status": [Status.DELETED], "sort": "number"},
)
READERS = (EXPORTER, IMPORTER, BODY, POST, CENTRE, CUSTOMS, STRANGER)


async def test_no_search_of_a_hundred_thousand_reads_the_whole_table(many: Database) -> None:
    for reader in READERS:
        for wish in WISHES:
            for plan in await plans(many, reader, **wish):
                assert "Seq Scan on certificate" not in plan, f"{reader} {wish}\n{plan}"
                assert "Seq Scan on sight" not in plan, f"{reader} {wish}\n{plan}"


async def plans(base: Database, reader: str, **wish: Any) -> list[str]:
    """How PostgreSQL finds what a list and its counts ask for."""
    asked: list[tuple[str, Any]] = []

    def heard(_: object, __: object, statement: str, parameters: Any, ___: object, ____: object) -> None:
        if "FROM certificate" in statement or "FROM sight" in statement:
            asked.append((statement, parameters))

    event.listen(base.engine.sync_engine, "before_cursor_execute", heard)
    async with base.transaction() as session:
        await lists.page(session, person(reader), ListWish(**wish))
    event.remove(base.engine.sync_engine, "before_cursor_execute", heard)
    explained = []
    async with base.engine.connect() as connection:
        for statement, parameters in asked:
            rows = await connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
            explained.append("\n".join(row[0] for row in rows))
    assert len(explained) == 2
    return explained


async def test_the_copied_rows_are_found_as_if_the_service_had_written_them(many: Database) -> None:
    async with many.transaction() as session:
        of_lot = await lists.page(session, person(IMPORTER), ListWish(lot="L-307", limit=100))
        late = await lists.page(session, person(BODY), ListWish(flag=[lists.Flag("overdue")], limit=100))
    assert "0000307" in {(each.number or "")[-7:] for each in of_lot.items}
    assert late.items
    assert all(int((each.number or "")[-7:]) % 50 == 2 for each in late.items)
