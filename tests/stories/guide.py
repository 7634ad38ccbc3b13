"""What else guide 002 shows in its section 3, by hand: the other form, who is responsible for the load, documents,
extracts, an irregularity, a replacement, a deletion, a release as conventional.

One thing to remember: each person has one window and comes back to it; what the first story showed is done by HTTP.
"""

import json
import re
from collections.abc import Coroutine
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from playwright.sync_api import Page, expect

from tests.journeys.people import (
    BODY,
    BORDER,
    CONSIGNEE,
    EXPORTER,
    IMPORTER,
    Person,
    boxes,
    fresh_key,
    organisation,
    until,
)
from tests.portal.chromium import Eye
from tests.services.certificates.papers import pdf
from tests.stories.site import Site, come_in, keep

FORWARDER: Final = "forwarder@transit-catalan.example"
LINE: Final = {
    "trade_name": "Dattes Medjool", "packages": 480, "package_type": "CT", "net_weight": "1000", "unit": "KGM",
    "producer": organisation("cooperative-souss"), "producer_control_body": organisation("ecocert-ma"),
    "organic": "organic",
}  # fmt: skip
T = TypeVar("T")


@dataclass
class Office:
    """Everybody at his window, and the same people over HTTP."""

    site: Site
    stack: ExitStack
    eyes: dict[str, Eye] = field(default_factory=dict)

    def of(self, email: str) -> Page:
        """Somebody's window, signed in, in French."""
        if email not in self.eyes:
            eye = self.eyes[email] = self.stack.enter_context(self.site.window())
            come_in(eye, email)
        return self.eyes[email].page

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """What comes of something asynchronous."""
        return self.site.wait(work)

    def picture(self, page: Page, name: str) -> None:
        """Keep what is seen."""
        keep(page, f"12-{name}")

    def at(self, email: str, path: str) -> Page:
        """Somebody opens a page."""
        page = self.of(email)
        assert self.eyes[email].goto(path) == 200, path
        return page

    def person(self, email: str) -> Person:
        """The same somebody over HTTP."""
        return self.wait(self.site.people(email))

    def does(self, email: str, path: str, said: str, **answers: str | bool) -> Page:
        """Somebody answers what an order asks, and gives it."""
        page = self.at(email, path)
        for name, answer in answers.items():
            asked = page.locator(f"[name='form.{name}']")
            if asked.first.get_attribute("type") == "radio":
                page.locator(f"[name='form.{name}'][value='{str(answer).lower()}']").check()
            else:
                asked.fill(str(answer))
        self.picture(page, path.rpartition("/")[2])
        page.locator(".confirm button[type=submit]").click()
        page.wait_for_url(lambda url: "/do/" not in url)
        expect(page.locator(".flash").first).to_contain_text(said)
        return page


def walk(site: Site) -> None:
    """All of it, on an installation that runs."""
    with ExitStack() as stack:
        office = Office(site, stack)
        batches = _on_the_form_of_2022(office)
        _in_batches(office, batches)
        _an_irregularity(office, batches)
        _another_in_its_place(office)
        _a_mistake_is_deleted(office)
        for email, eye in office.eyes.items():
            assert eye.complaints == [], email
            assert eye.asked_elsewhere == [], email


def _pick(page: Page, name: str, typed: str, wanted: str) -> None:
    """Find an organisation in a picker, and take it."""
    page.locator(f"#find-{name}").press_sequentially(typed, delay=15)
    page.locator(f"#list-{name} .picker-option", has_text=wanted).first.click()
    expect(page.locator(f"[data-picker]:has(#find-{name}) [data-chosen]")).to_contain_text(wanted)


def _on_the_form_of_2022(office: Office) -> str:
    """Two goods, box by box where this form or the guide asks for more, to the decision for batches; its path."""
    page = office.at(EXPORTER, "/certificates/new?cn=08041000&q=avocats")
    page.locator("input[value='08044000']").check()
    page.get_by_role("button", name="Fait").click()
    page.locator("#form_model").select_option("COI_2022")
    page.get_by_role("button", name="Enregistrer comme brouillon").click()
    expect(page.locator("#box-9 #country_of_export")).to_have_value("MA")  # after the exporter of box 5
    where = re.sub(r"[?#].*", "", page.url).removeprefix(office.site.address)
    mark = where.rpartition("/")[2]
    exporter = office.person(EXPORTER)
    draft = office.wait(exporter.sees(mark))
    common = {name: value for box in boxes() for name, value in box.items() if name != "transport"}
    lines = [{**line, **LINE, "lot": f"L-{n}"} for n, line in enumerate(draft["content"]["product_lines"], 1)]
    common |= {"first_consignee": None, "release_by_batches": True, "product_lines": lines}
    office.wait(exporter.edits(mark, draft["revision"], **common))

    page = office.at(EXPORTER, where)
    page.locator("#country_of_export").select_option("TN")  # filled in, and changeable
    page.locator("#national_reference").fill("AT-2022")
    expect(page.locator("#state")).to_contain_text("Enregistré")
    page.locator("#country_of_export").select_option("MA")
    expect(page.locator("#box-11")).not_to_contain_text("France")  # in batches there is no destination
    page.locator("#box-13 button[name=add_line]").first.click()
    expect(page.locator("#box-13 fieldset.good-line")).to_have_count(3)
    page.locator("#box-13 button[name=remove_line]").nth(1).click()
    expect(page.locator("#box-13 fieldset.good-line")).to_have_count(2)
    page.locator("[id='line.1.organic']").select_option("in_conversion")
    page.locator("[id='transport.mode']").select_option("1")
    page.locator("[id='transport.identification']").fill("MV Agadir")
    page.locator("[id='transport.document']").fill("BL-2022-1")
    _pick(page, "responsible_for_load-new", "catalan", "Transit Catalan")
    page.locator("#transfer_to").fill("Plateforme de Saint-Charles")
    page.locator("#control_point").fill("Point de contrôle FRPGF4")
    page.locator("#national_reference").focus()
    office.picture(page, "2022-draft")
    page.get_by_role("button", name="Soumettre à la certification").click()
    page.wait_for_url("**/do/submit")
    page.locator(".confirm button[type=submit]").click()
    expect(page.locator("h1")).to_contain_text("COI.MA.")
    expect(page.locator("#box-13")).to_contain_text("en conversion")

    page = office.at(EXPORTER, f"{where}/documents")
    page.locator("#type").select_option("705")
    page.locator("#document-form .button-main").click()
    page.locator("#number").fill("BL-2022-1")
    page.locator("#date").fill("2026-11-02")
    page.locator("#issuer").fill("Compagnie du Souss")
    page.locator("#file").set_input_files({"name": "bl.pdf", "mimeType": "application/pdf", "buffer": pdf()})
    page.locator("#document-form .button-main").click()
    expect(page.locator("article.document")).to_contain_text("bl.pdf")
    office.picture(page, "document")
    body = office.person(BODY)
    for kind in ("380", "271"):
        office.wait(_enclosed(body, mark, kind))
    office.wait(body.does(mark, "sign"))

    done = office.does(
        BORDER, f"{where}/do/open_batches", "base pour extrait", documentary="acceptable", identity="acceptable",
        onward_transfer=True, control_point_reached="2026-11-26T09:00", transport_after="AB-123-CD",
        release_as="organic",
    )  # fmt: skip
    for box, content in (("26", "oui"), ("28", "AB-123-CD"), ("30", "Jordi Puig")):
        expect(done.locator(f"#box-{box}")).to_contain_text(content)
    return where


async def _enclosed(person: Person, mark: str, kind: str) -> None:
    """A document added over HTTP."""
    headers = await person.headers()
    url = f"{person.addresses['certificates']}/certificates/{mark}"
    sent = await person.web.post(f"{url}/uploads?name={kind}.pdf", headers=headers, content=pdf())
    said = {"type": kind, "number": "1", "date": "2026-11-02", "issuer": "Atlas", "upload": sent.json()["id"]}
    keyed = {**headers, "Idempotency-Key": fresh_key(), "Content-Type": "application/json"}
    person.checked(await person.web.post(f"{url}/documents", headers=keyed, content=json.dumps(said)))


def _in_batches(office: Office, where: str) -> None:
    """An extract begun, too large, cut to what is left, endorsed, received; what is left is told."""
    page = office.at(IMPORTER, f"{where}/extracts")
    page.get_by_role("button", name="Initier un extrait").click()
    expect(page.locator("#box-product_lines")).to_contain_text("reste 480")
    here = re.sub(r"[?#].*", "", page.url).removeprefix(office.site.address)
    page.locator("[id='line.1.packages']").fill("481")
    page.locator("[id='line.1.net_weight']").fill("400,5")
    _pick(page, "consignee", "garonne", "Garonne Bio")
    page.locator("button[name=do][value=submit]").click()
    page.wait_for_url("**/do/submit")
    expect(page.locator(".flash-bad")).to_contain_text("480")
    page = office.at(IMPORTER, here)
    page.locator("[id='line.1.packages']").fill("200")
    page.locator("button[name=do][value=submit]").click()
    page.wait_for_url("**/do/submit")
    page.locator(".confirm button[type=submit]").click()
    page.wait_for_url(lambda url: "/do/" not in url)
    expect(page.locator(".flash").first).to_be_visible()
    office.does(BORDER, f"{here}/do/verify", "", release_as="organic")
    done = office.does(CONSIGNEE, f"{here}/do/receive", "", in_order=True)
    expect(done.locator("#box-consignee_declaration")).to_contain_text("Luc Marty")
    page = office.at(IMPORTER, f"{where}/extracts")
    expect(page.locator("table").first).to_contain_text("280")
    expect(page.locator("table").first).to_contain_text("599,5")
    expect(page.locator("section[aria-labelledby=trace]")).to_contain_text("Garonne Bio")  # to the consignee…
    expect(page.locator("section[aria-labelledby=trace]")).to_contain_text("Souss")  # …and from the producer
    office.picture(page, "extracts")


def _an_irregularity(office: Office, where: str) -> None:
    """Signalled by the authority, answered by the control body, concluded; extracts are frozen meanwhile."""
    office.does(
        BORDER, f"{where}/do/signal_irregularity", "signalée", notice_reference="FR-2026-17",
        nature="Résidus de chlorpyrifos", legal_aspect="Article 29",
    )  # fmt: skip
    page = office.at(IMPORTER, f"{where}/extracts")
    expect(page.get_by_role("button", name="Initier un extrait")).to_have_count(0)
    office.does(BODY, f"{where}/do/reply_irregularity", "", results="Dérive d’un voisin", measures="Lot retiré")
    page = office.does(BORDER, f"{where}/do/conclude_irregularity", "", decision="as_before", conclusion="Sans suite")
    expect(page.locator(".badge").first).to_contain_text("Base pour extrait")
    notice = page.locator("section[aria-labelledby=notice-1]")
    for said in ("FR-2026-17", "Dérive d’un voisin", "Sans suite"):
        expect(notice).to_contain_text(said)


def _another_in_its_place(office: Office) -> None:
    """The importer adds who is responsible for the load; the body replaces; the authority releases as conventional."""
    mark = office.wait(office.site.people.brought_to("sign"))["id"]
    where = f"/certificates/{mark}"
    page = office.at(IMPORTER, f"{where}?edit=responsible_for_load")
    _pick(page, "responsible_for_load-new", "catalan", "Transit Catalan")
    page.locator("#box-responsible_for_load button[name=save]").click()
    expect(page.locator("#box-responsible_for_load .organisation-name")).to_contain_text("Transit Catalan")
    assert office.wait(office.person(FORWARDER).sees(mark))["ties"] == ["RFL"]

    page = office.does(BODY, f"{where}/do/replace", "", reason="Un numéro de lot était faux")
    page.locator(".flash a[href^='/certificates/']").first.click()
    page.wait_for_url(lambda url: mark not in url)
    successor = re.sub(r"[?#].*", "", page.url).removeprefix(office.site.address)
    page.locator("#line\\.1\\.lot").fill("L-JUSTE")
    with page.expect_navigation():
        page.get_by_role("button", name="Enregistrer", exact=True).click()
    office.does(BODY, f"{successor}/do/sign", "signée", documentary="acceptable", physical="not_done")
    office.wait(until(lambda: _stands(office, mark, "REPLACED")))
    page = office.at(IMPORTER, where)
    expect(page.locator(".badge").first).to_contain_text("Remplacé")
    page.locator(f".flash a[href='{successor}']").click()
    expect(page.locator("#box-13")).to_contain_text("L-JUSTE")
    office.does(
        BORDER, f"{successor}/do/release_conventional", "conventionnel", documentary="acceptable", reason="Résidus"
    )
    expect(office.of(BORDER).locator(".badge").first).to_contain_text("conventionnel")


async def _stands(office: Office, mark: str, status: str) -> bool:
    """Whether a certificate has come to this status: its own process sees to it."""
    body = await office.site.people(BODY)
    return bool((await body.sees(mark))["status"] == status)


def _a_mistake_is_deleted(office: Office) -> None:
    """The control body deletes what was submitted by mistake; not without a reason."""
    where = f"/certificates/{office.wait(office.site.people.brought_to('submit'))['id']}"
    page = office.at(BODY, f"{where}/do/delete")
    page.locator(".confirm button[type=submit]").click()
    expect(page.locator(".flash-bad")).to_be_visible()
    page = office.does(BODY, f"{where}/do/delete", "supprimé", reason="Établi deux fois")
    expect(page.locator(".badge").first).to_contain_text("Supprimé")
