"""In a real browser: nothing axe objects to, nothing from elsewhere, and the stories by mouse and by keyboard."""

import os
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from socket import socket

import pytest
import uvicorn
from playwright.sync_api import Browser, Route, expect

from shared.rules.status import Status
from tests.portal import chromium
from tests.portal.chromium import Eye, Seen, window
from tests.portal.conftest import site_over
from tests.portal.routes import AUTHORITY, EXPORTER, OPS, pages
from tests.portal.world import PASSWORD, World, build, organisation_id

pytestmark = chromium.NEEDED
PICTURES = os.environ.get("PICTURES", "")
CONTROL_BODY = "inspector@ecocert.example"
BORDER = "officer@perpignan.example"
Looked = dict[tuple[str, int, str], Seen]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.chromium() as running:
        yield running


@pytest.fixture(scope="module")
def seen() -> Looked:
    """What axe has seen of any page, by the kind of window: whoever looked."""
    return defaultdict(Seen)


@pytest.fixture
def world() -> World:
    return build()


class Announced(uvicorn.Server):
    """A server that says when it is there."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.there = threading.Event()

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        self.there.set()


@pytest.fixture
def address(world: World, tmp_path: Path) -> Iterator[str]:
    """The web site over this world, on a port of its own."""
    site = site_over(world, tmp_path)
    server = Announced(uvicorn.Config(site, port=0, log_level="critical", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert server.there.wait(10)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(5)


def come_in(eye: Eye, email: str, language: str = "en") -> None:
    """Sign in by the form."""
    eye.goto("/sign-in")
    eye.page.locator("#email").fill(email)
    eye.page.locator("#password").fill(PASSWORD)
    eye.page.locator("#password").press("Enter")
    eye.page.wait_for_url("**/") if email != OPS else eye.page.wait_for_url("**/ops")
    eye.goto(f"/language/{language}?back=/help")


def look(eye: Eye, path: str) -> None:
    """Open a page and find nothing wrong with it, unless all it consists of was looked at before."""
    if not eye.has_news(path):
        return
    eye.goto(path)
    assert eye.violations() == [], path
    assert eye.overflow() == 0, f"{path} is wider than its window"
    assert eye.complaints == [], path
    assert eye.asked_elsewhere == [], path


def test_what_axe_has_seen_it_passes_over_and_what_is_new_it_sees(address: str, browser: Browser) -> None:
    with window(browser, address) as eye:
        eye.goto("/help")
        assert eye.violations() == []
        for place in ("main", "body > footer"):
            eye.page.evaluate("place => document.querySelector(place).append(new Image())", place)
            assert any("image-alt" in each for each in eye.violations()), place
            eye.goto("/contact")
            assert eye.violations() == []
        eye.page.evaluate(
            "document.body.append(Object.assign(document.createElement('p'), {id: document.querySelector('main').id}))"
        )
        assert any("two elements" in each for each in eye.violations())
        assert [eye.has_news(path) for path in ("/help", "/help", "/sign-in", "/sign-in")] == [True, False, True, False]


LOOKS = [("en", 1440, "light"), ("fr", 360, "dark")]


@pytest.mark.parametrize(("language", "width", "scheme"), LOOKS)
def test_axe_finds_nothing_on_any_route(
    world: World, address: str, browser: Browser, seen: Looked, language: str, width: int, scheme: str
) -> None:
    known = seen[language, width, scheme]
    paper = world.paper(Status.DRAFT, importer=None, gross_weight=None)
    found = pages(world, paper.id)
    with window(browser, address, width, scheme, language=language, seen=known) as eye:
        eye.goto("/sign-in")
        for path in ("/sign-in", "/help", "/contact", "/nowhere"):
            look(eye, path)
    for email in (EXPORTER, OPS, AUTHORITY):
        with window(browser, address, width, scheme, language=language, seen=known) as eye:
            come_in(eye, email, language)
            for each in found:
                if each.email == email:
                    look(eye, each.path)
            if email == EXPORTER:
                for path in ("/certificates/new?q=oil&cn=08041000", "/certificates/new/parties?cn=08041000"):
                    look(eye, path)


@pytest.mark.parametrize(
    ("email", "language", "width", "scheme"),
    [(EXPORTER, *LOOKS[0]), (EXPORTER, *LOOKS[1]), (CONTROL_BODY, *LOOKS[0]), (BORDER, *LOOKS[0])],
)
def test_axe_finds_nothing_in_any_status(
    world: World, address: str, browser: Browser, seen: Looked, email: str, language: str, width: int, scheme: str
) -> None:
    """Every page about a certificate for its exporter, in both languages; what the others may do for the others."""
    known = seen[language, width, scheme]
    caller = world.caller(email)
    with window(browser, address, width, scheme, language=language, seen=known) as eye:
        come_in(eye, email, language)
        for status in Status:
            paper = world.paper(status)
            paper.form_model = "COI_2022" if language == "fr" else "COI_2017"
            view = world.certificates.view(paper, caller)
            actions = [each for each in view.may.do if each not in ("amend", "extract", "copy")]
            if not world.certificates._sees(paper, caller) or (email != EXPORTER and not actions and not view.may.edit):
                continue
            found = [f"/certificates/{paper.id}", *(f"/certificates/{paper.id}/do/{action}" for action in actions)]
            if view.may.edit and status is not Status.DRAFT:
                found.append(f"/certificates/{paper.id}?edit=all")
            if email == EXPORTER:
                found += [each.path for each in pages(world, paper.id) if paper.id in each.path]
            for path in dict.fromkeys(found):
                look(eye, path)


def test_a_draft_is_filled_in_box_by_box(world: World, address: str, browser: Browser) -> None:
    paper = world.paper(Status.DRAFT, importer=None, gross_weight=None, containers=None)
    with window(browser, address) as eye:
        come_in(eye, EXPORTER)
        eye.goto(f"/certificates/{paper.id}")
        page = eye.page
        expect(page.locator("#state")).to_have_text("2 points are still missing or not right")

        page.get_by_role("textbox", name="Total gross weight").fill("3700.5")
        page.get_by_role("textbox", name="Seal number").focus()
        expect(page.locator("#state")).to_have_text("1 point is still missing or not right")
        expect(page.locator("#problems-16")).to_be_empty()
        expect(page.locator("#box-16 [aria-invalid]")).to_have_count(0)
        expect(page.locator("#box-16")).not_to_contain_class("box-bad")
        assert paper.content["gross_weight"] == {"value": "3700.5", "unit": "KGM"}

        find = page.locator("#box-11").get_by_role("combobox")
        find.press_sequentially("pyr")
        expect(page.locator("#box-11").get_by_role("option")).to_have_count(1)
        find.press("Enter")
        expect(page.locator("#box-11 .organisation-name")).to_contain_text("Pyrénées Bio Import")
        expect(page.locator("#state")).to_contain_text("Saved, revision 3")
        assert paper.content["importer"] == organisation_id("pyrenees-bio-import")

        page.locator("#box-13").get_by_role("button", name="Add a line 08041000").click()
        expect(page.locator("#box-13 fieldset")).to_have_count(3)
        assert eye.violations() == []

        page.get_by_role("textbox", name="Container number").fill("MSKU 1234565")
        page.get_by_role("button", name="Submit for certification").click()
        page.wait_for_url("**/do/submit")
        assert paper.content["containers"] == ["MSKU 1234565"]
        assert eye.complaints == []
        assert eye.asked_elsewhere == []


def test_a_value_that_cannot_be_saved_says_so_at_its_box(world: World, address: str, browser: Browser) -> None:
    paper = world.paper(Status.DRAFT)
    with window(browser, address) as eye:
        come_in(eye, EXPORTER)
        eye.goto(f"/certificates/{paper.id}")
        eye.page.get_by_role("textbox", name="Total gross weight").fill("plenty")
        eye.page.get_by_role("textbox", name="Seal number").focus()
        expect(eye.page.locator("#problems-16")).to_contain_text("Please write a number.")
        eye.page.get_by_role("textbox", name="Total gross weight").fill("12")
        eye.page.get_by_role("textbox", name="Seal number").focus()
        expect(eye.page.locator("#problems-16")).to_be_empty()
        assert paper.content["gross_weight"]["value"] == "12"


def test_two_boxes_left_quickly_are_both_saved(world: World, address: str, browser: Browser) -> None:
    paper = world.paper(Status.DRAFT)
    with window(browser, address) as eye:
        come_in(eye, EXPORTER)
        eye.goto(f"/certificates/{paper.id}")
        page = eye.page
        page.get_by_role("textbox", name="National reference number").fill("A-1")
        page.get_by_role("textbox", name="Seal number").fill("S-1")
        page.get_by_role("textbox", name="Transport document").fill("BL-1")
        page.get_by_role("textbox", name="Lot number").first.fill("L-1")
        page.get_by_role("textbox", name="Trade name").first.focus()
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("Saved.")).to_be_visible()
        assert paper.content["national_reference"] == "A-1"
        assert paper.content["seals"] == ["S-1"]
        assert paper.content["transport"]["document"] == "BL-1"
        assert paper.content["product_lines"][0]["lot"] == "L-1"
        page.evaluate(
            """() => {
              for (const id of ["national_reference", "seals", "transport.document"]) {
                const field = document.getElementById(id);
                field.focus();
                field.value = "B-2";
                field.dispatchEvent(new Event("input", { bubbles: true }));
              }
              const button = document.querySelector("button[formaction$='/do/submit'], button[value=submit]");
              button.focus();
              button.click();
            }"""
        )
        page.wait_for_url("**/do/submit")
        assert paper.content["seals"] == ["B-2"]
        assert paper.content["transport"]["document"] == "B-2"


def test_somebody_elses_change_stops_the_next_save(world: World, address: str, browser: Browser) -> None:
    paper = world.paper(Status.DRAFT)
    with window(browser, address) as mine, window(browser, address) as hers:
        come_in(mine, EXPORTER)
        come_in(hers, "documents@atlas.example")
        for eye in (mine, hers):
            eye.goto(f"/certificates/{paper.id}")
        hers.page.get_by_role("textbox", name="Seal number").fill("HERS-1")
        hers.page.get_by_role("textbox", name="National reference number").focus()
        expect(hers.page.locator("#state")).to_contain_text("Saved, revision 2")
        mine.page.get_by_role("textbox", name="Total gross weight").fill("1")
        mine.page.get_by_role("textbox", name="Seal number").focus()
        mine.page.wait_for_url("**/changes**")
        expect(mine.page.get_by_text("HERS-1")).to_be_attached()
        assert mine.violations() == []


def test_after_submission_a_box_is_opened_and_saved_in_place(world: World, address: str, browser: Browser) -> None:
    paper = world.paper(Status.DESCRIPTION_COMPLETED)
    with window(browser, address) as eye:
        come_in(eye, CONTROL_BODY)
        eye.goto(f"/certificates/{paper.id}")
        page = eye.page
        page.locator("#box-15").get_by_role("link", name="Edit").click()
        page.get_by_role("textbox", name="Seal number").fill("NEW-2")
        page.get_by_role("textbox", name="Seal number").blur()
        assert paper.revision == 7, "nothing is saved before it is asked for: others are told of it"
        page.locator("#box-15").get_by_role("button", name="Save").click()
        expect(page.get_by_text("Saved.")).to_be_visible()
        assert paper.content["seals"] == ["NEW-2"]
        page.locator("#box-16").get_by_role("link", name="Edit").click()
        page.locator("#box-16").get_by_role("link", name="Cancel").click()
        expect(page.locator("#box-16 input")).to_have_count(0)


def test_goods_are_found_by_name_code_and_tree(world: World, address: str, browser: Browser) -> None:
    with window(browser, address) as eye:
        come_in(eye, EXPORTER)
        eye.goto("/certificates/new")
        page = eye.page
        page.get_by_role("searchbox", name="Name or CN code").fill("dates")
        page.get_by_role("button", name="Search").click()
        page.locator("input[value='08041000']").check()
        page.get_by_role("searchbox", name="Name or CN code").fill("1509")
        page.get_by_role("button", name="Search").click()
        expect(page.get_by_text("1 kind of goods chosen")).to_be_visible()
        page.locator("input[value='15092000']").check()
        page.get_by_role("button", name="Show the list").click()
        page.get_by_role("button", name="09 Coffee").click()
        page.get_by_role("button", name="0901 Coffee").click()
        expect(page.locator("input[value='09011100']")).to_be_visible()
        assert eye.violations() == []
        page.get_by_role("button", name="Done").click()
        page.wait_for_url("**/certificates/new/parties**")
        expect(page.get_by_text("15092000")).to_be_visible()
        page.get_by_role("button", name="Save as draft").click()
        expect(page.get_by_text("The draft is kept.")).to_be_visible()
        paper = next(iter(world.certificates.papers.values()))
        assert [line["cn_code"] for line in paper.content["product_lines"]] == ["08041000", "15092000"]
        page.get_by_role("button", name="Add goods").click()
        page.get_by_role("searchbox", name="Name or CN code").fill("ginger")
        page.get_by_role("button", name="Search").click()
        page.locator("input[value='09101100']").check()
        page.get_by_role("button", name="Done").click()
        expect(page.locator("#box-13").get_by_text("0910 11 00")).to_be_visible()
        assert eye.complaints == []


def test_the_control_body_signs_by_keyboard(world: World, address: str, browser: Browser) -> None:
    paper = world.paper(Status.DESCRIPTION_COMPLETED)
    with window(browser, address) as eye:
        come_in(eye, CONTROL_BODY)
        eye.goto(f"/certificates/{paper.id}/do/sign")
        page = eye.page
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        for _ in range(30):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.name") == "form.documentary":
                break
        page.keyboard.press("Space")
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        for _ in range(10):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.type") == "submit":
                break
        page.keyboard.press("Enter")
        expect(page.get_by_text("The declaration of the issuing body is signed.")).to_be_visible()
        assert paper.status is Status.ISSUED
        assert paper.signatures[0].form["documentary"] == "acceptable"


def test_without_scripts_the_same_pages_work(world: World, address: str, browser: Browser) -> None:
    paper = world.paper(Status.DRAFT, importer=None)
    with window(browser, address, scripts=False) as eye:
        come_in(eye, EXPORTER)
        eye.goto(f"/certificates/{paper.id}")
        page = eye.page
        page.locator("#find-importer").fill("pyr")
        page.locator("#box-11").get_by_role("button", name="Find").click()
        page.locator("#box-11 input[type=radio]").first.check()
        page.get_by_role("button", name="Submit for certification").click()
        page.get_by_role("button", name="Submit for certification").click()
        expect(page.get_by_text("The certificate is submitted and has its number.")).to_be_visible()
        assert paper.status is Status.DESCRIPTION_COMPLETED


def test_a_file_dropped_anywhere_on_the_page_is_checked(world: World, address: str, browser: Browser) -> None:
    paper = world.paper(Status.ISSUED)
    with window(browser, address) as eye:
        eye.goto("/verify")
        brought = eye.page.evaluate_handle(
            """said => {
                const brought = new DataTransfer();
                brought.items.add(new File([said], "copy.pdf", {type: "application/pdf"}));
                return brought;
            }""",
            f"%PDF- {paper.number}",
        )
        eye.page.dispatch_event("h1", "dragover", {"dataTransfer": brought})
        expect(eye.page.locator("#file-form.drop-here")).to_be_visible()
        eye.page.dispatch_event("h1", "drop", {"dataTransfer": brought})
        expect(eye.page.locator("main")).to_contain_text("This file is genuine")
        expect(eye.page.locator("main")).to_contain_text(str(paper.number))
        assert eye.complaints == []


def test_the_check_of_a_person_waits_for_its_worker_however_late_it_is_named(address: str, browser: Browser) -> None:
    with window(browser, address) as eye:
        held: list[Route] = []
        eye.page.route("**/registration.js*", lambda route: held.append(route))
        eye.page.goto(f"{address}/registration", wait_until="commit")
        eye.page.locator("altcha-widget input").first.wait_for(state="attached")
        eye.page.evaluate("() => new Promise((then) => setTimeout(then, 50))")
        held[0].continue_()
        expect(eye.page.locator("input[name=altcha]")).not_to_have_value("", timeout=30_000)
        assert eye.complaints == []


def test_the_menu_on_a_phone_opens_and_closes(world: World, address: str, browser: Browser) -> None:
    with window(browser, address, width=360) as eye:
        come_in(eye, EXPORTER)
        eye.goto("/")
        menu = eye.page.locator("details.nav-narrow")
        menu.locator("summary").click()
        assert eye.violations() == []
        expect(menu.get_by_role("link", name="Certificates")).to_be_visible()
        eye.page.keyboard.press("Escape")
        expect(menu.get_by_role("link", name="Certificates")).to_be_hidden()


def test_a_printed_sheet_shows_the_certificate_and_nothing_else(world: World, address: str, browser: Browser) -> None:
    paper = world.paper(Status.FIRST_CONSIGNEE_SIGNED)
    with window(browser, address) as eye:
        come_in(eye, EXPORTER)
        eye.goto(f"/certificates/{paper.id}")
        eye.page.emulate_media(media="print")
        expect(eye.page.locator(".masthead")).to_be_hidden()
        expect(eye.page.locator(".docked")).to_be_hidden()
        expect(eye.page.locator("#box-21")).to_be_visible()
        if PICTURES:
            eye.page.pdf(path=str(Path(PICTURES) / "certificate.pdf"), format="A4")
