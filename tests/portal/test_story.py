"""The guides' story, by hand in a real browser, on the deployment's own processes: the main job, as people do it.

Pictures of each station are kept in var/pictures (or where PICTURES says), and axe looks at every page on the way.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest
import pytest_asyncio
from playwright.sync_api import Browser, Page, expect

from deploy.local.stack import Stack
from tests.journeys.people import People
from tests.leaks import nothing_secret
from tests.portal import chromium, guide_story, passkey_story
from tests.portal.chromium import Eye, window
from tests.portal.world import PASSWORD

pytestmark = [
    chromium.NEEDED,
    pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="module"),
]
ROOT = Path(__file__).parents[2]
PICTURES = Path(os.environ.get("PICTURES") or ROOT / "var" / "pictures")
EXPORTER, CONTROL_BODY = "exporter@atlas.example", "inspector@ecocert.example"
BORDER, CONSIGNEE, OPS = "officer@perpignan.example", "consignee@garonne.example", "ops@bordereau.example"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """PostgreSQL, NATS, Temporal, the mail catcher, the services and the portal, on free ports, for both stories."""
    async with Stack(tmp_path_factory.mktemp("var"), ports="free", fsync=False) as running:
        known = await asyncpg.connect(running.database_url("certificates", scheme="postgresql"))
        for _ in range(300):  # the demonstration's organisations travel by the bus
            if await known.fetchval("SELECT count(*) >= 40 FROM party"):
                break
            await asyncio.sleep(0.1)
        await known.close()
        yield running
        await nothing_secret(running)


async def test_the_story_of_the_guides_by_hand(stack: Stack) -> None:
    identity = stack.database_url("identity", scheme="postgresql")
    number = await asyncio.to_thread(_walk, stack.url("portal"), identity)
    async with httpx2.AsyncClient() as web:
        for _ in range(100):
            letters = (await web.get(stack.url("mailbox"))).text
            if letters.count(number) >= 10:
                return
            await asyncio.sleep(0.1)
    raise AssertionError(f"too few letters about {number}")


async def test_what_else_the_guide_shows_by_hand(stack: Stack) -> None:
    loop = asyncio.get_running_loop()

    def wait(work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(60)

    def walked(people: People) -> None:
        with chromium.chromium() as browser:
            guide_story.walk(browser, stack.url("portal"), people, wait, lambda page, name: _keep(page, f"12-{name}"))

    async with httpx2.AsyncClient(timeout=30) as web:
        await asyncio.to_thread(walked, People(web, stack.addresses))


def _keep(page: Page, name: str) -> None:
    page.screenshot(path=str(PICTURES / f"{name}.png"))


def _walk(address: str, identity: str) -> str:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with chromium.chromium() as browser:
        where, number = _the_exporter_drafts_and_submits(browser, address)
        for email, station, answers in (
            (CONTROL_BODY, "sign", ("Contrôle documentaire", "Contrôle physique")),
            (BORDER, "verify", ("Contrôle documentaire", "Contrôle d’identité")),
            (CONSIGNEE, "receive", ()),
        ):
            _somebody_signs(browser, address, email, number, station, answers)
        _everybody_can_read_it(browser, address, where, number)
        _ops_see_the_process(browser, address, where)
        passkey_story.walk(browser, address, identity)
    return number


def _come_in(eye: Eye, email: str) -> Page:
    eye.goto("/sign-in")
    eye.page.locator("#email").fill(email)
    eye.page.locator("#password").fill(PASSWORD)
    eye.page.locator("#password").press("Enter")
    expect(eye.page.locator("h1")).to_be_visible()
    return eye.page


def _picture(eye: Eye, name: str, whole: bool = False) -> None:
    """Keep what is seen, and have axe look at it."""
    eye.page.screenshot(path=str(PICTURES / f"{name}.png"), full_page=whole)
    assert eye.violations() == [], name
    assert eye.complaints == [], name
    assert eye.asked_elsewhere == [], name


def _choose(page: Page, box: str, typed: str, name: str) -> None:
    """Find an organisation by name or code, and take it with the keyboard."""
    room = page.locator(f"#box-{box}") if "-" not in box else page.locator(f"#{box}")
    find = room.locator("[data-find]").first
    find.press_sequentially(typed, delay=20)
    option = room.locator(".picker-option", has_text=name)
    expect(option).to_be_visible()
    if room.locator(".picker-option").count() > 1:
        option.click()
    else:
        find.press("Enter")
    expect(room.locator("[data-chosen]", has_text=name).first).to_be_visible()


def _the_exporter_drafts_and_submits(browser: Browser, address: str) -> tuple[str, str]:
    with window(browser, address, language="fr") as eye:
        page = _come_in(eye, EXPORTER)
        _picture(eye, "01-home-exporter")
        page.get_by_role("link", name="Nouveau certificat").first.click()
        page.get_by_role("searchbox", name="Nom ou code NC").fill("dattes")
        page.get_by_role("button", name="Rechercher").click()
        page.locator("input[value='08041000']").check()
        _picture(eye, "02-goods")
        page.get_by_role("button", name="Fait").click()
        expect(page.get_by_text("MA-BIO-154", exact=True).first).to_be_visible()
        _picture(eye, "03-issuing-body-and-exporter")
        page.get_by_role("button", name="Enregistrer comme brouillon").click()
        expect(page.get_by_text("Le brouillon est gardé.")).to_be_visible()
        where = re.sub(r"[?#].*", "", page.url)

        expect(page.locator("#country_of_export")).to_have_value("MA")
        page.locator("#countries_of_origin-1").select_option("MA")
        page.locator("#clearance_country").select_option("FR")
        _choose(page, "9", "FR007", "Perpignan")
        _choose(page, "11", "Pyrénées", "Pyrénées Bio Import")
        _choose(page, "12", "garonne", "Garonne Bio")
        line = page.locator("#box-13 fieldset").first
        line.get_by_role("textbox", name="Nom commercial").fill("Dattes Medjool, extra")
        line.get_by_role("textbox", name="Numéro de lot").fill("AT-26-0412")
        line.get_by_role("textbox", name="Nombre de colis").fill("480")
        line.get_by_role("combobox", name="Type d’emballage").select_option("CT")
        line.get_by_role("textbox", name="Poids net").fill("2 400,5")
        find = line.get_by_role("combobox", name="Producteur ou dernier transformateur")
        find.press_sequentially("tafilalet", delay=20)
        expect(line.locator(".picker-option", has_text="Domaine du Tafilalet")).to_be_visible()
        find.press("Enter")
        expect(line.locator("[data-chosen]", has_text="Domaine du Tafilalet")).to_be_visible()
        page.locator("#containers").fill("MSKU4821205")
        page.locator("#seals").fill("ML-MA 0098123")
        page.locator("[id='gross_weight.value']").fill("2 610,25")
        page.locator("[id='transport.mode']").select_option("1")
        page.locator("[id='transport.identification']").fill("MV Tafraout")
        page.locator("[id='transport.document']").fill("BL AGA-2026-5511")
        soon = datetime.now(UTC) + timedelta(days=3)
        page.locator("#departure_at").fill(soon.strftime("%Y-%m-%dT06:00"))
        page.locator("#arrival_at").fill((soon + timedelta(days=4)).strftime("%Y-%m-%dT09:30"))
        page.locator("#national_reference").focus()
        expect(page.locator("#state")).to_contain_text("Enregistré, révision")
        _picture(eye, "04-draft", whole=True)

        page.get_by_role("button", name="Soumettre à la certification").click()
        page.wait_for_url("**/do/submit")
        _picture(eye, "05-before-submitting")
        page.get_by_role("button", name="Soumettre à la certification").click()
        expect(page.get_by_text("Le certificat est soumis et a son numéro.")).to_be_visible()
        number = page.locator("h1").inner_text()
        assert re.fullmatch(r"COI\.MA\.\d{4}\.\d{7}", number)
        _picture(eye, "06-submitted")
        return where.removeprefix(address), number


def _somebody_signs(
    browser: Browser, address: str, email: str, number: str, station: str, answers: tuple[str, ...]
) -> None:
    with window(browser, address, language="fr") as eye:
        page = _come_in(eye, email)
        if page.locator("html").get_attribute("lang") != "fr":
            page.get_by_role("link", name="Français").click()
        page.get_by_role("link", name=number).first.click()
        page.locator(".docked .button-main").click()
        for question in answers:
            page.get_by_role("group", name=question).get_by_role("radio", name="acceptable", exact=True).check()
        if station == "receive":
            page.get_by_role("radio", name="oui").first.check()
        _picture(eye, f"07-before-{station}")
        page.locator(".confirm button[type=submit]").click()
        expect(page.locator("main .flash").first).to_be_visible()
        _picture(eye, f"08-after-{station}", whole=True)


def _everybody_can_read_it(browser: Browser, address: str, where: str, number: str) -> None:
    for width, scheme in ((1440, "dark"), (360, "light")):
        with window(browser, address, width, scheme, language="fr") as eye:
            page = _come_in(eye, EXPORTER)
            for name, path in (
                ("home", "/"),
                ("list", "/certificates"),
                ("certificate", where),
                ("journal", f"{where}/journal"),
                ("letters", f"{where}/letters"),
                ("help", "/help"),
            ):
                eye.goto(path)
                assert eye.overflow() == 0, path
                _keep(page, f"09-{name}-{width}-{scheme}")  # axe looks at all of these in test_browser.py
                assert eye.complaints == []
                assert eye.asked_elsewhere == []
            eye.goto(f"{where}/journal")
            for person in ("Youssef Amrani", "Hélène Castan", "Jordi Puig", "Luc Marty"):
                expect(page.locator(".timeline").get_by_text(person).first).to_be_visible()


def _ops_see_the_process(browser: Browser, address: str, where: str) -> None:
    with window(browser, address, language="fr") as eye:
        page = _come_in(eye, OPS)
        _picture(eye, "10-operations")
        eye.goto(f"/ops/process?certificate={where}")
        page.get_by_role("link", name="Son historique dans Temporal").click()
        expect(page.get_by_text("FIRST_CONSIGNEE_SIGNED").first).to_be_visible(timeout=20_000)  # the payloads are read
        for done in ("sign", "verify", "receive"):
            expect(page.locator("body")).to_contain_text(done)
        page.screenshot(path=str(PICTURES / "11-process.png"))
        assert eye.asked_elsewhere == []
        assert [each for each in eye.complaints if "Content Security Policy" in each] == []
        assert eye.goto(where) == 404, "the certificate itself is not theirs to see"
        eye.goto("/ops")
        expect(page.get_by_text("payloads").first).to_be_visible()
