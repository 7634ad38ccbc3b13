"""Documents: what a file really is, who may add, change and read it, what a signature does to it."""

import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from services.certificates import documents
from services.certificates.files import Incoming, plain_name
from services.certificates.objects import FolderObjects, folder_of
from services.certificates.verify import check
from shared.rules.documents import LARGEST, Media
from shared.rules.refusals import Refused
from shared.rules.status import Status
from tests.services.certificates import papers, world
from tests.services.certificates.conftest import JSON, House, fresh

INVOICE = {"type": "380", "number": "F-118", "date": "2026-11-02", "issuer": "Atlas Bio Export"}


async def send(
    house: House, by: str, certificate_id: str, body: bytes = papers.pdf(), name: str = "facture.pdf"
) -> httpx2.Response:
    """A file for a certificate."""
    door = house.door(by)
    return await door.post(f"/certificates/{certificate_id}/uploads", params={"name": name}, content=body)


async def tell(house: House, by: str, path: str, said: dict[str, Any], key: str | None = None) -> httpx2.Response:
    """Something said about documents."""
    return await house.door(by).post(
        path, content=json.dumps(said), headers={"Idempotency-Key": key or fresh(), **JSON}
    )


async def added(house: House, by: str, certificate_id: str, body: bytes = papers.pdf(), **said: Any) -> dict[str, Any]:
    """A document of this organisation on a certificate, as the page shows it afterwards."""
    file = (await send(house, by, certificate_id, body)).json()
    answer = await tell(
        house, by, f"/certificates/{certificate_id}/documents", {**INVOICE, "upload": file["id"], **said}
    )
    assert answer.status_code == 201, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items[-1]


def folder(house: House) -> Path:
    """Where this service keeps its files."""
    return Path(house.around.settings.var) / "documents"


def kept_in(folder: Path) -> list[Path]:
    """Every file in a folder."""
    return [each for each in folder.rglob("*") if each.is_file()]


def files(house: House) -> list[Path]:
    """Everything that is kept."""
    return kept_in(folder(house))


# ── What a file really is ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("body", "media"),
    [
        (papers.pdf(), Media.PDF),
        (papers.png(), Media.PNG),
        (papers.JPEG, Media.JPEG),
        (papers.XML, Media.XML),
        (papers.XML.decode().replace("UTF-8", "UTF-16").encode("utf-16"), Media.XML),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_file_is_what_stands_in_it(body: bytes, media: Media, size: int) -> None:
    incoming = Incoming()
    for start in range(0, len(body), size):
        incoming.take(body[start : start + size])
    assert incoming.finish() is media
    assert (incoming.size, incoming.sha256) == (len(body), hashlib.sha256(body).hexdigest())


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "file_empty"),
        (papers.PROGRAM, "file_kind"),
        (b"number,date\n118,2026-11-02\n" * 9, "file_kind"),
        (papers.pdf()[:-40], "file_damaged"),
        (papers.png()[:-6], "file_damaged"),
        (papers.PAGE, "file_damaged"),
        (papers.XML + b"<more/>", "file_damaged"),
        (b"<a>" * 300 + b"</a>" * 300, "file_damaged"),
        (papers.BOMB, "file_entities"),
        (papers.FETCHES, "file_entities"),
    ],
)
def test_what_is_no_document_is_refused(body: bytes, code: str) -> None:
    incoming = Incoming()
    with pytest.raises(Refused) as refused:  # noqa: PT012
        incoming.take(body)
        incoming.finish()
    assert refused.value.code == code


def test_a_file_is_refused_as_soon_as_it_is_too_large() -> None:
    incoming = Incoming(largest=500)
    incoming.take(papers.pdf()[:499])
    with pytest.raises(Refused) as refused:
        incoming.take(b"xy")
    assert refused.value.code == "file_too_large"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("facture.pdf", "facture.pdf"),
        ("C:\\temp\\Facture n°3.PDF", "Facture n°3.pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        ("trick.exe", "trick.exe.pdf"),
        ("\u202egpj.pdf\n", "gpj.pdf"),
        ("", "document.pdf"),
        ("." * 300, "document.pdf"),
    ],
)
def test_a_name_is_made_harmless(said: str, kept: str) -> None:
    assert plain_name(said, Media.PDF) == kept


# ── Where files lie ───────────────────────────────────────────────────────────────────────────────────────────


async def test_what_breaks_off_leaves_nothing_behind(tmp_path: Path) -> None:
    objects = FolderObjects(tmp_path / "documents")

    async def broken() -> AsyncIterator[bytes]:
        yield b"%PDF-1.7 and then"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await objects.put("8f14e45f-ceea-467f-9f1f-6f3a8c2b4d5e", broken())
    assert kept_in(tmp_path) == []


@pytest.mark.parametrize("key", ["../../etc/passwd", "", "abc", "8f14e45f-ceea-467f-9f1f-6f3a8c2b4d5e/../x"])
async def test_a_key_is_an_id_of_ours(tmp_path: Path, key: str) -> None:
    with pytest.raises(Refused):
        await anext(FolderObjects(tmp_path).get(key))


def test_a_store_nobody_speaks_to_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="ftp"):
        folder_of("ftp://bucket", tmp_path)


# ── Adding, changing, withdrawing ─────────────────────────────────────────────────────────────────────────────


async def test_a_document_is_added_at_any_stage_by_any_party(house: House) -> None:
    certificate_id = await house.draft()
    await added(house, world.EXPORTER, certificate_id)
    await house.move(certificate_id, "submit", world.EXPORTER)
    await added(house, world.IMPORTER, certificate_id, papers.png(), type="705", number="MSK-1")
    await house.move(certificate_id, "sign", world.BODY)
    await house.move(certificate_id, "verify", world.POST)
    await added(house, world.CONSIGNEE, certificate_id, papers.XML, type="271", number="L-1")
    await house.move(certificate_id, "receive", world.CONSIGNEE)
    await added(house, world.POST, certificate_id, papers.JPEG, type="sampling", number="S-1")
    shown = await house.get(world.IMPORTER, f"/certificates/{certificate_id}/documents")
    assert [(each["type"], each["file"]["media"], each["covered"]) for each in shown["items"]] == [
        ("380", "application/pdf", True),
        ("705", "image/png", True),
        ("271", "application/xml", True),
        ("sampling", "image/jpeg", False),
    ]
    actions = [line.action for line in await house.journal(certificate_id)]
    assert actions.count("document_added") == 4
    assert [each["boxes"] for each in await house.told("edited")] == [["documents"]] * 4


async def test_a_type_asks_what_it_needs_all_at_once(house: House) -> None:
    certificate_id = await house.draft()
    file = (await send(house, world.EXPORTER, certificate_id)).json()
    said = {"type": "851", "date": "02/11/2026", "country": "XX", "upload": file["id"]}
    answer = await tell(house, world.EXPORTER, f"/certificates/{certificate_id}/documents", said)
    assert answer.status_code == 422
    found = {each["field"]: each["code"] for each in answer.json()["problems"]}
    assert found == {
        "documents.number": "needed",
        "documents.date": "not_a_day",
        "documents.country": "not_country",
        "documents.issuer": "needed",
    }
    again = {**INVOICE, "upload": file["id"]}
    assert (await tell(house, world.EXPORTER, f"/certificates/{certificate_id}/documents", again)).status_code == 201


async def test_told_twice_it_is_added_once(house: House) -> None:
    certificate_id, key = await house.draft(), fresh()
    file = (await send(house, world.EXPORTER, certificate_id)).json()
    path = f"/certificates/{certificate_id}/documents"
    for _ in range(2):
        answer = await tell(house, world.EXPORTER, path, {**INVOICE, "upload": file["id"]}, key)
        assert answer.status_code == 201
        assert len(answer.json()["items"]) == 1
    other = await tell(house, world.EXPORTER, path, {**INVOICE, "number": "F-119", "upload": file["id"]}, key)
    assert other.json()["code"] == "key_reused"
    spent = await tell(house, world.EXPORTER, path, {**INVOICE, "upload": file["id"]})
    assert (spent.status_code, spent.json()["field"]) == (422, "upload")


async def test_only_who_added_it_may_change_it_and_every_version_is_kept(house: House) -> None:
    certificate_id = await house.at(Status.DESCRIPTION_COMPLETED)
    document = await added(house, world.IMPORTER, certificate_id)
    path = f"/certificates/{certificate_id}/documents/{document['id']}/versions"
    change = {**INVOICE, "number": "F-118 bis", "version": 1}
    assert (await tell(house, world.EXPORTER, path, change)).status_code == 403
    assert (await tell(house, world.IMPORTER, path, {**change, "version": 2})).status_code == 409
    answer = await tell(house, world.IMPORTER, path, change)
    assert answer.status_code == 201, answer.text
    (shown,) = answer.json()["items"]
    assert (shown["version"], shown["number"], shown["earlier"][0]["number"]) == (2, "F-118 bis", "F-118")
    assert shown["file"]["sha256"] == document["file"]["sha256"]


async def test_a_document_is_withdrawn_until_a_signature_covers_it(house: House) -> None:
    certificate_id = await house.at(Status.DESCRIPTION_COMPLETED)
    wrong = await added(house, world.IMPORTER, certificate_id)
    right = await added(house, world.IMPORTER, certificate_id, number="F-119")
    path = f"/certificates/{certificate_id}/documents/%s/withdrawal"
    assert (await tell(house, world.EXPORTER, path % wrong["id"], {"version": 1})).status_code == 403
    answer = await tell(house, world.IMPORTER, path % wrong["id"], {"version": 1, "reason": "another consignment"})
    assert [each["number"] for each in answer.json()["items"]] == ["F-119"]
    assert [each["number"] for each in answer.json()["withdrawn"]] == ["F-118"]
    line = (await house.journal(certificate_id))[-1]
    assert (line.action, line.reason) == ("document_withdrawn", "another consignment")
    await house.move(certificate_id, "sign", world.BODY)
    covered = await tell(house, world.IMPORTER, path % right["id"], {"version": 1})
    assert (covered.status_code, covered.json()["code"]) == (409, "document_covered")
    change = {**INVOICE, "number": "F-119 rectifiée", "version": 1}
    after = await tell(
        house, world.IMPORTER, f"/certificates/{certificate_id}/documents/{right['id']}/versions", change
    )
    (shown,) = after.json()["items"]
    assert (shown["version"], shown["covered"], [each["number"] for each in shown["earlier"]]) == (2, False, ["F-119"])


async def test_a_signature_covers_the_documents_by_their_fingerprints(house: House) -> None:
    certificate_id = await house.at(Status.DESCRIPTION_COMPLETED)
    order = await house.order(certificate_id, "sign", world.BODY)
    document = await added(house, world.EXPORTER, certificate_id)
    late = await house.act(world.BODY, certificate_id, "sign", revision=order.revision, fingerprint=order.fingerprint)
    assert late.json()["code"] == "stale_revision"
    await house.move(certificate_id, "sign", world.BODY)
    export = await house.get(world.BODY, f"/certificates/{certificate_id}/journal/export")
    sealed = [json.loads(each) for each in export["documents"].values()]
    assert sealed[0]["documents"][0]["file"]["sha256"] == document["file"]["sha256"]
    assert check(export) == []


async def test_a_replacement_takes_the_documents_along(house: House) -> None:
    certificate_id = await house.at(Status.ISSUED)
    document = await added(house, world.BODY, certificate_id)
    await house.move(certificate_id, "replace", world.BODY, form={"reason": "wrong lot"})
    successor = (await house.row(certificate_id)).replaced_by
    shown = await house.get(world.BODY, f"/certificates/{successor}/documents")
    (own,) = shown["items"]
    assert own["file"]["id"] == document["file"]["id"]
    assert own["id"] != document["id"]
    answer = await house.door(world.BODY).get(f"/certificates/{successor}/files/{own['file']['id']}")
    assert answer.content == papers.pdf()


# ── Reading ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_file_comes_back_as_it_was_sent_and_is_saved_not_shown(house: House) -> None:
    certificate_id = await house.draft()
    document = await added(house, world.EXPORTER, certificate_id, papers.XML)
    door = house.door(world.EXPORTER)
    answer = await door.get(f"/certificates/{certificate_id}/files/{document['file']['id']}")
    assert answer.content == papers.XML
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["x-sha256"] == hashlib.sha256(papers.XML).hexdigest()


@pytest.mark.parametrize("by", [world.STRANGER, world.PRODUCER, world.CUSTOMS, world.OPS, world.BELGIAN_POST])
async def test_who_is_no_party_finds_nothing(house: House, by: str) -> None:
    certificate_id = await house.at(Status.DESCRIPTION_COMPLETED)
    document = await added(house, world.EXPORTER, certificate_id)
    door, file = house.door(by), document["file"]["id"]
    for path in ("documents", f"files/{file}", f"files/{file}/preview"):
        answer = await door.get(f"/certificates/{certificate_id}/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
    assert (await send(house, by, certificate_id)).status_code == 404
    assert (await tell(house, by, f"/certificates/{certificate_id}/documents", INVOICE)).status_code in (403, 404)


async def test_a_file_is_found_only_on_its_own_certificate(house: House) -> None:
    here, elsewhere = await house.draft(), await house.draft()
    document = await added(house, world.EXPORTER, here)
    door = house.door(world.EXPORTER)
    assert (await door.get(f"/certificates/{elsewhere}/files/{document['file']['id']}")).status_code == 404
    assert (await door.get(f"/certificates/{here}/files/{world.EXPORTER}")).status_code == 404
    loose = (await send(house, world.EXPORTER, here)).json()
    taken = await tell(
        house, world.EXPORTER, f"/certificates/{elsewhere}/documents", {**INVOICE, "upload": loose["id"]}
    )
    assert taken.status_code == 422


async def test_one_flipped_byte_is_found(house: House) -> None:
    certificate_id = await house.draft()
    document = await added(house, world.EXPORTER, certificate_id)
    (file,) = files(house)
    body = bytearray(file.read_bytes())
    body[200] ^= 1
    file.write_bytes(body)
    for path in (document["file"]["id"], f"{document['file']['id']}/preview"):
        answer = await house.door(world.EXPORTER).get(f"/certificates/{certificate_id}/files/{path}")
        assert (answer.status_code, answer.json()["code"]) == (500, "file_altered")


async def test_a_preview_shows_the_first_page(house: House) -> None:
    certificate_id = await house.draft()
    document = await added(house, world.EXPORTER, certificate_id)
    path = f"/certificates/{certificate_id}/files/{document['file']['id']}/preview"
    door = house.door(world.EXPORTER)
    first, again = await door.get(path), await door.get(path)
    assert first.headers["content-type"] == "image/png"
    assert first.content == again.content
    assert first.content.startswith(b"\x89PNG")
    broken = await added(house, world.EXPORTER, certificate_id, b"%PDF-1.4\nnothing to draw\n%%EOF\n")
    nothing = await door.get(f"/certificates/{certificate_id}/files/{broken['file']['id']}/preview")
    assert nothing.status_code == 404


# ── What is refused leaves nothing behind ─────────────────────────────────────────────────────────────────────


async def test_a_refused_file_is_not_kept(house: House) -> None:
    certificate_id = await house.draft()
    for body, status in ((papers.PROGRAM, 415), (papers.pdf()[:-30], 422), (papers.BOMB, 422), (b"", 422)):
        assert (await send(house, world.EXPORTER, certificate_id, body)).status_code == status
    large = b"%PDF-1.4\n" + bytes(LARGEST)
    answer = await send(house, world.EXPORTER, certificate_id, large)
    assert answer.status_code == 413
    assert files(house) == []
    assert await house.one("SELECT count(*) FROM upload") == 0


async def test_a_file_nobody_speaks_of_is_swept(house: House) -> None:
    certificate_id = await house.draft()
    await send(house, world.EXPORTER, certificate_id)
    kept = await added(house, world.EXPORTER, certificate_id)
    house.clock.forward(hours=25)
    async with house.database.transaction() as session:
        gone = await documents.sweep(session, house.clock() - documents.KEPT_UNUSED)
    assert len(gone) == 1
    assert kept["file"]["id"] not in gone


async def test_its_parties_find_a_certificate_by_the_number_of_a_document(house: House) -> None:
    certificate_id = await house.at(Status.ISSUED)
    await added(house, world.EXPORTER, certificate_id, number="F 118/2026")
    for who, finds in ((world.IMPORTER, 1), (world.POST, 1), (world.PRODUCER, 0), (world.CUSTOMS, 0)):
        page = await house.get(who, "/certificates", document="f118")
        assert len(page["items"]) == finds, who
