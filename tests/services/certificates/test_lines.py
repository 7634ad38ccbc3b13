"""Lines from a spreadsheet: every wrong cell is named, nothing is half taken over, and what goes out comes in again."""

from io import BytesIO
from typing import Any

import httpx2
import pytest
from openpyxl import Workbook, load_workbook

from services.certificates import sheets_of_lines
from shared.rules.boxes import Model
from shared.rules.refusals import Refused
from shared.rules.status import Status
from tests.services.certificates import world
from tests.services.certificates.conftest import House, fresh

SHEET = (
    "Code NC;Nom commercial;Numéro de lot;Nombre de colis;Type d'emballage;Poids net;Unité;"
    "Producteur;Organisme de contrôle du producteur\n"
    "0804 10 00;Dattes Medjool;L-1;480;CT;2 400,5;kg;Coopérative du Souss;MA-BIO-154\n"
    '08044000;Avocats;L-2;120;Carton;"1.200,25";KGM;coopérative du souss;ma-bio-154\n'
)
WRONG = """cn_code,trade_name,packages,net_weight,unit,producer,colour
08041000,Dates,12,100,KGM,Coopérative du Souss,brown
99999999,Nothing,twelve,-3,stone,Nobody at all,red
,No code,0,1.5,KGM,ECOCERT SA,blue
"""


def book(rows: list[list[Any]]) -> bytes:
    """A workbook with these cells."""
    made = Workbook()
    for row in rows:
        made.active.append(row)
    out = BytesIO()
    made.save(out)
    return out.getvalue()


async def take(house: House, by: str, certificate_id: str, body: bytes, key: str = "", **more: Any) -> httpx2.Response:
    """A sheet for a certificate, on the newest revision."""
    revision = (await house.row(certificate_id)).revision
    return await house.door(by).post(
        f"/certificates/{certificate_id}/lines",
        params={"revision": revision, **more},
        content=body,
        headers={"Idempotency-Key": key or fresh()},
    )


def lines_of(answer: httpx2.Response) -> list[list[Any]]:
    """The lines of a certificate as the door shows it."""
    assert answer.status_code == 200, answer.text
    parts = ("cn_code", "trade_name", "lot", "packages", "package_type", "net_weight", "unit", "producer")
    return [[line.get(part) for part in parts] for line in answer.json()["content"]["product_lines"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
async def test_a_sheet_is_taken_over_as_people_write_it(house: House, encoding: str) -> None:
    answer = await take(house, world.EXPORTER, await house.draft(), SHEET.encode(encoding))
    assert lines_of(answer) == [
        ["08041000", "Dattes Medjool", "L-1", 480, "CT", "2400.5", "KGM", world.PRODUCER],
        ["08044000", "Avocats", "L-2", 120, "CT", "1200.25", "KGM", world.PRODUCER],
    ]
    assert answer.json()["content"]["product_lines"][0]["producer_control_body"] == world.BODY


async def test_a_workbook_and_pasted_cells_say_the_same(house: House) -> None:
    head: list[object] = ["CN code", "Trade name", "Lot", "Packages", "Package type", "Net weight", "Unit"]
    rows: list[list[object]] = [[8041000, "Dates", 118, 480, "CT", 2400.1, "kg"]]
    from_book = await take(house, world.EXPORTER, await house.draft(), book([head, *rows]))
    pasted = "\n".join("\t".join(str(each) for each in row) for row in [head, *rows])
    from_paste = await take(house, world.EXPORTER, await house.draft(), pasted.encode())
    assert lines_of(from_book) == lines_of(from_paste)
    assert lines_of(from_book)[0][:6] == ["08041000", "Dates", "118", 480, "CT", "2400.1"]


async def test_every_wrong_cell_is_named_and_nothing_is_taken_over(house: House) -> None:
    certificate_id = await house.draft()
    before = await house.digest()
    answer = await take(house, world.EXPORTER, certificate_id, WRONG.encode())
    assert (answer.status_code, answer.json()["code"]) == (422, "sheet_wrong")
    assert answer.headers["content-type"] == "application/problem+json"
    problems = answer.json()["problems"]
    found = [(each["params"]["row"], each["params"]["column"], each["code"]) for each in problems]
    assert found == [
        (1, "G", "unknown_column"),
        (3, "A", "unknown_commodity"),
        (3, "C", "not_count"),
        (3, "D", "weight_not_positive"),
        (3, "E", "not_unit"),
        (3, "F", "organisation_not_found"),
        (4, "A", "needed"),
        (4, "C", "packages_not_positive"),
        (4, "F", "organisation_not_found"),
    ]
    paths = ["", *(["[1].cn_code", "[1].packages", "[1].net_weight", "[1].unit", "[1].producer"])]
    paths += ["[2].cn_code", "[2].packages", "[2].producer"]
    assert [each["field"] for each in problems] == [f"product_lines{path}" for path in paths]
    assert answer.json()["params"]["number"] == len(problems)
    assert all(each["message"] and "{" not in each["message"] for each in answer.json()["problems"])
    assert await house.digest() == before


async def test_sheets_are_said_wrong_in_french(house: House) -> None:
    answer = await house.door(world.EXPORTER, "fr").post(
        f"/certificates/{await house.draft()}/lines",
        params={"revision": 1},
        content=WRONG.encode(),
        headers={"Idempotency-Key": fresh()},
    )
    assert "Rien n’a été repris" in answer.json()["title"]
    assert any(
        "Personne dans l’annuaire ne s’appelle Nobody at all" in each["message"] for each in answer.json()["problems"]
    )


async def test_lines_come_in_the_place_of_the_old_or_after_them(house: House) -> None:
    certificate_id = await house.draft()
    assert len(lines_of(await take(house, world.EXPORTER, certificate_id, SHEET.encode(), more="true"))) == 3
    assert len(lines_of(await take(house, world.EXPORTER, certificate_id, SHEET.encode()))) == 2


async def test_what_goes_out_comes_in_again(house: House) -> None:
    certificate_id = await house.draft()
    await take(house, world.EXPORTER, certificate_id, SHEET.encode())
    before = (await house.row(certificate_id)).content["product_lines"]
    for kind in ("csv", "xlsx"):
        for language in ("fr", "en"):
            sheet = await house.door(world.EXPORTER, language).get(f"/certificates/{certificate_id}/lines.{kind}")
            answer = await take(house, world.EXPORTER, certificate_id, sheet.content)
            assert lines_of(answer)
            assert (await house.row(certificate_id)).content["product_lines"] == before


async def test_the_template_can_be_sent_back(house: House) -> None:
    door = house.door(world.EXPORTER, "fr")
    for kind in ("csv", "xlsx"):
        sheet = (await door.get(f"/reference/lines-template.{kind}")).content
        assert lines_of(await take(house, world.EXPORTER, await house.draft(), sheet))[0][0] == "08041000"
    cells = load_workbook(BytesIO(sheet)).worksheets[0]
    assert cells["A2"].value == "08041000"
    assert cells["A1"].value == "Code NC"


async def test_a_cell_that_a_spreadsheet_would_carry_out_stays_text(house: House) -> None:
    certificate_id = await house.draft(product_lines=[world.line(trade_name="=cmd|' /C calc'!A0")])
    sheet = await house.door(world.EXPORTER).get(f"/certificates/{certificate_id}/lines.csv")
    assert "'=cmd" in sheet.text
    assert lines_of(await take(house, world.EXPORTER, certificate_id, sheet.content))[0][1] == "=cmd|' /C calc'!A0"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "file_empty"),
        (b"\n\n", "file_empty"),
        (b"PK\x03\x04 and nothing more", "sheet_kind"),
        (b"\x00\x01\x02\x03", "sheet_kind"),
        (b"a" * (sheets_of_lines.LARGEST + 1), "file_too_large"),
    ],
)
def test_what_is_no_sheet_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(Refused) as refused:
        sheets_of_lines.read(body, Model.COI_2017)
    assert refused.value.code == code


def test_more_lines_than_a_certificate_holds_are_refused() -> None:
    body = "cn_code\n" + "08041000\n" * 501
    found = sheets_of_lines.read(body.encode(), Model.COI_2017)
    assert [each.code for each in found.problems] == ["too_many"]


async def test_who_may_not_change_box_13_takes_nothing_over(house: House) -> None:
    certificate_id = await house.at(Status.ISSUED)
    for by, status in ((world.IMPORTER, 403), (world.POST, 403), (world.STRANGER, 404)):
        assert (await take(house, by, certificate_id, SHEET.encode())).status_code == status
    assert (await house.door(world.STRANGER).get(f"/certificates/{certificate_id}/lines.csv")).status_code == 404


async def test_told_twice_a_sheet_is_taken_over_once(house: House) -> None:
    certificate_id, key = await house.draft(), fresh()
    path = f"/certificates/{certificate_id}/lines"
    for _ in range(2):
        answer = await house.door(world.EXPORTER).post(
            path, params={"revision": 1}, content=SHEET.encode(), headers={"Idempotency-Key": key}
        )
        assert (answer.status_code, answer.json()["revision"]) == (200, 2)
    stale = await house.door(world.EXPORTER).post(
        path, params={"revision": 1}, content=SHEET.encode(), headers={"Idempotency-Key": fresh()}
    )
    assert stale.status_code == 409


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("2 400,5", "2400.5"),
        ("2\u202f400,50", "2400.50"),
        ("2,400.5", "2400.5"),
        ("1.200.300", "1200300"),
        ("12'000", "12000"),
        ("12", "12"),
        (2400.1, "2400.1"),
        (1e3, "1000"),
        ("heavy", "heavy"),
    ],
)
def test_numbers_are_read_as_people_write_them(typed: object, read: str) -> None:
    assert sheets_of_lines._number(typed) == read
