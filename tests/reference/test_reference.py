"""The reference lists: codes once each, parents there, origins told, the publisher's file read."""

from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pycountry
import pytest
from openpyxl import Workbook

from shared.reference import table
from shared.reference.categories import SUGGESTED, categories, suggested
from shared.reference.commodities import (
    OfficialFileRefused,
    Row,
    harmonised_system,
    label,
    on,
    parse_official,
    renew,
    rows,
)
from shared.reference.countries import countries
from shared.reference.transport import document_types, modes
from shared.reference.units import DEFAULT_UNIT, in_base, package_types, units

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize("name", table.files())
def test_every_file_says_where_it_comes_from(name: str) -> None:
    origin = table.origin(name)
    assert origin.title
    assert origin.origin
    assert origin.licence
    assert date.fromisoformat(origin.date).year >= 2026


@pytest.mark.parametrize("name", [name for name in table.files() if name != "cn.csv"])
def test_every_code_stands_once_and_has_a_name(name: str) -> None:
    found = table.read(name)
    codes = [row["code"] for row in found]
    assert len(set(codes)) == len(codes)
    assert all(row["name_en"].strip() == row["name_en"] != "" for row in found)


def test_countries_are_those_of_iso_and_two_more() -> None:
    assert set(countries()) == {country.alpha_2 for country in pycountry.countries} | {"XI", "XK"}
    assert sum(country.membership == "EU" for country in countries().values()) == 27
    assert {code for code, country in countries().items() if country.membership == "EEA"} == {"IS", "LI", "NO"}
    assert countries()["MA"].is_third_country
    assert countries()["MA"].name("fr") == "Maroc"
    assert not countries()["CH"].is_third_country
    assert countries()["XI"].in_union
    assert not countries()["CH"].in_union


def test_units_and_packages() -> None:
    assert next(iter(units())) == DEFAULT_UNIT == "KGM"
    assert in_base(Decimal("1.5"), "TNE") == (Decimal("1500.0"), "mass")
    assert {code for code, kind in package_types().items() if kind.bulk} == {"VQ", "VG", "VL", "VY", "VR", "VS", "VO"}
    assert len(package_types()) > 400
    assert {"BG", "SA", "BX", "CT", "DR", "JR", "BO", "PX", "PK", "WA", "5M", "NE"} <= set(package_types())
    assert package_types()["CT"].name("fr") == "Carton"
    assert package_types()["BB"].name("fr") == "Bobbin"


def test_modes_name_a_document_that_exists() -> None:
    assert set(modes()) == {"1", "2", "3", "4", "5", "8"}
    assert all(mode.document in document_types() for mode in modes().values() if mode.document)
    assert {"380", "271", "705", "740", "730", "720", "861", "851", "636", "856", "1"} <= set(document_types())
    assert all({"number", "date"} <= set(kind.required) for kind in document_types().values())


def test_categories_are_seven_and_suggestions_name_them() -> None:
    assert "".join(categories()) == "abcdefg"
    assert set(SUGGESTED.values()) <= set(categories())
    assert suggested("22042198") == "f"
    assert suggested("84") is None


def test_commodities_have_one_row_a_day_and_a_parent() -> None:
    known = rows()
    codes = {row.code for row in known}
    by_code: dict[str, list[Row]] = {}
    for row in known:
        assert row.code.isdigit()
        assert row.level == len(row.code) in (2, 4, 6, 8)
        assert row.name_en
        assert row.name_fr
        assert row.category is None or row.category in categories()
        assert (row.parent is None) == (row.level == 2)
        assert row.parent is None or (row.parent in codes and row.code.startswith(row.parent))
        by_code.setdefault(row.code, []).append(row)
    for same in by_code.values():
        for earlier, later in pairwise(same):
            assert earlier.valid_to is not None
            assert earlier.valid_to < later.valid_from


def test_the_harmonised_system_is_complete_to_six_digits() -> None:
    levels = [len(code) for code, _ in harmonised_system()]
    assert (levels.count(2), levels.count(4), levels.count(6)) == (97, 1229, 5613)
    assert {code for code, _ in harmonised_system()} <= {row.code for row in rows()}


def test_the_codes_of_organic_trade_are_there() -> None:
    valid = on(TODAY)
    leaves = [row for row in valid.values() if row.level == 8]
    assert len(leaves) > 350
    assert all(row.category and row.name_fr != "" for row in leaves)
    named = (
        "09011100 18010000 08044000 08045000 17011490 12019000 10085000 10063098 08021290 08013200 08041000 12074090"
    )
    named += " 15092000 04090000 09101100 09024000 12119086 23040000 20098988"
    assert set(named.split()) <= set(valid)


def test_a_row_is_its_columns() -> None:
    assert list(vars(rows()[0])) == [
        *("code", "name_en", "name_fr", "parent", "level", "category", "valid_from", "valid_to")
    ]


def test_a_name_is_shown_with_its_path() -> None:
    assert label("08041000", on(TODAY), "fr") == (
        "08 Fruits comestibles, écorces d'agrumes ou de melons"
        " › 0804 Dattes, figues, ananas, avocats, goyaves, mangues et mangoustans"
        " › 0804 10 00 Dattes, fraîches ou sèches"
    )
    assert label("04090000", on(TODAY), "en").endswith("› 0409 Natural honey › 0409 00 00 Natural honey")


def test_codes_change_with_the_year() -> None:
    assert "07020000" in on(date(2024, 12, 31))
    assert "07020000" not in on(date(2025, 1, 1))
    assert {"07020010", "07020091", "07020099"} <= set(on(date(2025, 1, 1)))
    assert "08039010" not in on(TODAY)


PUBLISHED = """CN code;Indents;Text EN;Text FR
I;;SECTION I;SECTION I
08;;EDIBLE FRUIT AND NUTS;FRUITS COMESTIBLES
0803;;Bananas, including plantains, fresh or dried;Bananes, y compris les plantains, fraîches ou sèches
0803 90;-;Other;Autres
;- -;Fresh:;Fraîches:
0803 90 11;- - -;Plátano de Canarias;Plátano de Canarias
0803 90 20;- - -;Other;Autres
0803 90 90;- -;Dried;Sèches
0409 00 00;;Natural honey;Miel naturel
"""


def published(folder: Path, text: str = PUBLISHED) -> Path:
    file = folder / "cn.csv"
    file.write_text(text, encoding="utf-8-sig")
    return file


def test_the_official_csv_is_read_with_its_grouping_rows(tmp_path: Path) -> None:
    found = {row.code: row for row in parse_official(published(tmp_path), 2027)}
    assert found["08039020"].name_fr == "Fraîches – Autres"
    assert found["08039090"].name_en == "Dried"
    assert found["08039020"].parent == "080390"
    assert found["04090000"].parent == "040900"
    assert found["040900"].parent == "0409"
    assert found["04090000"].category == "b"
    assert {row.valid_from for row in found.values()} == {date(2027, 1, 1)}
    assert all(row.parent is None or row.parent in found for row in found.values())
    assert label("08039020", found, "fr") == (
        "08 FRUITS COMESTIBLES › 0803 Bananes, y compris les plantains, fraîches ou sèches"
        " › 0803 90 Autres › 0803 90 20 Fraîches – Autres"
    )


def test_the_official_workbook_reads_the_same(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Combined Nomenclature 2027"])
    for line in PUBLISHED.splitlines():
        sheet.append(line.split(";"))
    book.save(tmp_path / "cn.xlsx")
    assert parse_official(tmp_path / "cn.xlsx", 2027) == parse_official(published(tmp_path), 2027)


def test_one_row_for_each_language_is_read_too(tmp_path: Path) -> None:
    text = "Goods code,Language,Hier. Pos.,Indent,Description\n"
    for language, heading, leaf in (("EN", "Natural honey", "Natural honey"), ("FR", "Miel naturel", "Miel naturel")):
        text += f"0409000000 80,{language},4,,{heading}\n0409000000 10,{language},8,-,{leaf} :\n"
        text += f"0409000010 80,{language},10,--,national\n0410900000 80,{language},8,--,{leaf} 2\n"
    found = {row.code: row for row in parse_official(published(tmp_path, text), 2027)}
    assert found["0409"].name_fr == "Miel naturel"
    assert "04090000" not in found
    assert found["04109000"].name_fr == "Miel naturel – Miel naturel 2"


def test_a_new_year_adds_closes_and_rewords(tmp_path: Path) -> None:
    change = renew(rows(), parse_official(published(tmp_path), 2027), 2027)
    assert {row.code for row in change.added} == {"08039011", "08039020"}
    assert "08039019" in {row.code for row in change.closed}
    assert {row.valid_to for row in change.closed} == {date(2026, 12, 31)}
    assert all(row.level == 8 for row in change.closed)
    assert "08039090" in {row.code for row in change.reworded}
    after = {(row.code, row.valid_from): row for row in rows()}
    after |= {(row.code, row.valid_from): row for row in (*change.added, *change.closed, *change.reworded)}
    again = renew(after.values(), parse_official(published(tmp_path), 2027), 2027)
    assert (again.added, again.closed, again.reworded) == ((), (), ())


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("a;b\n1;2\n", "no_code_column", 0),
        ("Code;Text EN\n08;Fruit\n", "no_eight_digit_codes", 0),
        ("Code;Text EN\n04090000;Honey\n04090000;Wax\n", "code_twice", 3),
    ],
)
def test_a_file_that_is_no_nomenclature_is_refused(tmp_path: Path, text: str, code: str, line: int) -> None:
    with pytest.raises(OfficialFileRefused) as refused:
        parse_official(published(tmp_path, text), 2027)
    assert (refused.value.code, refused.value.line) == (code, line)


def test_a_file_in_another_encoding_or_no_workbook_is_refused(tmp_path: Path) -> None:
    latin = tmp_path / "latin.csv"
    latin.write_bytes("Code;Text FR\n04090000;Œuf é\n".encode("cp1252"))
    with pytest.raises(OfficialFileRefused, match="not_utf8"):
        parse_official(latin, 2027)
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(b"PK")
    with pytest.raises(OfficialFileRefused, match="not_a_workbook"):
        parse_official(broken, 2027)
