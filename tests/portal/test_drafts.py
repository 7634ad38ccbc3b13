"""A certificate's boxes on the page, without scripts: begun, filled in, refused, changed by two, opened after issue."""

import re

from shared.contracts.certificate_views import Edit
from shared.rules.status import Status
from tests.portal.conftest import Browser
from tests.portal.reading import CONTROL_BODY, EXPORTER, IMPORTER, fields
from tests.portal.world import World, organisation_id


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
    for typed, found, said in (("exporter", "rif", "suspended"), ("issuing_body", "MA-BIO-154", "for Morocco")):
        form = fields((await browser.get(f"/certificates/{paper.id}")).text)
        answer = await browser.post(f"/certificates/{paper.id}", {**form, f"find.{typed}": found, "find": typed})
        offered = re.findall(rf'<input type="radio" name="{typed}".*?</label>', answer.text, re.S)
        assert said in offered[-1], "what stands against it, and for which country a body certifies"


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


async def test_what_a_draft_lacks_is_counted_and_stands_at_its_boxes_when_asked_for(
    world: World, browser: Browser
) -> None:
    paper = world.paper(Status.DRAFT, importer=None, gross_weight=None)
    await browser.sign_in(EXPORTER)
    page = (await browser.get(f"/certificates/{paper.id}")).text
    assert "2 points are still missing" in page
    assert "box-bad" not in page, "nobody has done anything wrong yet"
    page = (await browser.get(f"/certificates/{paper.id}?check=true")).text
    for key in ("11", "16"):
        assert re.search(rf'box-bad[^>]*id="box-{key}"', page), key
        assert f'href="#box-{key}"' in page


async def test_somebody_elses_change_is_shown_before_mine_is_taken(world: World, browser: Browser) -> None:
    paper = world.paper(Status.DRAFT)
    await browser.sign_in(EXPORTER)
    form = fields((await browser.get(f"/certificates/{paper.id}")).text)
    await world.certificates.edit(
        world.caller("documents@atlas.example"),
        paper.id,
        Edit(revision=1, changes={"gross_weight": {"value": "4000", "unit": "KGM"}}),
        "k",
    )
    answer = await browser.post(f"/certificates/{paper.id}", {**form, "containers": "X", "save": "all"})
    assert answer.status_code == 409
    assert "From revision 1 to revision 2" in answer.text
    assert "Salma Bennis" in answer.text
    assert "4000" in answer.text
    assert paper.content["containers"] == ["MSKU 482120-5"]


async def test_the_difference_between_a_signed_revision_and_now_is_shown_box_by_box(
    world: World, browser: Browser
) -> None:
    paper = world.paper(Status.ISSUED)
    signed, before = paper.revision, paper.content["gross_weight"]["value"]
    await browser.sign_in(CONTROL_BODY)
    journal = f"/certificates/{paper.id}/journal"
    link = f"/certificates/{paper.id}/changes?since={signed}"
    assert link not in (await browser.get(journal)).text, "nothing has changed yet"
    wish = Edit(revision=signed, changes={"gross_weight": {"value": "4000", "unit": "KGM"}})
    await world.certificates.edit(world.caller(CONTROL_BODY), paper.id, wish, "k")
    for page in ((text := (await browser.get(journal)).text), (await browser.get(link)).text):
        assert re.search(rf"<del>\s*{before}.*</del>.*<ins>\s*4000.*</ins>", page, re.S)
    assert f'href="{link}"' in text


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
