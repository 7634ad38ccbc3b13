"""Every page in every status and language, the list, and the pages beside the certificates, without scripts."""

import html
import re
from typing import Any

import pytest

from services.portal.clients import Trouble
from services.portal.names import STATUSES
from shared.contracts.directory import RoleRequestView
from shared.contracts.identity import PostView
from shared.contracts.notifications import LetterView
from shared.contracts.organisations import Named
from shared.rules.status import MOVES, Status
from tests.portal.conftest import Browser
from tests.portal.reading import AUTHORITY, CONTROL_BODY, EXPORTER, OPS
from tests.portal.routes import ABSENT, pages
from tests.portal.world import NOON, World, organisation_id


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("status", list(Status))
async def test_every_page_opens_in_every_status(world: World, browser: Browser, status: Status, language: str) -> None:
    paper = world.paper(status)
    await browser.sign_in(EXPORTER, language)
    for each in pages(world, paper.id):
        if each.email != EXPORTER:
            continue
        answer = await browser.client.get(each.path, follow_redirects=True)
        wanted = 403 if each.route.endswith(("/goods", "/lines")) and status is not Status.DRAFT else 200
        not_mine = each.route in ("/organisations/{organisation_id}/edit", "/organisations/{organisation_id}/merge")
        wanted = 404 if ABSENT in each.path or not_mine else wanted
        assert answer.status_code == wanted, f"{each.path}: {answer.text[:400]}"
        assert f'<html lang="{language}">' in answer.text


@pytest.mark.parametrize("model", ["COI_2017", "COI_2022"])
async def test_the_sheet_has_every_box_of_its_form(world: World, browser: Browser, model: str) -> None:
    paper = world.paper(Status.ISSUED)
    paper.form_model = model
    await browser.sign_in(CONTROL_BODY)
    page = (await browser.get(f"/certificates/{paper.id}")).text
    numbers = [int(number) for number in re.findall(r'class="box-number">(\d+)<', page)]
    assert numbers == list(range(1, 22 if model == "COI_2017" else 32))
    for name in ("ECOCERT SA", "MA-BIO-154", "Atlas Bio Export", "Pyrénées Bio Import", "Medjool dates", "3,610.25"):
        assert name in page, name


@pytest.mark.parametrize("email", [OPS, AUTHORITY])
async def test_pages_of_ops_and_of_authorities_open(world: World, browser: Browser, email: str) -> None:
    await browser.sign_in(email)
    for each in pages(world, "x"):
        if each.email == email:
            assert (await browser.get(each.path)).status_code == 200, each.path


async def test_ops_see_what_waits_in_each_service(world: World, browser: Browser) -> None:
    await browser.sign_in(OPS)
    overview = (await browser.get("/ops")).text
    for service in ("Certificates", "Letters and news", "Organisations", "Accounts"):
        assert f"<h2>{service}</h2>" in overview, service
    process = (await browser.get(f"/ops/process?certificate={world.paper(Status.ISSUED).id}")).text
    assert "Verify and sign box 20" in process


async def test_what_is_not_mine_and_what_is_not_there_look_the_same(world: World, browser: Browser) -> None:
    foreign = world.paper(Status.DRAFT)
    foreign.creator = organisation_id("sahel-bio-export")
    await browser.sign_in(EXPORTER)
    one = await browser.get(f"/certificates/{foreign.id}")
    other = await browser.get("/certificates/00000000-0000-4000-8000-000000000000")
    assert one.status_code == other.status_code == 404
    assert one.text.replace(foreign.id, "") == other.text.replace("00000000-0000-4000-8000-000000000000", "")


# ---- the list -------------------------------------------------------------------------------------------------


async def test_the_list_filters_sorts_and_pages(world: World, browser: Browser) -> None:
    for status in (Status.DRAFT, Status.ISSUED, Status.ISSUED):
        world.paper(status)
    await browser.sign_in(EXPORTER)
    page = (await browser.get("/certificates?status=ISSUED")).text
    assert page.count("COI.MA.2026.") == 2
    assert 'aria-sort="descending"' in page
    assert "sort=-number" in (await browser.get("/certificates?sort=number")).text
    assert "No certificate fits" in (await browser.get("/certificates?text=zzz")).text
    for _ in range(30):
        world.paper(Status.ISSUED)
    page = (await browser.get("/certificates")).text
    following = re.search(r'href="(/certificates\?[^"]*after=[^"]+)" rel="next"', page)
    assert following is not None
    assert "First page" in (await browser.get(following.group(1).replace("&amp;", "&"))).text


async def test_a_party_is_found_by_its_code(world: World, browser: Browser) -> None:
    world.paper(Status.ISSUED)
    await browser.sign_in(EXPORTER)
    page = (await browser.get("/certificates?find.party=MA-BIO-154")).text
    assert f"party={organisation_id('ecocert-ma')}" in page


# ---- the others -----------------------------------------------------------------------------------------------


async def test_the_letters_of_a_certificate_show_their_fate(world: World, browser: Browser) -> None:
    paper = world.paper(Status.ISSUED)
    letter = LetterView(
        id="l1",
        letter="certificate-submitted",
        subject="Please check COI.MA.2026.0000001",
        organisation_id=organisation_id("ecocert-ma"),
        certificate_id=paper.id,
        state="FAILED",
        attempts=3,
        created_at=NOON,
        sent_at=None,
        message_id="<1@bordereau.example>",
    )
    world.notifications.posted = [letter]
    world.ops.posted = [letter]
    await browser.sign_in(EXPORTER)
    page = (await browser.get(f"/certificates/{paper.id}/letters")).text
    assert "Please check COI.MA.2026.0000001" in page
    assert "failed" in page
    await browser.sign_in(OPS)
    assert "Try again now" in (await browser.get("/ops/letters?state=FAILED")).text
    await browser.post("/ops/letters/l1/retry")
    assert world.ops.retried == ["l1"]


async def test_requests_to_decide_await_me_on_the_first_page(world: World, browser: Browser) -> None:
    inao = Named(id=organisation_id("inao"), name="Ferme du Lot", country="FR")
    asked = {"id": "r1", "revision": 1, "person_id": "p", "person": "Zoé Roux", "role_type": "OPERATOR"}
    asked |= {"status": "REQUESTED", "administrator": True, "organisation": inao, "organisation_kind": "OPERATOR"}
    when = {"organisation_status": "VALID", "since": NOON, "requested_at": NOON}
    world.directory.waiting = [RoleRequestView.model_validate({**asked, **when})]
    await browser.sign_in("desk@inao.example")
    page = (await browser.get("/")).text
    assert "1 request waits." in page
    assert re.search(r'href="/requests/r1">\s*<span class="task-what">Zoé Roux', page)
    assert "Nothing awaits you" not in page


async def test_the_first_page_does_not_wait_for_the_news(world: World, browser: Browser) -> None:
    async def silent(*_: Any, **__: Any) -> Any:
        raise Trouble(503, "unavailable")

    world.notifications.news = silent  # type: ignore[method-assign]
    world.paper(Status.DRAFT)
    await browser.sign_in(EXPORTER)
    page = await browser.get("/")
    assert page.status_code == 200
    assert "Complete and submit the draft" in page.text
    assert "News cannot be shown at the moment" in page.text


async def test_an_organisations_record_says_who_certifies_it(world: World, browser: Browser) -> None:
    await browser.sign_in(EXPORTER)
    page = (await browser.get("/organisations?text=MA-BIO-154")).text
    assert "ECOCERT SA" in page
    page = (await browser.get(f"/organisations/{organisation_id('pyrenees-bio-import')}")).text
    assert "ECOCERT FRANCE" in page
    assert "FR00100311000010" in page


async def test_a_service_that_does_not_answer_is_said_to_rest(world: World, browser: Browser) -> None:
    await browser.sign_in(EXPORTER)

    async def silent(*_: Any, **__: Any) -> Any:
        raise Trouble(503, "unavailable")

    world.certificates.certificates = silent  # type: ignore[method-assign]
    answer = await browser.get("/certificates")
    assert answer.status_code == 503
    assert "A part of the system is resting" in answer.text
    assert 'href="/certificates"' in answer.text, "a link to try again"


async def test_an_address_that_leads_nowhere_says_so_with_a_way_out(browser: Browser) -> None:
    answer = await browser.get("/nowhere", **{"accept-language": "fr"})
    assert answer.status_code == 404
    assert "Il n’y a rien ici" in answer.text
    assert 'href="/help"' in answer.text


@pytest.mark.parametrize(("form", "signs"), [("COI_2017", "Sign box 21"), ("COI_2022", "Sign box 31")])
async def test_the_help_shows_the_path_of_a_certificate(browser: Browser, form: str, signs: str) -> None:
    page = (await browser.get(f"/help?form={form}", **{"accept-language": "en"})).text
    path = re.sub(r"\s*<[^>]+>\s*", "|", page[page.index("The path of a certificate</h3>") :].partition("</table>")[0])
    for each in MOVES:
        if each.target not in (each.source, None):
            assert STATUSES[each.source].name in html.unescape(path)
    assert re.search(rf"{signs}\|+First consignee", path)
    assert "back to where it stood" in path


async def test_posts_carry_their_code(world: World, browser: Browser) -> None:
    post = PostView(
        organisation_id=organisation_id("ecocert-ma"),
        organisation="ECOCERT SA (démonstration)",
        code="MA-BIO-154",
        role_type="CONTROL_BODY",
        administrator=True,
    )
    world.identity.people[CONTROL_BODY] = world.identity.people[CONTROL_BODY].model_copy(update={"posts": [post]})
    await browser.sign_in(CONTROL_BODY)
    assert "MA-BIO-154" in (await browser.get("/profile")).text
