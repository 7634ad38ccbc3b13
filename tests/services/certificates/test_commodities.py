"""Commodity codes at the door: by name and code, in two languages, with their path, on their day; a new year's file."""

import asyncio
import os
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from services.certificates import cli, commodities
from shared.kit.db import Database
from shared.reference import commodities as shipped
from tests.services.certificates.conftest import House, the_house, the_story
from tests.services.certificates.world import EXPORTER, line
from tests.services.conftest import Around, Clock, PassportOffice, Visitor

OFFICIAL = """CN 2027;Dashes;Text EN;Text FR
08;;EDIBLE FRUIT;FRUITS COMESTIBLES
0804;;Dates, figs and avocados;Dattes, figues et avocats
0804 10 00;-;Dates;Dattes
0804 40;-;Avocados;Avocats
0804 40 10;--;Small;Petits
0804 40 90;--;Other;Autres
0409 00 00;;Natural honey;Miel naturel
"""


async def the_nomenclature(database: Database) -> None:
    """The story, and the whole nomenclature we ship."""
    await the_story(database)
    async with database.transaction() as session:
        await session.execute(text("DELETE FROM commodity"))
        await commodities.load_shipped(session)


@pytest.fixture
async def market(around: Around, visit: Visitor, clock: Clock, passports: PassportOffice) -> House:
    """The service with the whole nomenclature, on a day of 2026."""
    return await the_house(around, visit, clock, passports, the_nomenclature)


async def ask(house: House, language: str = "en", **wish: Any) -> dict[str, dict[str, Any]]:
    """What is found, by code, in the order it was found."""
    found = await house.get(EXPORTER, "/reference/commodities", language, **wish)
    return {each["code"]: each for each in found}


async def test_goods_are_found_by_their_name_in_either_language(market: House) -> None:
    for language, words, code in (
        ("en", "avocado", "08044000"),
        ("fr", "avocat", "08044000"),
        ("en", "AVOCAT", "08044000"),
        ("fr", "dattes", "08041000"),
        ("fr", "café", "09011100"),
        ("en", "cafe", "09011100"),
        ("en", "olive virgin", "15092000"),
    ):
        found = await ask(market, language, q=words)
        assert code in found, words
        assert next(iter(found.values()))["leaf"]  # what can be declared comes first
    assert (await ask(market, "fr", q="avocado"))["08044000"]["name"] == "Avocats, frais ou secs"
    assert (await ask(market, "en", q="avocado"))["08044000"]["name"].startswith("Avocados")


async def test_another_of_something_is_found_by_what_it_is_another_of(market: House) -> None:
    other: dict[str, Any] = {"code": "08044090", "parent": "080440", "name_en": "Other", "name_fr": "Autres"}
    years = {"valid_from": date(2026, 1, 1), "valid_to": None, "level": 8, "category": "a"}
    async with market.database.transaction() as session:
        await commodities.load(session, [{**other, **years}])
    for language, words in (("fr", "avocats autres"), ("en", "avocado"), ("en", "other avocados")):
        assert "08044090" in await ask(market, language, q=words), words


async def test_goods_are_found_by_the_beginning_of_their_code(market: House) -> None:
    for words in ("0804 40", "080440", "0804.40.00", " 08044000 "):
        assert "08044000" in await ask(market, q=words)
    assert all(code.startswith("0804") for code in await ask(market, q="0804"))


async def test_a_name_is_shown_with_its_path(market: House) -> None:
    english, french = await ask(market, "en", codes="08044000"), await ask(market, "fr", codes="08044000")
    path = english["08044000"]["path"]
    assert (path[-1], len(path)) == (english["08044000"]["name"], 3)
    assert "fruit" in path[0].lower()
    assert french["08044000"]["path"][-1] == "Avocats, frais ou secs"
    assert (english["08044000"]["category"], english["08044000"]["leaf"]) == ("a", True)
    for code, each in (await ask(market, "en", q="other")).items():
        assert len(each["path"]) >= 2 or len(code) == 2, code
    valid = shipped.on(market.clock().date())
    for code in ("08044000", "09011100", "15092000"):
        (each,) = (await ask(market, "fr", codes=code)).values()
        assert each["path"] == [step.name("fr") for step in shipped.path(code, valid)]


async def test_the_tree_is_climbed_from_the_chapters_down(market: House) -> None:
    chapters = await ask(market)
    assert {"08", "09", "15"} <= chapters.keys()
    assert all(len(code) == 2 for code in chapters)
    assert list(chapters) == sorted(chapters)
    assert "0804" in await ask(market, parent="08")
    step, seen = "0804", []
    while step and len(step) < 8:
        below = await ask(market, parent=step)
        step = next(code for code in below if "08044000".startswith(code))
        seen.append(step)
    assert seen[-1] == "08044000"
    assert await ask(market, parent="08044000") == {}


async def test_some_are_asked_for_by_code(market: House) -> None:
    found = await ask(market, codes="08041000,08044000,99999999")
    assert sorted(found) == ["08041000", "08044000"]


async def test_what_nobody_sells_is_not_found(market: House) -> None:
    for words in ("zzzz", "' | & !", "\x00", "999999", "²"):
        assert await ask(market, q=words) == {}, words
    for name, value in (("q", "x" * 101), ("parent", "0"), ("parent", "08x"), ("codes", "08,"), ("codes", "x")):
        answer = await market.door(EXPORTER).get("/reference/commodities", params={name: value})
        assert (answer.status_code, answer.json()["field"]) == (422, name)
    assert (await market.door(EXPORTER).get("/reference/commodities", headers={"Authorization": ""})).status_code == 401


async def test_a_code_counts_on_its_day(market: House) -> None:
    assert "08039019" in await ask(market, codes="08039019,08039011")
    async with market.database.transaction() as session:
        past = await commodities.by_code(session, ["08039010", "08039011"], date(2022, 6, 1), "en")
        now = await commodities.by_code(session, ["08039010", "08039011"], market.clock().date(), "en")
    assert [each.code for each in past] != [each.code for each in now]


async def test_the_nomenclature_we_ship_is_taken_once(market: House) -> None:
    before = await market.one("SELECT md5(string_agg(c::text, '' ORDER BY c::text)) FROM commodity c")
    async with market.database.transaction() as session:
        await commodities.load_shipped(session)
    assert await market.one("SELECT md5(string_agg(c::text, '' ORDER BY c::text)) FROM commodity c") == before


# ── a new year ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_command_takes_the_official_file_of_a_year(market: House, tmp_path: Path) -> None:
    file = tmp_path / "cn2027.csv"
    file.write_text(OFFICIAL, encoding="utf-8-sig")
    code, said, complaint = await _command(market, "reference", "import", str(file), "--year", "2027")
    assert code == 0, complaint
    assert said.startswith("2027: 2 codes added, ")
    async with market.database.transaction() as session:
        again = await commodities.renew(session, shipped.parse_official(file, 2027), 2027)
    assert (again.added, again.closed, again.reworded) == ((), (), ())

    assert "08044000" in await ask(market, q="avocado")  # still 2026
    certificate = await market.draft(product_lines=[line(cn_code="08044000")])
    market.clock.forward(days=45)
    found = await ask(market, "fr", q="petits")
    assert found["08044010"]["path"][-2:] == ["Avocats", "Petits"]
    assert "08044000" not in await ask(market, q="0804 40")
    problems = (await market.get(EXPORTER, f"/certificates/{certificate}"))["problems"]
    assert ("product_lines[0].cn_code", "unknown_commodity") in [(each["field"], each["code"]) for each in problems]

    async with market.database.transaction() as session:
        await commodities.load_shipped(session)  # the next start of the service
    assert "08044000" not in await ask(market, q="0804 40")


async def test_a_file_that_is_no_nomenclature_changes_nothing(market: House, tmp_path: Path) -> None:
    file = tmp_path / "letter.csv"
    file.write_text("Dear Sir;or Madam\n", encoding="utf-8")
    before = await market.one("SELECT count(*) FROM commodity")
    refused = CliRunner().invoke(cli.app, ["reference", "import", str(file), "--year", "2027"])
    assert (refused.exit_code, "no_code_column" in refused.output) == (1, True)
    assert await market.one("SELECT count(*) FROM commodity") == before


async def _command(house: House, *words: str) -> tuple[int, str, str]:
    """What our command says, run as a program of its own beside this database."""
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.certificates.cli", *words),
        env={**os.environ, "CERTIFICATES_DATABASE_URL": house.database.url},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, complaint = await program.communicate()
    return program.returncode or 0, out.decode(), complaint.decode()
