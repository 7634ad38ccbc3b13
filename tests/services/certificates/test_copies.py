"""Copies of extracts and of any certificate: their text is the record, and whoever holds one can check it."""

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as some

from services.certificates import copies, offline
from services.certificates.pades import LocalSeals
from services.certificates.print.coverage import MISSING, plain
from services.certificates.print.speech import Speech
from services.certificates.verify_pdf import wrong_with
from shared.kit.keys import keyring
from shared.rules.boxes import Model
from shared.rules.extracts import EXTRACT_BOXES
from shared.rules.status import Status
from shared.words import say
from tests.services.certificates import world
from tests.services.certificates.batches import TWO_LINES, base, begun, move, part
from tests.services.certificates.conftest import House
from tests.services.certificates.test_pdf import authorities, copy, text_of
from tests.services.certificates.world import BODY, CONSIGNEE, EXPORTER, IMPORTER, POST, STRANGER
from tests.services.conftest import PassportOffice


async def sheet(house: House, extract: str, language: str = "en", by: str = IMPORTER) -> bytes:
    """The PDF of an extract as this organisation gets it."""
    answer = await house.door(by).get(f"/extracts/{extract}/pdf", params={"language": language})
    assert answer.status_code == 200, answer.text
    return answer.content


async def received(house: House) -> str:
    """An extract with both its signatures; its id."""
    extract = await begun(house, await base(house))
    for action, by in (("submit", IMPORTER), ("verify", POST), ("receive", CONSIGNEE)):
        await move(house, extract, action, by)
    return extract


# ── extracts ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_the_copy_of_an_extract_says_what_its_record_says(house: House, language: str) -> None:
    said = text_of(await sheet(house, await received(house), language))
    for box in EXTRACT_BOXES:
        assert re.sub(r"\s+", " ", say(box.title, language)) in said, box
    for expected in ("COI.MA.2026.0000001-E01", "Garonne Bio", "Pyrénées Bio Import", "Perpignan", "L-1", "0804 10 00"):
        assert expected in said
    for expected in ("Person of Perpignan", "Person of Garonne Bio", {"en": "100 kg", "fr": "100 kg"}[language]):
        assert expected in said
    assert {"en": "Extract of COI.MA.2026.0000001", "fr": "Extrait de COI.MA.2026.0000001"}[language] in said
    assert {"en": "1,000 kg", "fr": "1 000 kg"}[language] in said
    assert {"en": "(advanced) of Perpignan", "fr": "(avancé) de Perpignan"}[language] in said


async def test_an_extract_that_is_no_release_yet_or_no_longer_is_watermarked(house: House) -> None:
    certificate = await base(house)
    extract = await begun(house, certificate)
    assert "DRAFT" in text_of(await sheet(house, extract))
    await move(house, extract, "submit", IMPORTER)
    assert "NOT ENDORSED" in text_of(await sheet(house, extract))
    await move(house, extract, "delete", IMPORTER)
    assert "DELETED" in text_of(await sheet(house, extract))
    refused = await begun(house, certificate)
    await move(house, refused, "submit", IMPORTER)
    await move(house, refused, "reject", POST)
    assert "NOT RELEASED" in text_of(await sheet(house, refused))


async def test_a_consignees_copy_holds_nothing_of_the_other_batches(house: House) -> None:
    certificate = await base(house, product_lines=TWO_LINES, gross_weight={"value": "2200", "unit": "KGM"})
    mine = await begun(house, certificate)
    other = await begun(house, certificate, consignee=STRANGER, product_lines=part(5, "50", number=2))
    for each in (mine, other):
        await move(house, each, "submit", IMPORTER)
    file = await sheet(house, mine, by=CONSIGNEE)
    for hidden in ("Vaysse", "L-2", "Tafilalet", "CSQU3054383"):
        assert hidden not in text_of(file)
        assert hidden.encode() not in file
    assert (await house.door(STRANGER).get(f"/extracts/{mine}/pdf")).status_code == 404
    assert (await house.door(EXPORTER).get(f"/extracts/{mine}/pdf")).status_code == 404


async def test_an_extract_is_sealed_by_the_authority_that_released_it(house: House) -> None:
    extract = await received(house)
    file = await sheet(house, extract)
    assert file == await sheet(house, extract)
    published = await house.get(EXPORTER, "/signing-keys")
    assert await asyncio.to_thread(wrong_with, file, published) == []
    broken = file.replace(b"/Title", b"/Tytle", 1)
    assert await asyncio.to_thread(wrong_with, broken, published) != []


# ── any certificate ───────────────────────────────────────────────────────────────────────────────────────────────

LETTERS = some.text(
    some.characters(codec="utf-8", categories=("Lu", "Ll", "Nd"), min_codepoint=0x30, max_codepoint=0x4FF).filter(
        lambda sign: plain(sign) != MISSING
    ),
    min_size=1,
    max_size=30,
)
GOODS: Any = some.builds(
    dict,
    trade_name=LETTERS,
    lot=LETTERS,
    packages=some.integers(1, 10**6),
    net_weight=some.decimals("0.001", "99999.999", places=3).map(str),
)


def squeezed(text: str) -> str:
    """A text without its spaces: where a line breaks says nothing."""
    return re.sub(r"\s+", "", text)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.generate],
)
@given(
    goods=some.lists(GOODS, min_size=1, max_size=12),
    reference=LETTERS,
    boxes=some.lists(LETTERS, max_size=4, unique=True),
    ship=LETTERS,
    model=some.sampled_from(Model),
    language=some.sampled_from(["fr", "en"]),
)
async def test_the_text_of_any_copy_is_its_record(
    house: House, goods: list[dict[str, Any]], reference: str, boxes: list[str], ship: str, model: Model, language: str
) -> None:
    lines = [world.line(place, **each) for place, each in enumerate(goods, 1)]
    transport = {"mode": "1", "identification": ship, "document": "BL-1"}
    content = world.boxes(product_lines=lines, national_reference=reference, seals=boxes, transport=transport)
    certificate = await house.drafted(content, model=model)
    said = squeezed(text_of(await copy(house, certificate, language)))
    speech = Speech(language)
    for line in lines:
        expected = [line["trade_name"], line["lot"], speech.number(line["packages"])]
        expected.append(f"{speech.number(line['net_weight'])} kg")
        assert all(squeezed(each) in said for each in expected), (line, said)
    assert all(squeezed(each) in said for each in (reference, ship, *boxes))


async def test_names_in_other_scripts_are_printed_or_shown_as_missing(house: House) -> None:
    names = "Ελαιόλαδο Аргания ხილი ፍራፍሬ 海枣 ナツメヤシ 대추야자 תמר"
    odd = world.line(trade_name=f"{names} \U0001f334\ue000", lot="تمر")
    file = await copy(house, await house.draft(product_lines=[odd]))
    said = text_of(file)
    for name in names.split()[:-1]:
        assert name in said
    assert MISSING * 2 in said
    assert len(file) < 400_000  # only what is used is in the file


# ── checking ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_genuine_file_tells_what_its_certificate_is_now_and_any_other_tells_nothing(
    house: House, passports: PassportOffice
) -> None:
    certificate = await house.at(Status.ISSUED)
    file = await copy(house, certificate)
    ours = passports.service("portal")

    async def ask(body: bytes) -> dict[str, Any]:
        answer = await house.door(EXPORTER).post("/public/verify/file", content=body, headers=ours)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    seen = await ask(file)
    assert (seen["is_copy"], seen["sealed"], seen["intact"], seen["ours"], seen["wrong"]) == (
        True,
        True,
        True,
        True,
        [],
    )
    assert (seen["sealed_by"], seen["certificate"]["presented"]) == ("ECOCERT SA", "current")
    await house.edit(certificate, IMPORTER, first_consignee=STRANGER)
    assert (await ask(file))["certificate"]["presented"] == "older"
    flipped = bytearray(file)
    flipped[len(file) // 2] ^= 1
    wrong = await ask(bytes(flipped))
    assert (wrong["ours"] and wrong["intact"], wrong["certificate"], wrong["sealed_by"]) == (False, None, None)
    draft = await ask(await copy(house, await house.draft()))
    assert (draft["is_copy"], draft["sealed"], draft["certificate"]) == (True, False, None)
    for strange in (b"", b"hello", b"%PDF-1.7 and nothing more", b"%PDF-1.7\n" + bytes(range(256)) * 200):
        answer = await ask(strange)
        assert (answer["is_copy"], answer["certificate"]) == (False, None)
    door = house.door(EXPORTER)
    assert (await door.post("/public/verify/file", content=file)).status_code == 401
    assert (
        await door.post("/public/verify/file", content=b"%PDF-" + b"0" * 6_000_000, headers=ours)
    ).status_code == 413


async def test_the_public_page_of_an_extract(house: House, passports: PassportOffice) -> None:
    extract = await received(house)
    codes = keyring(house.around.settings.codec_key_file, "verification-codes")
    wanted: dict[str, str | int] = {
        "number": "coi.ma.2026.0000001-e01", "code": copies.code_of(extract, codes), "revision": 2,
    }  # fmt: skip
    seen = (await house.door(EXPORTER).get("/public/verify", params=wanted, headers=passports.service("portal"))).json()
    assert (seen["number"], seen["status"]) == ("COI.MA.2026.0000001-E01", "EXT_CONSIGNEE_SIGNED")
    assert (seen["extract_of"], seen["certificate_status"]) == ("COI.MA.2026.0000001", "BASE_FOR_EXTRACT")
    assert (seen["presented"], seen["issuing_body"]) == ("older", "ECOCERT SA")
    assert seen["endorsed_at"]
    for unsaid in ("Person", "Garonne", "Pyrénées"):
        assert unsaid not in json.dumps(seen, ensure_ascii=False)


async def statement_of(house: House, certificate: str) -> str:
    """The text of the second square code on a copy."""
    codes = keyring(house.around.settings.codec_key_file, "verification-codes")
    press = copies.Press(house.activities.seals, codes, "https://portal.example", demo=False)
    row = await house.row(certificate)
    async with house.database.transaction() as session:
        return (await copies.copy_of(session, row, world.person(BODY), house.clock(), "en", press)).statement


async def test_a_square_code_is_checked_by_the_page_and_by_the_command(
    house: House, passports: PassportOffice, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    certificate = await house.at(Status.ISSUED)
    statement = await statement_of(house, certificate)
    ours = passports.service("portal")

    async def ask(text: str) -> dict[str, Any]:
        answer = await house.door(EXPORTER).post("/public/verify/statement", json={"statement": text}, headers=ours)
        return dict(answer.json())

    seen = await ask(statement)
    assert (seen["genuine"], seen["number"], seen["status"], seen["by"]) == (
        True, "COI.MA.2026.0000001", "ISSUED", "ECOCERT SA",
    )  # fmt: skip
    for wrong in ("", "BDR1.x.y.z", statement[:-3] + "AAA", statement.replace("BDR1", "BDR2"), "a.b.c.d", "é" * 900):
        assert await ask(wrong) == {**dict.fromkeys(seen), "genuine": False}
    keys, text = tmp_path / "keys.json", tmp_path / "square.txt"
    keys.write_text(json.dumps(await house.get(EXPORTER, "/signing-keys")))
    text.write_text(statement)
    assert offline.main([str(text), statement], keys) == 0
    assert "COI.MA.2026.0000001 was ISSUED in revision 3" in capsys.readouterr().out
    assert offline.main([statement]) == 1
    assert offline.main([statement[:-3] + "AAA"], keys) == 1


async def test_the_command_checks_copies_and_journals_by_what_they_are(
    house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    certificate = await house.at(Status.ISSUED)
    journal = (await house.door(EXPORTER).get(f"/certificates/{certificate}/journal/export")).content
    good, bad, other = tmp_path / "copy.bin", tmp_path / "changed.pdf", tmp_path / "journal.pdf"
    good.write_bytes(file := await copy(house, certificate))
    bad.write_bytes(file[:-40] + b"x" + file[-39:])
    other.write_bytes(journal)
    assert await asyncio.to_thread(offline.main, [str(good), str(other)]) == 0
    out = capsys.readouterr().out
    assert "3 lines, 1 signatures" in out
    assert "COI.MA.2026.0000001 in revision 3, 1 signatures, sealed by ECOCERT SA on 2026-" in out
    assert offline.UNCOMPARED in out
    assert await asyncio.to_thread(offline.main, [str(good), str(bad), str(tmp_path / "absent")]) == 1
    out = capsys.readouterr().out
    assert out.count("NOT in order") == 2
    assert "absent: NOT in order\n  there is no such file" in out
    (strange := tmp_path / "strange").write_bytes(b"")
    assert offline.main([str(strange)]) == 1
    assert offline.STRANGE in capsys.readouterr().out
    assert offline.main([str(other)], tmp_path / "absent") == 1
    assert "no published keys" in capsys.readouterr().out


async def test_the_second_opinion_imports_nothing_of_ours_and_ends_when_a_file_wants_too_much(house: House) -> None:
    program = "services.certificates.seal_check"
    loaded = f"import sys, {program}; print(*(n for n in sys.modules if n.split('.')[0] in ('services', 'shared')))"
    run = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", loaded], capture_output=True, check=True)
    assert set(run.stdout.decode().split()) == {"services", "services.certificates", program}
    certificate = await house.at(Status.ISSUED)
    file = await copy(house, certificate)
    bomb = file + b"\n" + b"1 0 obj\n<<>>\nendobj\n" * 1000
    roots = LocalSeals(keyring(house.around.settings.codec_key_file, "file-seals")).authorities()
    assert roots == authorities(house)
    with pypdfium2.PdfDocument(file) as opened:
        assert len(opened) >= 1
    assert await asyncio.to_thread(wrong_with, bomb) != []
