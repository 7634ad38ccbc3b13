"""Documents in the browser: without scripts, with them, and nothing axe objects to."""

import re
from collections.abc import Iterator

import httpx2
import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import expect

from shared.rules.documents import DOCUMENT_TYPES
from shared.rules.status import Status
from tests.portal import chromium
from tests.portal.chromium import window
from tests.portal.conftest import Browser
from tests.portal.making import DOCUMENT, UPLOAD
from tests.portal.routes import EXPORTER
from tests.portal.test_browser import address, come_in, look  # noqa: F401
from tests.portal.world import World


@pytest.fixture(scope="module")
def running() -> Iterator[Chromium]:
    """A browser with scripts."""
    with chromium.chromium() as one:
        yield one


PDF = ("facture.pdf", b"%PDF-1.4\n1 0 obj\n%%EOF\n", "application/pdf")


async def sent(
    browser: Browser, path: str, form: dict[str, str], file: tuple[str, bytes, str] = PDF
) -> httpx2.Response:
    """A form with a file, as a browser without scripts sends it."""
    data = {**form, "form_token": await browser.token()}
    return await browser.client.post(path, data=data, files={"file": file}, follow_redirects=True)


@pytest.mark.parametrize("row", DOCUMENT_TYPES)
async def test_a_type_shows_its_compulsory_fields(world: World, browser: Browser, row: object) -> None:
    await browser.sign_in(EXPORTER)
    paper = world.paper(Status.DRAFT)
    page = await browser.get(f"/certificates/{paper.id}/documents?type={row.code}")  # type: ignore[attr-defined]
    starred = set(re.findall(r'<label for="(\w+)">[^<]*<span class="star"', page.text))
    assert starred == {"type", "file", *row.needs}  # type: ignore[attr-defined]


async def test_a_document_is_added_without_scripts(world: World, browser: Browser) -> None:
    await browser.sign_in(EXPORTER)
    here = f"/certificates/{world.paper(Status.ISSUED).id}/documents"
    said = {"type": "271", "number": "L-7", "date": "2026-11-03"}
    page = await sent(browser, here, said)
    assert page.status_code == 200
    assert "The document is kept." in page.text
    assert "Packing list L-7" in page.text
    assert [body for _, body in world.making.sent.values()] == [PDF[1]]


async def test_a_file_that_is_none_is_refused_with_what_was_typed(world: World, browser: Browser) -> None:
    await browser.sign_in(EXPORTER)
    here = f"/certificates/{world.paper(Status.DRAFT).id}/documents"
    page = await sent(browser, here, {"type": "271", "number": "L-7", "date": "2026-11-03"}, ("x.pdf", b"MZ", "x/y"))
    assert page.status_code == 422
    assert "Only PDF, JPEG, PNG and XML" in page.text
    assert 'value="L-7"' in page.text


async def test_what_is_missing_is_said_and_the_file_need_not_be_sent_again(world: World, browser: Browser) -> None:
    await browser.sign_in(EXPORTER)
    here = f"/certificates/{world.paper(Status.DRAFT).id}/documents"
    page = await sent(browser, here, {"type": "851", "number": "P-1"})
    assert page.status_code == 422
    upload = re.search(r'name="upload.id" value="([^"]+)"', page.text)
    assert upload
    assert "facture.pdf" in page.text
    rest = {"type": "851", "number": "P-1", "date": "2026-11-03", "country": "MA", "issuer": "ONSSA"}
    again = await browser.post(here, {**rest, "upload.id": upload.group(1), "upload.name": "facture.pdf"})
    assert "Phytosanitary certificate P-1" in again.text


async def test_a_form_without_a_file_asks_for_it(world: World, browser: Browser) -> None:
    await browser.sign_in(EXPORTER)
    here = f"/certificates/{world.paper(Status.DRAFT).id}/documents"
    page = await browser.post(here, {"type": "271", "number": "L-7", "date": "2026-11-03"})
    assert page.status_code == 422
    assert "Please choose the file." in page.text


async def test_a_document_is_changed_and_withdrawn(world: World, browser: Browser) -> None:
    await browser.sign_in(EXPORTER)
    here = f"/certificates/{world.paper(Status.DRAFT).id}/documents"
    form = await browser.get(f"{here}?change={DOCUMENT}")
    assert 'value="F-118"' in form.text
    said = {"type": "380", "number": "F-118 bis", "date": "2026-11-02", "issuer": "Atlas", "version": "1"}
    changed = await browser.post(f"{here}/{DOCUMENT}", said)
    assert "F-118 bis" in changed.text
    assert "version 2" in changed.text
    gone = await browser.post(f"{here}/{DOCUMENT}/withdrawal", {"version": "2", "reason": "wrong one"})
    assert "The document is withdrawn." in gone.text
    assert "1 document withdrawn" in gone.text


async def test_a_file_is_saved_and_never_shown_in_the_page(world: World, browser: Browser) -> None:
    await browser.sign_in(EXPORTER)
    answer = await browser.get(f"/certificates/{world.paper(Status.DRAFT).id}/files/{UPLOAD}")
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''facture%20F-118.pdf"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_lines_are_pasted_and_what_is_wrong_is_named_by_its_cell(world: World, browser: Browser) -> None:
    await browser.sign_in(EXPORTER)
    paper = world.paper(Status.DRAFT)
    here = f"/certificates/{paper.id}/lines"
    wrong = await browser.post(here, {"pasted": "cn_code\twrong", "revision": "1"})
    assert wrong.status_code == 422
    cells = re.findall(r"<td[^>]*>(.*?)</td>", wrong.text)
    assert [re.sub(r"<[^>]+>", "", each) for each in cells] == ["2", "C Lot number", "Please shorten it."]
    assert "cn_code\twrong" in wrong.text
    right = await browser.post(here, {"pasted": "cn_code\n08041000", "revision": "1"})
    assert (right.status_code, right.url.path) == (200, f"/certificates/{paper.id}")
    await sent(browser, here, {"revision": "1"}, ("lines.csv", b"cn_code\n08044000", "text/csv"))
    assert world.making.sheets == [b"cn_code\n08041000", b"cn_code\n08044000"]
    assert (await browser.get(f"{here}.csv")).headers["content-disposition"].startswith("attachment")


@chromium.NEEDED
@pytest.mark.parametrize(("language", "width"), [("en", 1440), ("fr", 390)])
def test_a_document_by_hand(world: World, address: str, running: Chromium, language: str, width: int) -> None:  # noqa: F811
    paper = world.paper(Status.DESCRIPTION_COMPLETED)
    here = f"/certificates/{paper.id}/documents"
    with window(running, address, width, language=language) as eye:
        come_in(eye, EXPORTER, language)
        look(eye, here)
        eye.page.locator("#type").select_option("705")
        eye.page.locator("#document-form button[type=submit]").click()
        look(eye, f"{here}?type=705")
        eye.page.locator("#number").fill("MSKU-77")
        eye.page.locator("#date").fill("2026-11-12")
        eye.page.locator("#file").set_input_files({"name": "x.pdf", "mimeType": "application/pdf", "buffer": b"MZ"})
        eye.page.locator("#document-form button[type=submit]").click()
        expect(eye.page.locator("#file-problems")).to_be_visible()
        assert eye.violations() == []
        eye.page.locator("#issuer").fill("Maersk")
        eye.page.locator("#file").set_input_files({"name": PDF[0], "mimeType": PDF[2], "buffer": PDF[1]})
        eye.page.locator("#document-form button[type=submit]").click()
        expect(eye.page.locator(".document h3", has_text="MSKU-77")).to_be_visible()
        look(eye, here)
        look(eye, f"{here}?change={DOCUMENT}")
