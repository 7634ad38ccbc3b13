"""The printed certificate: its text is the record, one revision gives one file, its seal is seen to break."""

import asyncio
import json
import re
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path
from random import Random

import pypdfium2
import pytest
from asn1crypto import cms
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from services.certificates import copies, pdf
from services.certificates.pades import LocalSeals
from services.certificates.print.words import WATERMARKS, sentences
from services.certificates.seal_check import check
from services.certificates.statements import statement_said
from services.certificates.verify_pdf import wrong_with
from shared.kit.keys import Keyring, keyring
from shared.reference.categories import categories
from shared.rules.boxes import PRINTED, Model
from shared.rules.status import Status
from shared.words import catalogue, say
from tests.services.certificates import world
from tests.services.certificates.conftest import House
from tests.services.certificates.world import BODY, EXPORTER, IMPORTER, POST, STRANGER
from tests.services.conftest import PassportOffice


async def copy(house: House, certificate_id: str, language: str = "en", by: str = EXPORTER) -> bytes:
    """The PDF as this organisation gets it."""
    answer = await house.door(by).get(f"/certificates/{certificate_id}/pdf", params={"language": language})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    return answer.content


def text_of(file: bytes) -> str:
    """The text of a PDF as another program reads it, in one line."""
    pages = [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(file)]
    return re.sub(r"\s+", " ", " ".join(pages))


def judged(file: Path) -> str:
    """What an independent program says of the seal."""
    return subprocess.run(["pdfsig", str(file)], capture_output=True, timeout=30, check=False).stdout.decode()


def fits(file: bytes) -> list[bool]:
    """Whether each signature of a file fits what it covers: read by hand, reckoned by OpenSSL, without pyHanko."""
    found = []
    for match in re.finditer(rb"/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]", file):
        first, length, second, rest = (int(each) for each in match.groups())
        covered = file[first : first + length] + file[second : second + rest]
        shell = file[first + length : second].strip(b"<>")
        signed = cms.ContentInfo.load(bytes.fromhex(shell.decode()))["content"]
        signer = signed["signer_infos"][0]
        said = {each["type"].native: each["values"][0] for each in signer["signed_attrs"]}
        if signed["encap_content_info"]["content_type"].native == "tst_info":
            imprint = signed["encap_content_info"]["content"].parsed["message_imprint"]["hashed_message"].native
            right = imprint == sha256(covered).digest()
            covered = signed["encap_content_info"]["content"].contents
        else:
            right = True
        right &= said["message_digest"].native == sha256(covered).digest()
        serial = signer["sid"].chosen["serial_number"].native
        named = next(each.chosen for each in signed["certificates"] if each.chosen.serial_number == serial)
        key = x509.load_der_x509_certificate(named.dump()).public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        attributes = b"\x31" + signer["signed_attrs"].dump()[1:]  # signed as a set, sent as a field
        try:
            key.verify(signer["signature"].native, attributes, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            right = False
        found.append(right)
    return found


def authorities(house: House) -> list[bytes]:
    """The certificates whose seals count as this installation's."""
    return LocalSeals(keyring(house.around.settings.codec_key_file, "file-seals")).authorities()


def press(house: House) -> copies.Press:
    """What copies are printed with here."""
    codes = keyring(house.around.settings.codec_key_file, "verification-codes")
    return copies.Press(house.activities.seals, codes, "https://portal.example", demo=False)


def test_every_printed_sentence_is_in_french_and_none_is_left_over() -> None:
    french = catalogue(pdf.HERE / "fr.po")
    assert set(french) == set(sentences())
    holes = re.compile(r"\{\w+\}")
    assert all(sorted(holes.findall(each)) == sorted(holes.findall(said)) for each, said in french.items())


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("model", list(Model))
async def test_a_copy_says_what_the_record_says(house: House, language: str, model: Model) -> None:
    lines = [
        {**world.line(number, trade_name=f"Dattes « {number} » Ω", lot=f"L/{number}-é"), "organic": "organic"}
        for number in (1, 2)
    ]
    if model is Model.COI_2017:
        lines = [{name: value for name, value in line.items() if name != "organic"} for line in lines]
    certificate = await house.drafted(world.boxes(product_lines=lines, national_reference="N-7"), model=model)
    said = text_of(await copy(house, certificate, language))
    for row in PRINTED:
        if row.model is model:
            assert re.sub(r"\s+", " ", say(row.title, language)) in said, row
    for expected in ("ECOCERT SA MA-BIO-154", "Atlas Bio Export", "Pyrénées Bio Import", "N-7", "Dattes « 2 » Ω"):
        assert expected in said
    for expected in ("L/1-é", "CSQU3054383", "MV Tanger", "0804 10 00", "S-1"):
        assert expected in said
    assert said.count(categories()["a"].name(language)) == (model is Model.COI_2022)  # once, over its lines
    assert {"en": "DRAFT", "fr": "BROUILLON"}[language] in said
    assert {"en": "2,000 kg", "fr": "2 000 kg"}[language] in said


async def test_the_same_revision_gives_the_same_file_and_another_another(house: House) -> None:
    certificate = await house.draft()
    first = await copy(house, certificate)
    house.clock.forward(minutes=5)
    assert await copy(house, certificate) == first
    await house.edit(certificate, EXPORTER, national_reference="N-8")
    assert await copy(house, certificate) != first


async def test_signatures_and_what_was_changed_after_them_are_printed(house: House) -> None:
    certificate = await house.at(Status.ISSUED)
    await house.edit(certificate, IMPORTER, first_consignee=STRANGER)
    said = text_of(await copy(house, certificate))
    assert "Person of ECOCERT SA" in said
    assert "20 November 2026, 13:00 (UTC+1)" in said
    assert "after the issuing body had signed" in said
    assert "COI.MA.2026.0000001" in said
    assert "(advanced) of ECOCERT SA" in said
    assert "qualified" not in said


async def test_what_is_no_certificate_or_no_longer_is_watermarked_and_names_its_successor(house: House) -> None:
    marks = [
        (Status.DRAFT, (), "DRAFT"),
        (Status.DESCRIPTION_COMPLETED, (), "NOT ISSUED"),
        (Status.DESCRIPTION_COMPLETED, (("delete", BODY),), "DELETED"),
        (Status.ISSUED, (("reject", POST),), "NOT RELEASED"),
        (Status.ISSUED, (), None),
    ]
    assert {mark for *_, mark in marks} == {WATERMARKS.get(each) for each in Status if each is not Status.REPLACED}
    for status, moves, mark in marks:
        certificate = await house.at(status)
        for action, by in moves:
            await house.move(certificate, action, by)
        said = text_of(await copy(house, certificate))
        assert ("Not signed yet" in said) == (mark in (None, "DRAFT", "NOT ISSUED")), status
        assert {each for each in WATERMARKS.values() if each in said} == ({mark} if mark else set()), status
    await house.move(certificate, "replace", BODY, form={"reason": "a wrong lot number"})
    original = await house.row(certificate)
    successor = str(original.replaced_by)
    await house.move(successor, "sign", BODY)
    await house.ring(certificate)
    old, new = text_of(await copy(house, certificate)), text_of(await copy(house, successor))
    number = (await house.row(successor)).number
    assert f"Replaced by {number}" in old
    assert "REPLACED" in old
    assert f"Replaces {original.number}" in new
    assert "REPLACED" not in new


def test_no_sentence_of_ours_calls_a_seal_qualified() -> None:
    places = [*Path("services").rglob("*.po"), *Path("services").rglob("*.html"), *Path("shared").rglob("*.po")]
    assert len(places) > 50
    for each in places:
        assert not re.search(r"\bqualifi(ed|é)", each.read_text(encoding="utf-8")), each
    assert not any("qualified" in each for each in sentences())


async def test_signs_no_font_has_are_shown_as_such(house: House) -> None:
    odd = world.line(trade_name="تمر 枣 \U0001f334 \ue000", lot="ß")
    said = text_of(await copy(house, await house.draft(product_lines=[odd])))
    assert "枣" in said
    assert "\ufffd \ufffd" in said


async def test_only_who_sees_the_whole_certificate_gets_a_copy(house: House) -> None:
    certificate = await house.at(Status.ISSUED)
    answer = await house.door(STRANGER).get(f"/certificates/{certificate}/pdf")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await house.door(EXPORTER).get(f"/certificates/{certificate}/pdf?language=xx")).status_code == 422


async def test_the_seal_fits_for_us_and_for_another_program(house: House, tmp_path: Path) -> None:
    certificate = await house.at(Status.ISSUED)
    file = await copy(house, certificate, by=BODY)
    assert await copy(house, certificate, by=BODY) == file
    checked = await check(file, authorities(house))
    assert (checked.sealed, checked.intact, checked.trusted, checked.wrong) == (True, True, True, ())
    assert checked.by == "ECOCERT SA"
    record = json.loads(checked.files["certificate.json"])
    assert record["document"]["revision"] == (await house.row(certificate)).revision
    for signature in record["signatures"]:
        assert f"sealed-{signature['statement']['fingerprint']}.json" in checked.files
    last = file[file.rindex(b"<x:xmpmeta") :]  # the metadata after seal and time stamp
    assert all(said in last for said in (b'pdfaid:part="3"', b'pdfaid:conformance="A"', b'pdfuaid:part="1"'))
    assert all(said in file for said in (b"/GTS_PDFA1", b"/AFRelationship/Source", b"/AFRelationship/Alternative"))
    assert fits(file) == [True, True]  # the seal, and the time stamp over all of it
    flipped = file.replace(b"/Title", b"/Tytle", 1)
    assert fits(flipped) == [False, False]
    (tmp_path / "copy.pdf").write_bytes(file)
    if shutil.which("pdfsig"):  # poppler-utils, where it is installed
        said = judged(tmp_path / "copy.pdf")
        assert "Signature is Valid" in said
        assert "ETSI.CAdES.detached" in said


async def test_one_flipped_bit_anywhere_is_found(house: House) -> None:
    file = await copy(house, await house.at(Status.ISSUED))
    known = authorities(house)
    places = {*Random(7).sample(range(len(file)), 25), 0, len(file) - 1}
    for place in sorted(places):
        broken = bytearray(file)
        broken[place] ^= 1
        checked = await check(bytes(broken), known)
        assert not (checked.intact and checked.trusted), place
    assert (await check(file + b"\n", known)).wrong == ("changed_after",)
    assert (await check(b"no PDF", known)).wrong == ("not_a_pdf",)


async def test_a_copy_is_checked_without_network(house: House) -> None:
    file = await copy(house, await house.at(Status.ISSUED))
    published = await house.get(EXPORTER, "/signing-keys")
    assert await asyncio.to_thread(wrong_with, file, published) == []
    assert await asyncio.to_thread(wrong_with, file, {"keys": []}) != []
    broken = file.replace(b"/Title", b"/Tytle", 1)
    assert await asyncio.to_thread(wrong_with, broken, published) != []


async def test_another_installations_seal_is_not_ours(house: House, tmp_path: Path) -> None:
    file = await copy(house, await house.at(Status.ISSUED))
    strange = LocalSeals(keyring(tmp_path / "elsewhere.key", "file-seals")).authorities()
    checked = await check(file, strange)
    assert (checked.intact, checked.trusted, checked.wrong) == (True, False, ("not_ours",))


async def test_number_and_code_open_the_public_view_and_nothing_else_does(
    house: House, passports: PassportOffice
) -> None:
    certificate = await house.at(Status.ISSUED)
    row = await house.row(certificate)
    codes = keyring(house.around.settings.codec_key_file, "verification-codes")
    code = copies.code_of(certificate, codes)
    door = house.door(EXPORTER)
    ours = passports.service("portal")

    async def ask(number: str, code: str, **more: int) -> tuple[int, dict[str, object]]:
        wanted: dict[str, str | int] = {"number": number, "code": code, **more}
        answer = await door.get("/public/verify", params=wanted, headers=ours)
        return answer.status_code, answer.json()

    status, seen = await ask(str(row.number).lower(), code.replace("-", " ").lower(), revision=row.revision)
    assert (status, seen["status"], seen["presented"], seen["issuing_body"]) == (200, "ISSUED", "current", "ECOCERT SA")
    assert "Person" not in json.dumps(seen)
    assert "Atlas" not in json.dumps(seen)
    assert (await ask(str(row.number), code, revision=1))[1]["presented"] == "older"
    assert (await ask(str(row.number), code, revision=99))[1]["presented"] == "unknown"
    wrong = await ask(str(row.number), "00000-00000")
    missing = await ask("COI.MA.2026.9999999", code)
    assert wrong[0] == missing[0] == 404
    assert {**wrong[1], "correlation": ""} == {**missing[1], "correlation": ""}
    assert (await door.get("/public/verify", params={"number": "a", "code": "b"})).status_code == 401


async def test_the_square_code_is_checked_without_network(house: House) -> None:
    certificate = await house.at(Status.ISSUED)
    async with house.database.transaction() as session:
        row = await house.row(certificate)
        made = await copies.copy_of(
            session,
            row,
            world.person(BODY),
            house.clock(),
            "en",
            press(house),
        )
    published = await house.get(EXPORTER, "/signing-keys")
    said = statement_said(made.statement, published)
    assert (said["n"], said["r"], said["s"]) == (row.number, row.revision, "ISSUED")
    with pytest.raises(ValueError, match="signature"):
        statement_said(made.statement[:-4] + "AAAA", published)
    with pytest.raises(ValueError, match="key"):
        statement_said(made.statement, {"keys": []})
    assert made.address.startswith("https://portal.example/verify/COI.MA.2026.0000001?c=")


def test_a_seal_says_when_it_was_set() -> None:
    seals = LocalSeals(Keyring({"a": b"1" * 32}, "file-seals"))
    assert len(seals.authorities()) == 1
    assert asyncio.run(check(b"%PDF-1.7", seals.authorities())).wrong in (("not_a_pdf",), ("no_seal",))
