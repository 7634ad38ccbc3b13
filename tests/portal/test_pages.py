"""The pages, without scripts: every story can be walked with links and plain forms."""

import re
from typing import Any

import pytest

from services.portal.clients import Trouble
from shared.contracts.identity import PostView
from shared.contracts.notifications import LetterView, NewsView
from shared.rules.status import Status
from tests.portal.conftest import Browser
from tests.portal.routes import ABSENT, AUTHORITY, EXPORTER, OPS, pages
from tests.portal.world import NOON, PASSWORD, World, organisation_id

CONTROL_BODY = "inspector@ecocert.example"
BORDER = "officer@perpignan.example"
CONSIGNEE = "consignee@garonne.example"
IMPORTER = "importer@pyrenees.example"


def fields(page: str, form: str = "sheet-form") -> dict[str, Any]:
    """What a browser would send with a form: every field with what stands in it."""
    start = page.index(f'id="{form}"')
    part = page[start : page.index("</form>", start)]
    sent: dict[str, Any] = {}

    def add(name: str, value: str) -> None:
        sent.setdefault(name, []).append(value)

    for tag in re.findall(r"<input\b[^>]*>", part):
        known = dict(re.findall(r'(\w[\w-]*)="([^"]*)"', tag))
        if "name" not in known or (known.get("type") in ("checkbox", "radio") and " checked" not in tag):
            continue
        add(known["name"], known.get("value", ""))
    for name, inner in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>([^<]*)</textarea>', part):
        add(name, inner)
    for name, inner in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', part, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', inner)
        add(name, chosen.group(1) if chosen else "")
    sent.pop("form_token", None)
    return sent


# ---- the door -------------------------------------------------------------------------------------------------


async def test_the_reader_is_brought_back_to_the_page_he_wanted(browser: Browser) -> None:
    answer = await browser.client.get("/certificates?status=DRAFT", follow_redirects=False)
    assert answer.headers["location"] == "/sign-in?next=/certificates%3Fstatus%3DDRAFT"
    form = {"email": EXPORTER, "password": PASSWORD, "next": "/certificates?status=DRAFT"}
    answer = await browser.post("/sign-in", form, follow=False)
    assert answer.headers["location"] == "/certificates?status=DRAFT"


async def test_a_wrong_password_says_so_and_keeps_the_address(browser: Browser) -> None:
    answer = await browser.post("/sign-in", {"email": EXPORTER, "password": "no"})
    assert answer.status_code == 401
    assert "E-mail address and password do not match" in answer.text
    assert f'value="{EXPORTER}"' in answer.text


async def test_signing_out_ends_the_session(world: World, browser: Browser) -> None:
    await browser.sign_in(EXPORTER)
    await browser.post("/sign-out")
    assert not world.identity.sessions
    assert (await browser.client.get("/", follow_redirects=False)).status_code == 303


async def test_a_session_that_ended_elsewhere_leads_to_the_door(world: World, browser: Browser) -> None:
    await browser.sign_in(EXPORTER)
    world.identity.sessions.clear()
    browser.client._transport.app.state.house.doorkeeper.known.clear()  # type: ignore[attr-defined]
    wanted = await browser.client.get("/certificates", follow_redirects=False)
    assert wanted.headers["location"] == "/sign-in?next=/certificates"


async def test_the_language_is_that_of_the_person_and_can_be_switched(browser: Browser) -> None:
    await browser.post("/sign-in", {"email": EXPORTER, "password": PASSWORD})
    assert '<html lang="fr">' in (await browser.get("/")).text
    answer = await browser.client.get("/language/en?back=/certificates", follow_redirects=False)
    assert answer.headers["location"] == "/certificates"
    assert '<html lang="en">' in (await browser.get("/")).text
    assert (await browser.get("/language/xx")).status_code == 404


async def test_demo_people_are_offered_only_where_the_demo_setting_is_on(world: World, browser: Browser) -> None:
    assert "exporter@atlas.example" in (await browser.get("/sign-in")).text
    house = browser.client._transport.app.state.house  # type: ignore[attr-defined]
    house.settings.demo = False
    page = (await browser.get("/sign-in")).text
    assert "exporter@atlas.example" not in page
    assert PASSWORD not in page


async def test_a_person_of_several_organisations_chooses_for_which_he_acts(world: World, browser: Browser) -> None:
    await browser.sign_in("reviewer@ecocert.example")
    assert "change" in (await browser.get("/profile")).text
    tunisia = organisation_id("ecocert-tn")
    await browser.post("/profile/post", {"organisation": tunisia})
    assert world.identity.people["reviewer@ecocert.example"].posts[1].organisation_id == tunisia
    page = (await browser.get("/profile")).text
    assert re.search(rf'value="{tunisia}" checked', page)
    assert (await browser.post("/profile/post", {"organisation": organisation_id("perpignan")})).status_code == 404


async def test_language_and_zone_can_be_changed(world: World, browser: Browser) -> None:
    await browser.sign_in(EXPORTER)
    page = await browser.post("/profile", {"language": "en", "time_zone": "Asia/Makassar"})
    assert "Saved." in page.text
    assert world.identity.people[EXPORTER].time_zone == "Asia/Makassar"
    assert "Makassar" in (await browser.get("/")).text


async def test_somebody_without_a_role_is_told_how_to_get_one(world: World, browser: Browser) -> None:
    world.identity.people[EXPORTER] = world.identity.people[EXPORTER].model_copy(update={"posts": []})
    await browser.sign_in(EXPORTER)
    assert "You currently have no role that gives you access" in (await browser.get("/")).text


# ---- every page, every status, both languages -------------------------------------------------------------------


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


# ---- a draft, from nothing to submission ------------------------------------------------------------------------


async def test_a_certificate_is_begun_with_goods_and_two_parties(world: World, browser: Browser) -> None:
    await browser.sign_in(EXPORTER)
    page = (await browser.get("/certificates/new?q=dates")).text
    assert 'value="08041000"' in page
    page = (await browser.get("/certificates/new?parent=08")).text
    assert 'value="0804"' in page
    page = (await browser.get("/certificates/new/parties?cn=08041000&cn=15092000")).text
    key = re.search(r'name="key" value="([\w-]+)"', page)
    assert key is not None
    assert "MA-BIO-154" in page, "the body that certifies the exporter is filled in"
    form = {
        "key": key.group(1),
        "cn": ["08041000", "15092000"],
        "issuing_body": organisation_id("ecocert-ma"),
        "exporter": organisation_id("atlas-bio-export"),
    }
    first = await browser.post("/certificates", form, follow=False)
    again = await browser.post("/certificates", form, follow=False)
    assert first.headers["location"] == again.headers["location"], "sent twice, born once"
    assert len(world.certificates.papers) == 1
    page = (await browser.get(first.headers["location"])).text
    assert "The draft is kept" in page
    assert 'name="line.1.trade_name"' in page


async def test_a_party_left_open_is_asked_for_at_its_box(world: World, browser: Browser) -> None:
    await browser.sign_in(IMPORTER)
    answer = await browser.post("/certificates", {"cn": "08041000", "seen": "1"})
    assert answer.status_code == 422
    assert 'href="#box-1"' in answer.text
    assert 'href="#box-4"' in answer.text


async def test_without_scripts_an_organisation_is_found_and_chosen(world: World, browser: Browser) -> None:
    paper = world.paper(Status.DRAFT, importer=None)
    await browser.sign_in(EXPORTER)
    form = fields((await browser.get(f"/certificates/{paper.id}")).text)
    answer = await browser.post(f"/certificates/{paper.id}", {**form, "find.importer": "pyr", "find": "importer"})
    wanted = organisation_id("pyrenees-bio-import")
    assert re.search(rf'<input type="radio" name="importer" value="{wanted}">', answer.text)
    form = fields(answer.text)
    await browser.post(f"/certificates/{paper.id}", {**form, "importer": wanted, "save": "all"})
    assert paper.content["importer"] == wanted


async def test_saving_what_was_shown_changes_nothing(world: World, browser: Browser) -> None:
    paper = world.paper(Status.DRAFT)
    for language in ("en", "fr"):
        await browser.sign_in(EXPORTER, language)
        form = fields((await browser.get(f"/certificates/{paper.id}")).text)
        assert {"product_lines", "exporter", "gross_weight", "transport", "arrival_at"} <= set(form["has"])
        before = (paper.revision, dict(paper.content))
        answer = await browser.post(f"/certificates/{paper.id}", {**form, "save": "all"})
        assert answer.status_code == 200
        assert (paper.revision, paper.content) == before, language


async def test_boxes_are_saved_together_with_a_plain_form(world: World, browser: Browser) -> None:
    paper = world.paper(Status.DRAFT)
    await browser.sign_in(EXPORTER, "fr")
    form = fields((await browser.get(f"/certificates/{paper.id}")).text)
    form |= {
        "gross_weight.value": "3 700,5",
        "line.1.lot": "AT-26-0999",
        "line.2.packages": "98",
        "containers": "MSKU 1234565\nTGHU 7654321",
        "countries_of_origin": ["MA", "TN"],
        "transport.mode": "3",
        "arrival_at": "2026-11-29T10:00",
        "release_by_batches": "true",
    }
    answer = await browser.post(f"/certificates/{paper.id}", {**form, "save": "all"})
    assert "Enregistré." in answer.text
    content = paper.content
    assert content["gross_weight"] == {"value": "3700.5", "unit": "KGM"}
    assert [line["lot"] for line in content["product_lines"]] == ["AT-26-0999", "AT-26-0413"]
    assert content["product_lines"][1]["packages"] == 98
    assert content["containers"] == ["MSKU 1234565", "TGHU 7654321"]
    assert content["countries_of_origin"] == ["MA", "TN"]
    assert content["transport"]["mode"] == "3"
    assert content["arrival_at"] == "2026-11-29T10:00:00+01:00", "on the clocks of Casablanca"
    assert content["release_by_batches"] is True
    assert paper.revision == 2


async def test_lines_and_goods_come_and_go(world: World, browser: Browser) -> None:
    paper = world.paper(Status.DRAFT)
    await browser.sign_in(EXPORTER)
    address = f"/certificates/{paper.id}"

    async def press(**button: str) -> None:
        form = fields((await browser.get(address)).text)
        assert (await browser.post(address, {**form, **button})).status_code == 200

    await press(add_line="08041000")
    assert [line["cn_code"] for line in paper.content["product_lines"]] == ["08041000", "08041000", "15092000"]
    await press(remove_line="3")
    assert [line["id"] for line in paper.content["product_lines"]] == ["1", "2"]
    await press(remove_goods="08041000")
    assert [line["cn_code"] for line in paper.content["product_lines"]] == ["15092000"]
    await browser.post(f"{address}/goods", {"cn": ["09011100", "08045000"]})
    assert [line["cn_code"] for line in paper.content["product_lines"]] == ["15092000", "09011100", "08045000"]


async def test_a_refused_value_stays_in_its_field_with_what_is_wrong(world: World, browser: Browser) -> None:
    paper = world.paper(Status.DRAFT)
    await browser.sign_in(EXPORTER)
    form = fields((await browser.get(f"/certificates/{paper.id}")).text)
    answer = await browser.post(f"/certificates/{paper.id}", {**form, "gross_weight.value": "plenty", "save": "all"})
    assert answer.status_code == 422
    assert 'value="plenty" aria-invalid="true" aria-describedby="problems-16"' in answer.text
    assert "Please write a number." in answer.text
    assert paper.revision == 1


async def test_problems_stand_at_their_boxes(world: World, browser: Browser) -> None:
    paper = world.paper(Status.DRAFT, importer=None, gross_weight=None)
    await browser.sign_in(EXPORTER)
    page = (await browser.get(f"/certificates/{paper.id}")).text
    assert "2 points are still missing" in page
    for key in ("11", "16"):
        assert re.search(rf'box-bad[^>]*id="box-{key}"', page), key


async def test_somebody_elses_change_is_shown_before_mine_is_taken(world: World, browser: Browser) -> None:
    paper = world.paper(Status.DRAFT)
    await browser.sign_in(EXPORTER)
    form = fields((await browser.get(f"/certificates/{paper.id}")).text)
    await world.certificates.edit(
        world.caller("documents@atlas.example"),
        paper.id,
        _edit(1, {"gross_weight": {"value": "4000", "unit": "KGM"}}),
        "k",
    )
    answer = await browser.post(f"/certificates/{paper.id}", {**form, "containers": "X", "save": "all"})
    assert answer.status_code == 409
    assert "From revision 1 to revision 2" in answer.text
    assert "Salma Bennis" in answer.text
    assert "4000" in answer.text
    assert paper.content["containers"] == ["MSKU 482120-5"]


def _edit(revision: int, changes: dict[str, Any]) -> Any:
    from shared.contracts.certificates import Edit

    return Edit(revision=revision, changes=changes)


async def test_only_the_boxes_that_are_mine_can_be_opened(world: World, browser: Browser) -> None:
    paper = world.paper(Status.ISSUED)
    await browser.sign_in(IMPORTER)
    form = fields((await browser.get(f"/certificates/{paper.id}?edit=all")).text)
    assert set(form["has"]) == {
        "clearance_country",
        "entry_authority",
        "first_consignee",
        "release_by_batches",
        "responsible_for_load",
        "arrival_at",
    }
    forged = {**form, "has": [*form["has"], "exporter"], "exporter": organisation_id("sahel-bio-export")}
    await browser.post(f"/certificates/{paper.id}", {**forged, "save": "all"})
    assert paper.content["exporter"] == organisation_id("atlas-bio-export")


async def test_a_responsible_for_the_load_is_added_and_none_removed(world: World, browser: Browser) -> None:
    paper = world.paper(Status.ISSUED)
    await browser.sign_in(IMPORTER)
    form = fields((await browser.get(f"/certificates/{paper.id}?edit=all")).text)
    other = organisation_id("fret-de-roissy")
    await browser.post(f"/certificates/{paper.id}", {**form, "responsible_for_load.new": other, "save": "all"})
    assert paper.content["responsible_for_load"] == [organisation_id("transit-catalan"), other]


async def test_packages_alone_are_open_after_issue(world: World, browser: Browser) -> None:
    paper = world.paper(Status.ISSUED)
    await browser.sign_in(CONTROL_BODY)
    form = fields((await browser.get(f"/certificates/{paper.id}?edit=13")).text)
    assert {name for name in form if name.startswith("line.1.")} == {"line.1.packages", "line.1.package_type"}
    await browser.post(f"/certificates/{paper.id}", {**form, "line.1.packages": "481", "line.1.lot": "forged"})
    assert paper.content["product_lines"][0]["packages"] == 481
    assert paper.content["product_lines"][0]["lot"] == "AT-26-0412"


# ---- moves ----------------------------------------------------------------------------------------------------


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a confirmation."""
    found = dict(re.findall(r'<input type="hidden" name="(key|revision|fingerprint)" value="([^"]+)">', page))
    return found


async def test_the_whole_journey_is_walked_by_hand(world: World, browser: Browser, another: Any) -> None:
    paper = world.paper(Status.DRAFT)
    await browser.sign_in(EXPORTER)
    page = (await browser.get(f"/certificates/{paper.id}/do/submit")).text
    answer = await browser.post(f"/certificates/{paper.id}/do/submit", hidden(page))
    assert "The certificate is submitted and has its number" in answer.text
    for email, action, form, status in (
        (CONTROL_BODY, "sign", {"form.documentary": "acceptable", "form.physical": "not_done"}, Status.ISSUED),
        (BORDER, "verify", {"form.documentary": "acceptable"}, Status.CONSIGNMENT_VERIFIED),
        (CONSIGNEE, "receive", {"form.in_order": "true"}, Status.FIRST_CONSIGNEE_SIGNED),
    ):
        person = await another().sign_in(email)
        assert paper.number in (await person.get("/")).text, "it stands among what awaits him"
        page = (await person.get(f"/certificates/{paper.id}/do/{action}")).text
        sent = hidden(page)
        assert re.sub(r"\s", "", re.search(r'class="fingerprint">([^<]+)', page).group(1)) == sent["fingerprint"]  # type: ignore[union-attr]
        for shown in ("Medjool dates", "Atlas Bio Export", "MSKU 482120-5", f"revision {paper.revision}"):
            assert shown in page
        answer = await person.post(f"/certificates/{paper.id}/do/{action}", {**sent, **form})
        assert answer.status_code == 200
        assert paper.status is status
        again = await person.post(f"/certificates/{paper.id}/do/{action}", {**sent, **form})
        assert again.status_code in (200, 403, 409)
    assert [each.person for each in paper.signatures] == ["Hélène Castan", "Jordi Puig", "Luc Marty"]
    page = (await browser.get(f"/certificates/{paper.id}/journal")).text
    for done in ("Draft begun", "Submitted for certification", "Consignment verified", "Jordi Puig"):
        assert done in page


async def test_nobody_signs_what_he_has_not_seen(world: World, browser: Browser) -> None:
    paper = world.paper(Status.DESCRIPTION_COMPLETED)
    await browser.sign_in(CONTROL_BODY)
    page = (await browser.get(f"/certificates/{paper.id}/do/sign")).text
    colleague = world.caller("reviewer@ecocert.example")
    await world.certificates.edit(colleague, paper.id, _edit(7, {"seals": ["NEW-1"]}), "k")
    form = {**hidden(page), "form.documentary": "acceptable", "form.physical": "not_done"}
    answer = await browser.post(f"/certificates/{paper.id}/do/sign", form)
    assert answer.status_code == 409
    assert "NEW-1" in answer.text
    assert "Karim Ziani" in answer.text
    assert paper.status is Status.DESCRIPTION_COMPLETED


async def test_what_stands_in_the_way_is_said_before_the_button_can_be_pressed(world: World, browser: Browser) -> None:
    paper = world.paper(Status.DRAFT, importer=None)
    await browser.sign_in(EXPORTER)
    page = (await browser.get(f"/certificates/{paper.id}/do/submit")).text
    assert "This stands in the way" in page
    assert re.search(r"<button[^>]*disabled", page)
    answer = await browser.post(f"/certificates/{paper.id}/do/submit", hidden(page))
    assert answer.status_code == 422
    assert paper.status is Status.DRAFT


async def test_a_signature_may_ask_for_the_password_once_more(world: World, browser: Browser) -> None:
    paper = world.paper(Status.DESCRIPTION_COMPLETED)
    world.identity.proof_needed = True
    await browser.sign_in(CONTROL_BODY)
    page = (await browser.get(f"/certificates/{paper.id}/do/sign")).text
    assert 'name="password"' in page, "the page knows that the last proof is an hour old"
    form = {**hidden(page), "form.documentary": "acceptable", "form.physical": "not_done"}
    answer = await browser.post(f"/certificates/{paper.id}/do/sign", form)
    assert answer.status_code == 401
    assert 'name="password"' in answer.text
    assert re.search(r'name="form.documentary" value="acceptable" checked', answer.text), "what was answered stays"
    answer = await browser.post(f"/certificates/{paper.id}/do/sign", {**form, "password": "wrong"})
    assert answer.status_code == 401
    answer = await browser.post(f"/certificates/{paper.id}/do/sign", {**form, "password": PASSWORD})
    assert paper.status is Status.ISSUED


async def test_the_operator_of_box_19_is_any_operator_of_the_directory(world: World, browser: Browser) -> None:
    paper = world.paper(Status.ISSUED)
    await browser.sign_in(BORDER)
    here = f"/certificates/{paper.id}/do/start_customs_procedure"
    page = (await browser.get(here)).text
    assert 'name="find.form.operator"' in page
    form = {**hidden(page), "find": "form.operator", "find.form.operator": "acme", "form.reference": "26FR-77"}
    found = (await browser.post(here, form)).text
    operator = organisation_id("acme-bio-imports")
    assert f'name="form.operator" value="{operator}"' in found
    assert "26FR-77" in found, "what was answered stays"
    options = (await browser.get("/pick?find.form.operator=perpignan")).text
    assert organisation_id("perpignan") not in options, "a border post is no operator"


@pytest.mark.parametrize(
    ("action", "status"),
    [("release_conventional", Status.RELEASED_CONVENTIONAL), ("reject", Status.NOT_RELEASED)],
)
async def test_the_border_may_decide_otherwise(world: World, browser: Browser, action: str, status: Status) -> None:
    paper = world.paper(Status.ISSUED)
    await browser.sign_in(BORDER)
    page = (await browser.get(f"/certificates/{paper.id}/do/verify")).text
    assert f"/do/{action}" in page, "one decision leads to the others"
    page = (await browser.get(f"/certificates/{paper.id}/do/{action}")).text
    await browser.post(f"/certificates/{paper.id}/do/{action}", {**hidden(page), "form.reason": "Residues"})
    assert paper.status is status
    assert "Residues" in (await browser.get(f"/certificates/{paper.id}/journal")).text


async def test_a_certificate_is_copied_as_new(world: World, browser: Browser) -> None:
    paper = world.paper(Status.ISSUED)
    await browser.sign_in(EXPORTER)
    page = (await browser.get(f"/certificates/{paper.id}/do/copy")).text
    answer = await browser.post(f"/certificates/{paper.id}/do/copy", hidden(page))
    assert "This draft was copied" in answer.text
    assert len(world.certificates.papers) == 2


async def test_a_move_that_is_not_mine_is_refused(world: World, browser: Browser) -> None:
    paper = world.paper(Status.DESCRIPTION_COMPLETED)
    await browser.sign_in(EXPORTER)
    assert (await browser.get(f"/certificates/{paper.id}/do/sign")).status_code == 403
    assert (await browser.get(f"/certificates/{paper.id}/do/fly")).status_code == 422
    answer = await browser.post(f"/certificates/{paper.id}/do/sign", {"revision": "7", "key": "abcdefgh"})
    assert answer.status_code == 409
    assert paper.status is Status.DESCRIPTION_COMPLETED


# ---- the others -----------------------------------------------------------------------------------------------


async def test_news_is_read_by_following_it(world: World, browser: Browser) -> None:
    paper = world.paper(Status.ISSUED)
    world.notifications.items = [
        NewsView(
            id="n1",
            at=NOON,
            letter="certificate-issued",
            title="COI.MA.2026.0000001 is issued",
            text="ECOCERT SA signed box 18.",
            link="",
            certificate_id=paper.id,
            read=False,
        )
    ]
    await browser.sign_in(EXPORTER)
    assert "ECOCERT SA signed box 18." in (await browser.get("/")).text
    answer = await browser.post("/news/n1", {"to": f"/certificates/{paper.id}"}, follow=False)
    assert answer.headers["location"] == f"/certificates/{paper.id}"
    assert world.notifications.items[0].read


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
