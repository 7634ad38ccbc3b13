"""From a new account to *Valide* by hand in a real browser, with the letters: guides 001 and 002 §2.2–2.3.

A fresh account sees the yellow banner of guide 000, asks for a new operator, and INAO validates both; a second one asks
for an operator that exists, and its control body, its validator in a third country, asks back before it validates.
"""

import re
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.people import organisation
from tests.portal import chromium
from tests.portal.chromium import Eye
from tests.stories import classic
from tests.stories.site import Site, come_in, picture

pytestmark = [chromium.NEEDED, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="session")]
Play = Callable[[Callable[[Site], object]], Awaitable[object]]
PASSWORD = "Plum-tree-in-42-gardens!"
INAO, BODY, OPS = "desk@inao.example", "inspector@ecocert.example", "ops@bordereau.example"
CENTRAL = "supervisor@dgccrf.example"
BANNER = "Vous n’avez actuellement aucun rôle qui vous permette d’accéder à l’application."


async def test_from_a_new_account_to_a_valid_role(by_hand: Play) -> None:
    await by_hand(_walk)


async def test_a_classic_account_by_hand(by_hand: Play) -> None:
    await by_hand(classic.walk)


async def test_whoever_the_table_names_decides_by_hand(by_hand: Play) -> None:
    await by_hand(_each_row)


ROWS = (
    # organisation, who asks, his name, who decides, and how
    ("tarn-bio-import", "importer@acme.example", "Emma Leroy", "importer@tarn.example", "validate"),
    ("tarn-bio-import", "importer@abian.example", "Wayan Peeters", "desk@inao.example", "refuse"),
    ("atlas-bio-export", "exporter@oriental.example", "Hassan Berkani", "inspector@ecocert.example", "validate"),
    ("atlas-bio-export", "exporter@rif.example", "Nadia Chraibi", "exporter@atlas.example", "refuse"),
    ("ecocert-ma", "auditor@certisys.example", "Marc Dubois", "desk@inao.example", "validate"),
    ("ecocert-ma", "auditor@quality-partner.example", "Julie Henrard", "inspector@ecocert.example", "refuse"),
    ("perpignan", "customs@perpignan.example", "Bruno Vidal", "administrator@commission.example", "validate"),
    ("perpignan", "officer@marseille-port.example", "Magali Esteve", "officer@perpignan.example", "refuse"),
)
"""Every row of "who validates whom" but the first users, who walk the whole way."""
DECIDED = {"validate": "Valide", "refuse": "Refusé"}


async def _ask_for_each_row(site: Site) -> None:
    for where, email, *_ in ROWS:
        wish = {"wanted": [{"organisation_id": organisation(where)}]}
        await (await site.people(email)).asks("POST", "/role-requests", wish, service="directory")


def _each_row(site: Site) -> None:
    """In the list of an authority the table does not name, nobody stands."""
    site.wait(_ask_for_each_row(site))
    for decider in dict.fromkeys(row[3] for row in ROWS):
        with site.window() as eye:
            page = come_in(eye, decider)
            for _, _, name, _, step in (row for row in ROWS if row[3] == decider):
                eye.goto("/requests")
                page.get_by_role("link", name=name).click()
                form = page.locator(f"form:has(input[name=action][value={step}])")
                form.locator("textarea").fill("Vu.")
                form.locator("button").click()
                expect(page.locator(".certificate-title .badge").first).to_have_text(DECIDED[step])
    with site.window() as eye:
        page = come_in(eye, CENTRAL)
        eye.goto("/requests")
        assert not any(page.get_by_role("link", name=row[2]).count() for row in ROWS)


def _walk(site: Site) -> None:
    lea, rachid = (f"{name}+{uuid4().hex[:8]}@lot.example" for name in ("lea", "rachid"))
    name = f"Quercy Quinoa {uuid4().hex[:6]}"
    _registers(site, "Léa", "Cazals", lea)
    with site.window() as eye:
        come_in(eye, lea, PASSWORD)
        _sees_the_banner_and_creates_an_operator(eye, name)
    _inao_validates_operator_and_person(site, lea, name)
    site.letter(lea, "est validé", name)
    site.letter(lea, "Votre rôle pour", name)
    _is_valid(site, lea, name)
    _registers(site, "Rachid", "Alaoui", rachid)
    with site.window() as eye:
        come_in(eye, rachid, PASSWORD)
        _asks_for_an_operator_that_exists(eye)
    _the_body_asks_and_validates(site, rachid)
    site.letter(rachid, "Votre rôle pour", "Domaine du Tafilalet")
    _is_valid(site, rachid, "Domaine du Tafilalet")
    with site.window() as eye:
        come_in(eye, OPS)
        assert eye.page.locator("a[href='/requests']").count() == 0, "ops validate nobody"


def _registers(site: Site, first: str, last: str, email: str) -> None:
    with site.window() as eye:
        page = eye.page
        eye.goto("/registration")
        for name, value in (("first_name", first), ("last_name", last), ("email", email), ("email_again", email)):
            page.locator(f"#{name}").fill(value)
        page.locator("#language").select_option("fr")
        page.locator("input[name=privacy]").check()
        expect(page.locator("input[name=altcha]")).not_to_have_value("", timeout=120_000)
        page.locator("main form button[type=submit]").click()
        page.wait_for_url("**/registration/sent/*")
        _says_after_two_minutes_what_to_do(page)
        page.goto(site.letter(email, "Choisissez votre mot de passe").links[0])
        page.locator("#password").fill(PASSWORD)
        page.locator("#password_again").fill(PASSWORD)
        page.locator("main form button[type=submit]").click()
        expect(page.locator("a[href^='/sign-in']").first).to_be_visible()


def _says_after_two_minutes_what_to_do(page: Page) -> None:
    late = page.locator(".late-hint")
    for seconds, seen in ((119, False), (121, True)):
        page.evaluate(f"document.querySelector('.late-hint').getAnimations()[0].currentTime = {seconds}000")
        expect(late).to_be_visible(visible=seen)


def _sees_the_banner_and_creates_an_operator(eye: Eye, name: str) -> None:
    page = eye.page
    expect(page.locator("main .flash-warn")).to_contain_text(BANNER)
    yellow = page.locator("main .flash-warn").evaluate("each => getComputedStyle(each).backgroundColor")
    red, green, blue = (int(each) for each in re.findall(r"\d+", yellow)[:3])
    assert min(red, green) > blue, yellow
    picture(eye, "20-no-role")
    page.get_by_role("link", name="Demander une autorisation").click()
    for choice in ("Opérateur", "Organisme de contrôle", "Autorité"):
        expect(page.locator(".task-what", has_text=choice).first).to_be_visible()
    picture(eye, "21-three-choices")
    page.get_by_role("link", name="Opérateur").first.click()
    assert page.locator("a[href^='/organisations/new']").count() == 0, "nobody creates before he has searched"
    page.locator("#country").select_option("FR")
    page.locator("main #text").fill(name)
    page.get_by_role("button", name="Rechercher").click()
    page.get_by_role("link", name="Créer un nouvel opérateur").click()
    mark = str(uuid4().int)[:9]
    fields = {"name": name, "address": "3 quai Ségur", "postal_code": "46000", "city": "Cahors"}
    for field, value in (fields | {"email": f"contact@cahors-{mark}.example", "EORI": f"FR46{mark}"}).items():
        page.locator(f"#{field}").fill(value)
    page.locator("#country").select_option("FR")
    page.locator("#activity").select_option("ORG_IMPORTER")
    body = page.locator("#control_body option", has_text="ECOCERT FRANCE").get_attribute("value")
    page.locator("#control_body").select_option(body)
    page.locator("#certificate_number").fill("FR-BIO-01.250")
    proof = {"name": "certificat.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4"}
    page.locator("#certificate_file").set_input_files(proof)  # type: ignore[arg-type]
    page.locator("#message").fill("Nous importons du quinoa.")
    picture(eye, "22-new-operator", whole=True)
    page.get_by_role("button", name="Créer et envoyer la demande d’autorisation").click()
    expect(page.get_by_text("Votre demande est envoyée.").first).to_be_visible()
    row = page.locator("#my-roles .task", has_text=name)
    expect(row).to_contain_text("Demandé")
    expect(row).to_contain_text("INAO")
    picture(eye, "23-requested")


def _inao_validates_operator_and_person(site: Site, email: str, name: str) -> None:
    letter = site.letter(INAO, "à valider", name)
    assert re.search(r"2\sjours ouvrables", letter.text)
    with site.window() as eye:
        page = come_in(eye, INAO)
        page.goto(letter.links[0])
        expect(page.locator("h1")).to_have_text("Léa Cazals")
        eye.goto("/requests")
        picture(eye, "24-waiting")
        page.get_by_role("link", name="Léa Cazals").click()
        for told in (name, "Nous importons du quinoa.", "FR-BIO-01.250", "certificat.pdf"):
            expect(page.locator("main")).to_contain_text(told)
        picture(eye, "25-to-decide", whole=True)
        page.locator("form:has(input[name=action][value=validate]) button").click()
        expect(page.locator(".certificate-title .badge").first).to_have_text("Valide")
        picture(eye, "26-validated", whole=True)


def _is_valid(site: Site, email: str, name: str) -> None:
    site.has_post(email, name)
    with site.window() as eye:
        page = come_in(eye, email, PASSWORD)
        expect(page.locator(".acting")).to_contain_text(name)
        assert page.get_by_text(BANNER).count() == 0
        eye.goto("/roles")
        expect(page.locator("#my-roles .task", has_text=name)).to_contain_text("Valide")
        picture(eye, f"27-valid-{email[:3]}")


def _asks_for_an_operator_that_exists(eye: Eye) -> None:
    page = eye.page
    eye.goto("/roles/operators")
    page.locator("#country").select_option("MA")
    page.locator("main #text").fill("tafilalet")
    page.get_by_role("button", name="Rechercher").click()
    page.get_by_role("row", name=re.compile("Domaine du Tafilalet")).get_by_role("checkbox").check()
    page.get_by_role("button", name="Demander une autorisation").click()
    page.locator("#message").fill("Je tiens les papiers de l’exportation.")
    picture(eye, "28-confirm")
    page.get_by_role("button", name="Envoyer").click()
    expect(page.locator("#my-roles .task", has_text="Domaine du Tafilalet")).to_contain_text("ECOCERT SA")


def _the_body_asks_and_validates(site: Site, email: str) -> None:
    letter = site.letter(BODY, "à valider", "Tafilalet")
    with site.window() as eye:
        page = come_in(eye, BODY)
        page.goto(letter.links[0])
        expect(page.locator("h1")).to_have_text("Rachid Alaoui")
        here = page.url
        page.get_by_role("button", name="Prendre en charge").click()
        expect(page.get_by_role("button", name="Remettre à tous")).to_be_visible()
        asking = page.locator("form:has(input[name=action][value=ask])")
        asking.locator("textarea").fill("Depuis quand ?")
        asking.locator("button").click()
        expect(page.locator(".flash-note")).to_contain_text("Depuis quand ?")
        question = site.letter(email, "question").links[0]
        with site.window() as other:
            come_in(other, email, PASSWORD)
            other.page.goto(question)
            answering = other.page.locator("form:has(input[name=action][value=answer])")
            answering.locator("textarea").fill("Depuis lundi.")
            answering.locator("button").click()
            expect(other.page.locator(".timeline")).to_contain_text("Depuis lundi.")
        page.goto(here)
        expect(page.locator(".timeline")).to_contain_text("Depuis lundi.")
        page.locator("form:has(input[name=action][value=validate]) button").click()
        expect(page.locator(".certificate-title .badge").first).to_have_text("Valide")
