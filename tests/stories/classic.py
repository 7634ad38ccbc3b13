"""A classic account by hand in a real browser, with the letters: guides 003 and 004, in French.

Nadia registers, her authority finds, corrects and activates her, she signs in, forgets her password, and then the
answer as well; two others wait, and the authority answers both at once.
"""

import os
import re
from uuid import uuid4

import httpx2
from playwright.sync_api import expect

from tests.journeys.newcomers import Applicant
from tests.portal.chromium import Eye
from tests.stories.site import Site, come_in, keep, types

DESK, WRONG, OPS = "desk@ddpp31.example", "desk@inao.example", "ops@bordereau.example"
PASSWORD, ANOTHER, LAST = "Plum-tree-in-42-gardens!", "Pear-tree-in-43-gardens!", "Fig-tree-in-44-gardens!"
QUESTION = "Quel est votre héros préféré ?"
DIGEST = "Demandes de création d’utilisateurs"


def walk(site: Site) -> None:
    """The whole story."""
    nadia = f"nadia+{uuid4().hex[:8]}@lauragais.example"
    with site.window() as eye:
        _registers(site, eye, nadia)
    with site.window() as eye:
        _cannot_sign_in(eye, nadia)
        _the_authority_activates(site, eye, nadia)
    with site.window() as eye:
        assert "activé" in site.letter(nadia, "Votre compte a été activé").text
        _signs_in(eye, nadia, PASSWORD)
        _forgets_the_password(site, eye, nadia)
    with site.window() as eye:
        _the_authority_resets(eye, nadia)
        _chooses_another_question(site, eye, nadia)
    with site.window() as eye:
        _ops_set_a_question(site, eye, nadia)
    with site.window() as eye:
        _several_at_once(site, eye, *site.wait(_two_more(site)))


def _look(eye: Eye, name: str) -> None:
    """Have axe look at it, and measure it on a narrow window; keep pictures where PICTURES says so."""
    assert eye.complaints == [], name
    assert eye.violations() == [], name
    assert eye.asked_elsewhere == [], name
    for width in (390, 1440):
        eye.page.set_viewport_size({"width": width, "height": 900})
        assert eye.overflow() == 0, name
        if os.environ.get("PICTURES"):
            keep(eye.page, f"{name}-{width}", whole=True)


async def _two_more(site: Site) -> list[Applicant]:
    """Two others, whose requests wait."""
    async with httpx2.AsyncClient(timeout=30) as web:
        both = [Applicant(site.stack, web, name) for name in ("Omar", "Iris")]
        for each in both:
            await each.asks()
            await each.confirms()
        return both


def _registers(site: Site, eye: Eye, email: str) -> None:
    page = eye.page
    eye.goto("/welcome")
    page.get_by_role("link", name="Enregistrer un nouveau compte d’utilisateur").click()
    page.locator("#email").fill(email)
    for field in ("password", "password_again"):
        page.locator(f"#{field}").fill(PASSWORD)
    page.locator("#question").select_option(label=QUESTION)
    page.locator("#answer").fill("Zorro d’Été")
    page.locator("#search").fill("Pyrénées Bio Import")
    page.get_by_role("button", name="Rechercher", exact=True).click()
    page.get_by_role("button", name=re.compile("Sélectionner Pyrénées Bio Import")).click()
    expect(page.locator("[id='organisation.name']")).to_have_value(re.compile("Pyrénées Bio Import"))
    page.get_by_role("button", name="Effacer").click()
    expect(page.locator("[id='organisation.name']")).to_have_value("")
    assert page.locator("#email").input_value() == email, "what else was typed stays"
    place = {"name": "Lauragais Bio", "address": "3 rue du Pastel", "postal_code": "31250", "city": "Revel"}
    for field, value in place.items():
        page.locator(f"[id='organisation.{field}']").fill(value)
    page.locator("[id='organisation.country']").select_option("FR")
    page.locator("#first_name").fill("Nadia")
    page.locator("#last_name").fill("Ségur")
    page.locator("#phone").fill("+33 5 36 49 00 31")
    page.locator("input[name=privacy]").check()
    expect(page.locator("input[name=altcha]")).not_to_have_value("", timeout=120_000)
    _look(eye, "30-classic-form")
    page.get_by_role("button", name="Soumettre").click()
    page.wait_for_url("**/registration/classic/sent/*")
    _look(eye, "31-classic-sent")
    page.goto(str(site.letter(email, "Demande de confirmation").links[0]))
    expect(page.locator("main")).to_contain_text("Lauragais Bio")
    _look(eye, "32-classic-confirm")
    page.get_by_role("button", name="Confirmer ma demande").click()
    for told in (
        "Votre demande d’enregistrement a été confirmée.",
        "DDPP de la Haute-Garonne",
        "contact@ddpp31.example",
    ):
        expect(page.locator("main")).to_contain_text(told)
    _look(eye, "33-classic-confirmed")


def _cannot_sign_in(eye: Eye, email: str) -> None:
    expect(types(eye, email, PASSWORD).locator(".flash-bad")).to_be_visible()


def _signs_in(eye: Eye, email: str, password: str) -> None:
    expect(types(eye, email, password).locator(".who-name")).to_have_text("Nadia Ségur-Roux")


def _the_authority_activates(site: Site, eye: Eye, email: str) -> None:
    digest = site.letter(DESK, DIGEST, "Nadia Ségur")
    page = come_in(eye, WRONG)
    own = next(each for each in digest.links if "/users/" in each)
    assert (answer := page.goto(own)) is not None
    assert answer.status == 404, "for every other authority there is nothing here"
    page.context.clear_cookies()
    come_in(eye, DESK)
    eye.goto("/language/fr")
    page.goto(next(each for each in digest.links if each.endswith("/users?state=CONFIRMED")))
    expect(page.locator("h1")).to_have_text("Gestion des utilisateurs")
    for field, value in (("email", email), ("name", "ségur"), ("postal_code", "312"), ("organisation", "lauragais")):
        page.locator(f"#{field}").fill(value)
    with page.expect_navigation():
        page.get_by_role("button", name="Rechercher").click()
    row = page.get_by_role("row", name=re.compile("Ségur Nadia"))
    expect(row).to_contain_text("Confirmé")
    _look(eye, "34-users")
    row.get_by_role("link").click()
    page.locator("#last_name").fill("Ségur-Roux")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.locator("h1")).to_have_text("Nadia Ségur-Roux")
    _look(eye, "35-user")
    page.get_by_role("button", name="Activer").click()
    expect(page.locator(".certificate-title .badge")).to_have_text("Valide")


def _asks_for_a_password(site: Site, eye: Eye, email: str) -> None:
    eye.goto("/sign-in")
    eye.page.get_by_role("link", name="Demander l’envoi d’un nouveau mot de passe").click()
    eye.page.locator("#email").fill(email)
    eye.page.locator("main form button[type=submit]").click()
    expect(eye.page.locator("main")).to_contain_text("courriel")


def _temporary(site: Site, email: str, number: int = 1) -> str:
    """The temporary password of the newest of so many letters."""
    found = re.search(r"TR\d{12}", site.letter(email, "", "TR", number).text)
    assert found
    return found.group()


def _forgets_the_password(site: Site, eye: Eye, email: str) -> None:
    page = eye.page
    page.context.clear_cookies()
    _asks_for_a_password(site, eye, email)
    temporary = _temporary(site, email)
    types(eye, email, temporary)
    expect(page.locator("h1")).to_have_text("Choisissez votre mot de passe")
    for field in ("password", "password_again"):
        page.locator(f"#{field}").fill(ANOTHER)
    page.locator("#question").select_option(label=QUESTION)
    page.locator("#answer").fill("zorro d’été")
    page.locator("main form button[type=submit]").click()
    expect(page.locator("#answer-problems")).to_contain_text("exactement")
    _look(eye, "37-own-password")
    for field in ("password", "password_again"):
        page.locator(f"#{field}").fill(ANOTHER)
    page.locator("#answer").fill("Zorro d’Été")
    page.locator("main form button[type=submit]").click()
    expect(page.locator("main a[href^='/sign-in']").first).to_be_visible()
    expect(types(eye, email, temporary).locator(".flash-bad")).to_be_visible()
    _signs_in(eye, email, ANOTHER)


def _the_authority_resets(eye: Eye, email: str) -> None:
    page = come_in(eye, DESK)
    eye.goto(f"/users?email={email.replace('+', '%2B')}")
    page.get_by_role("row", name=re.compile("Ségur-Roux Nadia")).get_by_role("link").click()
    reset = page.locator("form:has(input[name=action][value=reset_password])")
    reset.locator("textarea").fill("Demandé par téléphone")
    reset.locator("button").click()
    expect(page.locator(".timeline")).to_contain_text("a réinitialisé le mot de passe")


def _chooses_another_question(site: Site, eye: Eye, email: str) -> None:
    page = eye.page
    page.context.clear_cookies()
    types(eye, email, _temporary(site, email, number=2))
    expect(page.locator("label[for=question]")).to_contain_text("Nouvelle question secrète")
    for field in ("password", "password_again"):
        page.locator(f"#{field}").fill(LAST)
    page.locator("#question").select_option("band")
    page.locator("#answer").fill("Zebda")
    page.locator("main form button[type=submit]").click()
    expect(page.locator("main a[href^='/sign-in']").first).to_be_visible()
    _signs_in(eye, email, LAST)


def _ops_set_a_question(site: Site, eye: Eye, email: str) -> None:
    """On request, and no more: the platform's team sees neither organisation nor name to correct."""
    page = come_in(eye, OPS)
    eye.goto("/language/fr")
    page.get_by_role("link", name="Utilisateurs").first.click()
    page.locator("#email").fill(email)
    with page.expect_navigation():
        page.get_by_role("button", name="Rechercher").click()
    page.get_by_role("row", name=re.compile("Ségur-Roux Nadia")).get_by_role("link").click()
    assert page.get_by_text("Lauragais Bio").count() + page.locator("#last_name").count() == 0
    page.locator("#question").select_option(label=QUESTION)
    page.locator("#answer").fill("Rosa Bonheur, à Toulouse")
    page.locator("form[action$='/question'] [name=reason]").fill("Demandé par écrit, pièce d’identité vue")
    _look(eye, "39-question")
    page.get_by_role("button", name="Définir cette question").click()
    expect(page.locator(".timeline")).to_contain_text("a défini une nouvelle question secrète")
    for told in (email, DESK):
        assert email in site.letter(told, "Une question secrète a été modifiée", "sur demande").text


def _several_at_once(site: Site, eye: Eye, *two: Applicant) -> None:
    page = come_in(eye, DESK)
    eye.goto("/users?organisation=lapujade&state=CONFIRMED")
    expect(page.locator("input[name=chosen]")).to_have_count(2)
    page.locator("input[data-all=chosen]").check()
    page.locator("#reason").fill("Veuillez vous adresser au Tarn.")
    page.get_by_role("button", name="Refuser").click()
    expect(page.locator(".flash[role=status]")).to_contain_text("2 utilisateurs traités")
    _look(eye, "38-several")
    for each in two:
        assert "Tarn" in site.letter(each.email, "refused").text
