"""The guides' story, by hand in a real browser, on the deployment's own processes: the main job, as people do it.

Pictures of each station are kept in var/pictures (or where PICTURES says), and axe looks at every page on the way.
"""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from deploy.local.stack import Stack
from tests.journeys.people import until
from tests.portal import chromium
from tests.stories import guide, passkey
from tests.stories.site import PATIENCE, Site, come_in, keep, picture

pytestmark = [chromium.NEEDED, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="session")]
Play = Callable[[Callable[[Site], object]], Awaitable[object]]
EXPORTER, CONTROL_BODY = "exporter@atlas.example", "inspector@ecocert.example"
BORDER, CONSIGNEE, OPS = "officer@perpignan.example", "consignee@garonne.example", "ops@bordereau.example"


async def test_the_story_of_the_guides_by_hand(stack: Stack, by_hand: Play) -> None:
    number = str(await by_hand(_walk))
    await until(lambda: sum(number in each.subject for each in stack.letters.all()) >= 10, PATIENCE)


async def test_what_else_the_guide_shows_by_hand(by_hand: Play) -> None:
    await by_hand(guide.walk)


async def test_a_passkey_by_hand(by_hand: Play) -> None:
    await by_hand(passkey.walk)


def _walk(site: Site) -> str:
    where, number = _the_exporter_drafts_and_submits(site)
    for email, station, answers in (
        (CONTROL_BODY, "sign", ("Contrôle documentaire", "Contrôle physique")),
        (BORDER, "verify", ("Contrôle documentaire", "Contrôle d’identité")),
        (CONSIGNEE, "receive", ()),
    ):
        _somebody_signs(site, email, number, station, answers)
    _everybody_can_read_it(site, where)
    _ops_see_the_process(site, where)
    return number


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


def _the_exporter_drafts_and_submits(site: Site) -> tuple[str, str]:
    with site.window() as eye:
        page = come_in(eye, EXPORTER)
        picture(eye, "01-home-exporter")
        page.get_by_role("link", name="Nouveau certificat").first.click()
        page.get_by_role("searchbox", name="Nom ou code NC").fill("dattes")
        page.get_by_role("button", name="Rechercher").click()
        page.locator("input[value='08041000']").check()
        picture(eye, "02-goods")
        page.get_by_role("button", name="Fait").click()
        expect(page.get_by_text("MA-BIO-154", exact=True).first).to_be_visible()
        picture(eye, "03-issuing-body-and-exporter")
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
        picture(eye, "04-draft", whole=True)

        page.get_by_role("button", name="Soumettre à la certification").click()
        page.wait_for_url("**/do/submit")
        picture(eye, "05-before-submitting")
        page.get_by_role("button", name="Soumettre à la certification").click()
        expect(page.get_by_text("Le certificat est soumis et a son numéro.")).to_be_visible()
        number = page.locator("h1").inner_text()
        assert re.fullmatch(r"COI\.MA\.\d{4}\.\d{7}", number)
        picture(eye, "06-submitted")
        return where.removeprefix(site.address), number


def _somebody_signs(site: Site, email: str, number: str, station: str, answers: tuple[str, ...]) -> None:
    with site.window() as eye:
        page = come_in(eye, email)
        page.get_by_role("link", name=number).first.click()
        page.locator(".docked .button-main").click()
        for question in answers:
            page.get_by_role("group", name=question).get_by_role("radio", name="acceptable", exact=True).check()
        if station == "receive":
            page.get_by_role("radio", name="oui").first.check()
        picture(eye, f"07-before-{station}")
        page.locator(".confirm button[type=submit]").click()
        expect(page.locator("main .flash").first).to_be_visible()
        picture(eye, f"08-after-{station}", whole=True)


def _everybody_can_read_it(site: Site, where: str) -> None:
    for width, scheme in ((1440, "dark"), (360, "light")):
        with site.window(width, scheme) as eye:
            page = come_in(eye, EXPORTER)
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
                keep(page, f"09-{name}-{width}-{scheme}")  # axe looks at all of these in test_browser.py
                assert eye.complaints == []
                assert eye.asked_elsewhere == []
            eye.goto(f"{where}/journal")
            for person in ("Youssef Amrani", "Hélène Castan", "Jordi Puig", "Luc Marty"):
                expect(page.locator(".timeline").get_by_text(person).first).to_be_visible()


def _ops_see_the_process(site: Site, where: str) -> None:
    with site.window() as eye:
        page = come_in(eye, OPS)
        picture(eye, "10-operations")
        eye.goto(f"/ops/process?certificate={where}")
        page.get_by_role("link", name="Son historique dans Temporal").click()
        expect(page.get_by_text("FIRST_CONSIGNEE_SIGNED").first).to_be_visible(timeout=20_000)  # the payloads are read
        for done in ("sign", "verify", "receive"):
            expect(page.locator("body")).to_contain_text(done)
        keep(page, "11-process")
        assert eye.asked_elsewhere == []
        assert [each for each in eye.complaints if "Content Security Policy" in each] == []
        assert eye.goto(where) == 404, "the certificate itself is not theirs to see"
        eye.goto("/ops")
        expect(page.get_by_text("payloads").first).to_be_visible()
