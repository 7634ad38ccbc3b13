"""Classic accounts in the browser: the form, the letter's link, one's own password, and an authority's users."""

import html
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.routing import APIRoute

from services.identity.links import KINDS, Purpose
from services.portal.app import AREAS
from tests.portal.classic import ANN, LAPUJADE, PAUL, TEMPORARY
from tests.portal.conftest import ADDRESS, Browser, site_over
from tests.portal.registry import REGISTRATION
from tests.portal.routes import AUTHORITY, EXPORTER, OPS
from tests.portal.world import World, organisation_id

FORM = {
    "email": "ann@tarn.example", "password": "Plum-tree-42!", "password_again": "Plum-tree-42!", "question": "hero",
    "answer": " Zorro ", "first_name": "Ann", "last_name": "O'Neill", "language": "en", "html": "false",
    "phone": "+33 5 00", "information": "Two of us\nwill come.", "privacy": "true", "altcha": "solved",
    **{f"organisation.{name}": value for name, value in LAPUJADE.model_dump(exclude_none=True).items()},
}  # fmt: skip
HTMX: Mapping[str, Any] = {"HX-Request": "true"}
OWN = {"password": "Plum-tree-42!", "password_again": "Plum-tree-42!", "question": "hero", "asks": "answer"}


@pytest.fixture(autouse=True)
async def english(browser: Browser) -> None:
    await browser.get("/language/en")


# ---- registering ---------------------------------------------------------------------------------------------------


async def test_the_form_goes_to_identity_exactly_as_it_was_typed(world: World, browser: Browser) -> None:
    page = await browser.get("/registration/classic")
    for name in [each for each in FORM if each not in ("privacy", "altcha")]:
        assert f'name="{name}"' in page.text, name
    sent = await browser.post("/registration/classic", FORM)
    assert sent.url.path == f"/registration/classic/sent/{REGISTRATION}"
    assert "within 7 days" in sent.text
    (taken,) = world.classic.taken
    assert (taken.answer, taken.html, taken.organisation, taken.proof) == (" Zorro ", False, LAPUJADE, "solved")
    assert (taken.reach.phone, taken.reach.information) == ("+33 5 00", "Two of us\nwill come.")


async def test_what_was_typed_stays_and_secrets_do_not(world: World, browser: Browser) -> None:
    page = await browser.post("/registration/classic", FORM | {"organisation.postal_code": "", "answer": "Zorro-13"})
    assert page.status_code == 422
    assert 'value="O&#39;Neill"' in page.text
    assert 'id="organisation.postal_code-problems"' in page.text
    assert FORM["password"] not in page.text
    assert "Zorro-13" not in page.text
    assert world.classic.taken == []


async def test_an_organisation_is_picked_from_the_directory_and_cleared(world: World, browser: Browser) -> None:
    to = "/registration/classic/organisation"
    found = await browser.post(to, {"do": "search", "search": "Garonne Bio", "first_name": "Ann"})
    assert "Garonne Bio" in found.text
    assert 'value="Ann"' in found.text
    one = found.text.split('value="pick:')[1].split('"')[0]
    picked = await browser.post(to, {"do": f"pick:{one}", "search": "Garonne Bio"}, **HTMX)
    assert 'value="Garonne Bio' in picked.text
    assert "<html" not in picked.text
    assert "it keeps the name and the address it has there" in picked.text
    assert 'name="organisation.address"' not in picked.text, "the public directory has no street"
    world.classic.taken.clear()
    kept = {f"organisation.{name}": re.search(rf'name="organisation.{name}"[^>]* value="([^"]+)"', picked.text)
            for name in ("name", "postal_code", "city", "country", "organisation_id")}  # fmt: skip
    typed = {name: html.unescape(value.group(1)) for name, value in kept.items() if value}
    assert len(typed) == 5, typed
    form = {name: value for name, value in FORM.items() if not name.startswith("organisation.")}
    assert (await browser.post("/registration/classic", form | typed)).status_code == 200
    (taken,) = world.classic.taken
    assert (taken.organisation.organisation_id, taken.organisation.address) == (one, "")
    cleared = await browser.post(to, {"do": "clear", "organisation.name": "Garonne Bio"})
    assert "Garonne Bio" not in cleared.text


async def test_the_letter_is_answered_by_a_person_and_names_the_authority(world: World, browser: Browser) -> None:
    page = await browser.get("/registration/confirmation/good")
    assert "Lapujade Bio" in page.text
    assert world.classic.answered == [], "opening the link confirms nothing"
    done = await browser.post("/registration/confirmation", {"answer": "confirm"})
    for told in ("request has been confirmed", "DDPP de la Haute-Garonne", "contact@ddpp31.example", "30 days"):
        assert told in done.text, told
    await browser.get("/registration/confirmation/good")
    assert "was deleted" in (await browser.post("/registration/confirmation", {"answer": "disown"})).text
    assert [each.mine for each in world.classic.answered] == [True, False]
    assert (await browser.get("/registration/confirmation/old")).status_code == 410


@pytest.mark.parametrize(
    ("offered", "first", "leads_to", "other"),
    [
        ("eu", 'href="/registration"', {"/registration/classic": "/registration"}, 'href="/registration/classic"'),
        ("classic", 'href="/registration/classic"', {"/registration": "/registration/classic"}, 'href="/registration"'),
        ("both", 'href="/registration/classic"', {}, "nothing"),
    ],
)
async def test_the_first_page_leads_to_what_is_offered(
    world: World,
    tmp_path: Path,
    offered: str,
    first: str,
    leads_to: dict[str, str],
    other: str,
) -> None:
    transport = httpx2.ASGITransport(app=site_over(world, tmp_path, registration=offered))
    async with httpx2.AsyncClient(transport=transport, base_url=ADDRESS, follow_redirects=True) as client:
        for path in ("/welcome", "/sign-in"):
            page = (await client.get(path)).text
            assert first in page
            assert other not in page
        for asked, found in leads_to.items():
            assert (await client.get(asked)).url.path == found


# ---- one's own password --------------------------------------------------------------------------------------------


async def test_a_temporary_password_opens_no_session_but_the_form(world: World, browser: Browser) -> None:
    wrong = await browser.post("/sign-in", {"email": "ann@tarn.example", "password": "TR000000000000"})
    assert wrong.status_code == 401
    page = await browser.post("/sign-in", {"email": "ann@tarn.example", "password": f" {TEMPORARY} "})
    assert "works once" in page.text
    assert "session=" not in page.headers.get("set-cookie", "")
    assert TEMPORARY not in page.text
    assert "reset your password" in page.text, "who forgot the answer reads what to do"
    missed = await browser.post("/password/own", OWN | {"answer": "zorro", "name": "Ann", "email": "ann@tarn.example"})
    assert missed.status_code == 422
    done = await browser.post("/password/own", OWN | {"answer": "Zorro", "email": "ann@tarn.example"})
    assert done.status_code == 200
    assert [each.answer for each in world.classic.chosen] == ["Zorro"]
    assert (await browser.post("/password/own", OWN)).status_code == 410, "the form is gone"


async def test_what_is_asked_beside_the_password(world: World, browser: Browser) -> None:
    for asks, said in (("new", "New secret question"), ("none", None)):
        world.classic.asks = asks
        page = await browser.post("/sign-in", {"email": "ann@tarn.example", "password": TEMPORARY})
        assert ('name="answer"' in page.text) is (said is not None)
        assert said is None or said in page.text


# ---- users ---------------------------------------------------------------------------------------------------------


async def test_whoever_is_no_authority_has_no_users(world: World, browser: Browser) -> None:
    await browser.sign_in(EXPORTER)
    assert 'href="/users"' not in (await browser.get("/help")).text
    for path in ("/users", f"/users/{ANN}"):
        assert (await browser.get(path)).status_code == 404
    for path in ("/users", f"/users/{ANN}", f"/users/{ANN}/actions", f"/users/{ANN}/question"):
        assert (await browser.post(path, {"action": "activate"})).status_code == 404
    assert world.classic.steps == []


async def test_users_are_searched_and_opened(world: World, browser: Browser) -> None:
    await browser.sign_in(AUTHORITY)
    asked = "email=ann%40tarn&name=O%27Neill&postal_code=31&organisation=Lapujade&state=CONFIRMED&sort=-since"
    page = await browser.get(f"/users?{asked}")
    assert 'href="/users"' in page.text
    assert "ann@tarn.example" in page.text
    assert "1 request waits for you" in page.text
    wished = world.classic.wished[-1]
    assert {name: wished[name] for name in ("email", "name", "postal_code", "organisation", "state", "sort")} == {
        "email": "ann@tarn", "name": "O'Neill", "postal_code": "31", "organisation": "Lapujade", "state": "CONFIRMED",
        "sort": "-since",
    }  # fmt: skip
    one = await browser.get(f"/users/{ANN}")
    assert "chooses a new secret question" in (await browser.get(f"/users/{PAUL}")).text
    world.classic.users_[PAUL] = world.classic.users_[PAUL].model_copy(update={"keeps_question": True})
    assert "answers the secret question as before" in (await browser.get(f"/users/{PAUL}")).text
    assert re.search(r"Ann O&#39;Neill</strong>\s*<span>chose a new password", one.text), "himself, after the reset"
    for told in ("Lapujade Bio", "+33 5 00 00 00 00", "confirmed the request", "Activate", "Refuse"):
        assert told in one.text, told


async def test_a_user_is_activated_refused_and_corrected(world: World, browser: Browser) -> None:
    await browser.sign_in(AUTHORITY)
    to = f"/users/{ANN}/actions"
    assert "on record" in (await browser.post(to, {"action": "activate", "revision": "7"})).text
    assert (await browser.post(to, {"action": "refuse", "revision": "7"})).status_code == 422
    await browser.post(to, {"action": "refuse", "revision": "7", "reason": "Not ours"})
    assert (await browser.post(to, {"action": "activate", "revision": "6"})).status_code == 409
    changed = FORM | {"revision": "7", "last_name": "O’Neill-Roux", "email": "else@tarn.example", "question": "band"}
    assert "Saved." in (await browser.post(f"/users/{ANN}", changed)).text
    edit = world.classic.steps[-1].model_dump()
    assert edit["last_name"] == "O’Neill-Roux"
    assert not {"email", "question", "answer"} & edit.keys()
    moved = await browser.post(f"/users/{ANN}", changed | {"organisation.postal_code": "81000"})
    assert moved.url.path == "/users", "he is somebody else's from now on"


async def test_several_at_once_and_what_came_of_each(world: World, browser: Browser) -> None:
    await browser.sign_in(AUTHORITY)
    form = {"action": "activate", "chosen": [f"{ANN}:7", f"{PAUL}:7"], "search_state": "CONFIRMED"}
    page = await browser.post("/users", form)
    assert "1 user was handled" in page.text
    assert "This was decided." in page.text
    assert [each.id for each in world.classic.steps[-1].chosen] == [ANN, PAUL]  # type: ignore[union-attr]


async def test_a_platform_administrator_sets_a_question_and_sees_no_more(world: World, browser: Browser) -> None:
    world.classic.users_[PAUL] = world.classic.users_[PAUL].model_copy(
        update={"foreign": True, "may": ["set_question"]}
    )
    await browser.sign_in(OPS)
    page = await browser.get(f"/users/{PAUL}")
    assert "Set this question" in page.text
    assert 'name="first_name"' not in page.text
    form = {"revision": "7", "question": "band", "answer": " Les Négresses ", "reason": "By telephone"}
    assert (await browser.post(f"/users/{PAUL}/question", form | {"reason": ""})).status_code == 422
    await browser.post(f"/users/{PAUL}/question", form)
    assert world.classic.steps[-1].answer == " Les Négresses "  # type: ignore[union-attr]


async def test_a_letters_link_opens_the_page_in_whichever_post_it_belongs_to(world: World, browser: Browser) -> None:
    person = world.identity.people[AUTHORITY]
    first, *_ = person.posts
    offices = [
        first.model_copy(update={"organisation_id": organisation_id(slug), "organisation": slug.upper()})
        for slug in ("ddpp31", "inao")
    ]
    operator = first.model_copy(
        update={"organisation_id": organisation_id("garonne-bio"), "organisation": "Garonne", "role_type": "OPERATOR"}
    )
    world.identity.people[AUTHORITY] = person.model_copy(update={"posts": [operator, first, *offices]})
    world.classic.seen_by = offices[0].organisation_id
    await browser.sign_in(AUTHORITY)
    page = await browser.get(f"/users/{ANN}")
    assert page.status_code == 404
    assert [each.organisation in page.text for each in (first, *offices)] == [True] * 3, "as an operator: one of these"
    await browser.post("/profile/post", {"organisation": first.organisation_id})
    page = await browser.get(f"/users/{ANN}")
    assert (page.status_code, "Open it for DDPP31" in page.text, "Open it for INAO" in page.text) == (404, True, False)
    form = {"organisation": offices[0].organisation_id, "next": f"/users/{ANN}"}
    opened = await browser.post("/profile/post", form)
    assert (opened.url.path, opened.status_code) == (f"/users/{ANN}", 200)
    assert "INAO" in (await browser.get("/users?state=CONFIRMED")).text, "and from the list to the other lists"
    assert "Open it for" not in (await browser.get("/no-such-page")).text


# ---- letters -------------------------------------------------------------------------------------------------------


async def test_every_letter_of_an_account_leads_to_a_page(world: World, browser: Browser) -> None:
    routes = [each for area in AREAS for each in area.routes if isinstance(each, APIRoute)]
    known = {each.path for each in routes if "GET" in (each.methods or ())}
    theirs = (Purpose.REQUESTS, Purpose.LATE_REQUESTS)
    for reader in ("", AUTHORITY):
        if reader:
            await browser.sign_in(reader)
        for kind in KINDS:
            assert kind.page.partition("?")[0] in known, kind.purpose
            if bool(reader) == (kind.purpose in theirs):
                page = await browser.client.get(kind.page.format(secret="good"), follow_redirects=True)
                assert page.status_code == 200, kind.purpose
