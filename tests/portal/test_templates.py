"""Templates in the browser: kept from a certificate, renamed, begun from, deleted."""

from shared.rules.status import Status
from tests.portal.conftest import Browser
from tests.portal.making import TEMPLATE
from tests.portal.routes import EXPORTER
from tests.portal.world import World


async def test_a_template_by_hand(world: World, browser: Browser) -> None:
    await browser.sign_in(EXPORTER)
    paper = world.paper(Status.ISSUED)
    sheet = await browser.get(f"/certificates/{paper.id}")
    assert f'href="/certificates/{paper.id}/template"' in sheet.text
    nameless = await browser.post(f"/certificates/{paper.id}/template", {"name": " "})
    assert (nameless.status_code, "Please give the template a name." in nameless.text) == (422, True)
    kept = await browser.post(f"/certificates/{paper.id}/template", {"name": "Olive oil"})
    assert (kept.url.path, "The template is kept." in kept.text) == ("/templates", True)
    taken = await browser.post(f"/templates/{TEMPLATE}", {"name": "Olive oil"})
    assert (taken.status_code, "has a template of this name" in taken.text) == (422, True)
    assert "Medjool" in (await browser.post(f"/templates/{TEMPLATE}", {"name": "Medjool"})).text
    begun = await browser.post(f"/templates/{TEMPLATE}/certificates", {}, follow=False)
    assert (begun.status_code, begun.headers["location"]) == (303, f"/certificates/{TEMPLATE}?said=created")
    gone = await browser.post(f"/templates/{TEMPLATE}/deletion", {})
    assert "The template is deleted." in gone.text
    assert [each.name for each in world.making.kept] == ["Olive oil"]


async def test_the_post_is_not_offered_to_begin_certificates(world: World, browser: Browser) -> None:
    await browser.sign_in("officer@perpignan.example")
    paper = world.paper(Status.ISSUED)
    assert "/template" not in (await browser.get(f"/certificates/{paper.id}")).text
    assert "Begin a certificate" not in (await browser.get("/templates")).text
