"""Finding in the portal, without scripts: filters, chips, counts, kept searches, files; and the page for programs."""

import re

import pytest

from services.certificates.finding import FILTERS, Reads
from services.portal.pages.search import FIELDS
from shared.contracts.certificate_views import CertificateLine
from shared.rules.status import Status
from tests.portal.conftest import Browser
from tests.portal.programs import HOOK
from tests.portal.world import World, organisation_id

EXPORTER, IMPORTER = "exporter@atlas.example", "importer@pyrenees.example"
PARTNER = organisation_id("pyrenees-bio-import")
ASK = (
    "text=dattes&goods=medjool&cn_code=0804&lot=L-1&container=CSQU&document=BL&country_of_origin=MA&country_of_export=MA"
    "&clearance_country=FR&authority_country=FR&form_model=COI_2017&created_from=2026-11-01&created_until=2026-11-30"
    "&issued_from=2026-11-01&issued_until=2026-11-30&decided_from=2026-11-01&decided_until=2026-11-30"
    f"&arrival_from=2026-11-01&arrival_until=2026-12-30&flag=overdue&flag=lab_pending&awaits_me=true&ours=true"
    f"&party={PARTNER}&exporter={PARTNER}&importer={PARTNER}&issuing_body={PARTNER}&first_consignee={PARTNER}"
    f"&entry_authority={PARTNER}&responsible_for_load={PARTNER}&producer={PARTNER}"
)


def plain(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)).replace("&amp;", "&")


async def test_every_filter_is_a_chip_that_can_be_taken_away(browser: Browser) -> None:
    await browser.sign_in(EXPORTER)
    page = (await browser.get(f"/certificates?{ASK}")).text
    chips = re.findall(r'<a class="chip chosen-chip" href="([^"]+)"', page)
    assert len(chips) == len(FIELDS) + 1  # two flags
    assert all(href.count("=") == len(FIELDS) for href in chips)
    assert "Pyrénées" in plain(page)
    assert '<details class="fold more-filters" open>' in page
    for name in (field.name for field in FIELDS):
        assert f'name="{name}"' in page, name


async def test_every_filter_there_is_can_be_set_on_the_page_and_kept(browser: Browser, world: World) -> None:
    await browser.sign_in(EXPORTER)
    page = (await browser.get("/certificates")).text
    form = page[page.index('role="search"') :].partition("</form>")[0]
    for row in FILTERS:
        role = f'<option value="{row.name}"'
        assert role in form if row.reads is Reads.ORGANISATION else f' name="{row.name}"' in form, row.name
    assert 'name="text"' in form
    assert form.count('name="status"') == len(Status)
    query = f"{ASK}&status=ISSUED&status=DELETED"
    await browser.post("/searches", {"query": query, "name": "All of them", "key": "k" * 8})
    (search,) = world.certificates.programs.searches.values()
    assert search["query"].keys() == {"text", *(row.name for row in FILTERS)}


async def test_what_is_no_filter_narrows_nothing(browser: Browser, world: World) -> None:
    world.paper(Status.ISSUED)
    await browser.sign_in(EXPORTER)
    wrong = (
        "status=SIGNED&created_from=yesterday&country_of_origin=Morocco&flag=red&exporter=x&form_model=3&awaits_me=1"
    )
    answer = await browser.get(f"/certificates?{wrong}")
    assert answer.status_code == 200
    assert "chosen-chip" not in answer.text
    assert "COI.MA.2026" in answer.text


async def test_statuses_are_counted_and_chosen_by_links(browser: Browser, world: World) -> None:
    world.paper(Status.ISSUED)
    await browser.sign_in(EXPORTER)
    page = (await browser.get("/certificates?status=ISSUED&status=DELETED")).text
    assert page.count('class="chip chosen-chip"') == 2
    assert 'href="/certificates?status=DELETED"' in page
    assert re.findall(r'name="status" value="(\w+)" checked', page) == ["ISSUED", "DELETED"]


async def test_an_organisation_is_looked_for_by_name_in_the_role_asked(browser: Browser) -> None:
    await browser.sign_in(EXPORTER)
    page = (await browser.get("/certificates?lot=L-1&find.party=pyr&as=importer")).text
    assert f'href="/certificates?lot=L-1&amp;importer={PARTNER}"' in page
    assert "Nobody of this name" in (await browser.get("/certificates?find.party=nobody-at-all")).text


async def test_a_search_is_kept_shared_and_given_up_without_scripts(browser: Browser, world: World) -> None:
    kept = world.certificates.programs.searches
    await browser.sign_in(EXPORTER)
    page = await browser.post("/searches", {"query": "goods=dattes&awaits_me=true", "name": "Mine", "key": "k" * 8})
    assert "The search is kept." in page.text
    (search,) = kept.values()
    assert (search["name"], search["query"]) == ("Mine", {"goods": "dattes", "awaits_me": True})
    assert 'href="/certificates?goods=dattes&amp;awaits_me=true"' in page.text
    await browser.post(f"/searches/{search['id']}", {"do": "share"})
    assert search["shared"] is True
    await browser.post(f"/searches/{search['id']}", {"do": "drop"})
    assert kept == {}


async def test_a_list_is_exported_as_it_is_shown(browser: Browser, world: World) -> None:
    world.paper(Status.ISSUED)
    await browser.sign_in(EXPORTER)
    page = (await browser.get("/certificates?goods=dates&sort=number")).text
    links = re.findall(r'href="(/lists/certificates\.\w+\?[^"]+)"', page)
    for link, kind in zip(links, ("text/csv", "application/vnd"), strict=True):
        answer = await browser.get(link.replace("&amp;", "&"))
        assert answer.headers["content-type"].startswith(kind)
        assert "attachment" in answer.headers["content-disposition"]
    assert world.certificates.programs.wishes == [{"goods": "dates", "sort": "number"}] * 2
    assert set(CertificateLine.model_fields) >= {"number", "goods"}


async def test_a_list_that_finds_nothing_says_what_to_do(browser: Browser) -> None:
    await browser.sign_in(EXPORTER)
    assert "Please take a filter away" in (await browser.get("/certificates?text=nothing-like-this")).text
    empty = (await browser.get("/certificates")).text
    assert "No certificate yet" in empty
    assert "/lists/" not in empty


# ── programs ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_token_is_made_shown_once_and_revoked(browser: Browser, world: World) -> None:
    await browser.sign_in(EXPORTER)
    made = await browser.post("/machines/tokens", {"name": "ERP", "scope": ["read", "draft"], "days": "90"})
    assert "bdx_abc123-the-rest" in made.text
    assert made.headers["cache-control"] == "no-store"
    again = await browser.get("/machines")
    assert "http://portal.example/api</code>" in again.text
    assert "bdx_abc123-the-rest" not in again.text
    assert "bdx_abc123" in again.text
    (token,) = world.identity.programs.tokens.values()
    assert token["scopes"] == ["read", "draft"]
    assert "revoked" in (await browser.post(f"/machines/tokens/{token['id']}")).text


@pytest.mark.parametrize("wrong", [{"name": ""}, {"scope": ""}, {"scope": "sign"}, {"days": "9999"}, {"days": "x"}])
async def test_a_token_without_name_permission_or_end_is_asked_again(browser: Browser, wrong: dict[str, str]) -> None:
    await browser.sign_in(EXPORTER)
    answer = await browser.post("/machines/tokens", {"name": "ERP", "scope": "read", "days": "90", **wrong})
    assert answer.status_code == 422
    assert "Please give the token a name" in answer.text


async def test_a_webhook_is_made_tried_paused_rotated_and_given_up(browser: Browser, world: World) -> None:
    await browser.sign_in(EXPORTER)
    refused = await browser.post("/machines/webhooks", {"url": "ftp://erp.example/x"})
    assert (refused.status_code, "Please give an address" in refused.text) == (422, True)
    made = await browser.post("/machines/webhooks", {"url": "https://erp.example/x"})
    assert "whsec_the-secret" in made.text
    world.certificates.programs.hook()
    page = (await browser.get(f"/machines/webhooks/{HOOK}")).text
    for words in ("the receiver answered with an error", "(500)", "the address is not public", "A trial"):
        assert words in page
    for do in ("try", "pause", "resume"):
        await browser.post(f"/machines/webhooks/{HOOK}", {"do": do})
    assert "whsec_another" in (await browser.post(f"/machines/webhooks/{HOOK}", {"do": "rotate"})).text
    await browser.post(f"/machines/webhooks/{HOOK}/deliveries/{HOOK}")
    await browser.post(f"/machines/webhooks/{HOOK}", {"do": "drop"})
    told = [each for each in world.certificates.programs.told if HOOK in each]
    assert [each.replace(f"/webhooks/{HOOK}", "") for each in told] == [
        "POST /ping", "PUT ", "PUT ", "POST /secret", f"POST /deliveries/{HOOK}/replay", "DELETE ",
    ]  # fmt: skip
    assert (await browser.get(f"/machines/webhooks/{HOOK}")).status_code == 404


async def test_programs_are_for_administrators(browser: Browser, world: World) -> None:
    person = world.identity.people[IMPORTER]
    posts = [post.model_copy(update={"administrator": False}) for post in person.posts]
    world.identity.people[IMPORTER] = person.model_copy(update={"posts": posts})
    await browser.sign_in(IMPORTER)
    assert (await browser.get("/machines")).status_code == 403
    assert 'href="/machines"' not in (await browser.get("/")).text


async def test_the_description_of_the_interface_is_a_file(browser: Browser) -> None:
    await browser.sign_in(EXPORTER)
    answer = await browser.get("/machines/openapi.json")
    assert answer.json() == (await browser.client.get("/api/openapi.json")).json()


# ── SPS certificates ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_draft_begins_with_an_sps_certificate_or_every_fault_is_named(browser: Browser, world: World) -> None:
    await browser.sign_in(EXPORTER)
    assert 'href="/certificates/new/sps"' in (await browser.get("/certificates/new?q=dat")).text
    said = {"form_token": await browser.token()}
    for content, status in ((b"<wrong/>", 422), (b"<a/>", 303)):
        file = {"file": ("coi.xml", content, "application/xml")}
        answer = await browser.client.post("/certificates/new/sps", data=said, files=file)
        assert answer.status_code == status
        assert ("SPSExchangedDocument/TypeCode" in answer.text) is (status == 422)
    assert world.making.sheets == [b"<a/>"]


async def test_a_certificate_is_taken_along_as_sps_certificate(browser: Browser, world: World) -> None:
    paper = world.paper(Status.ISSUED)
    await browser.sign_in(EXPORTER)
    here = f"/certificates/{paper.id}/sps.xml"
    assert f'href="{here}"' in (await browser.get(f"/certificates/{paper.id}")).text
    answer = await browser.get(here)
    assert "attachment" in answer.headers["content-disposition"]
