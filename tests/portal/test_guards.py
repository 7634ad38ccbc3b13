"""What protects a reader: headers on every answer, forms that only we can write, cookies nobody else can use."""

import re
from pathlib import Path
from typing import Any

import httpx2
import pytest

from services.portal.app import WebSite
from services.portal.look import HERE, STATIC
from services.portal.security import POLICY
from services.portal.visitor import own_path
from shared.rules.status import Status
from tests.portal.conftest import ADDRESS, Browser, site_over
from tests.portal.routes import EXPORTER, OPS, addresses
from tests.portal.world import PASSWORD, World


async def test_every_route_carries_the_policy(world: World, browser: Browser) -> None:
    paper = world.paper(Status.DRAFT)
    for email in (None, EXPORTER, OPS):
        if email:
            await browser.sign_in(email)
        for each in addresses(world, paper.id):
            if each.path in ("/sign-out", "/sign-in"):
                continue
            answer = await browser.client.request(each.method, each.path, follow_redirects=False)
            policy = answer.headers["Content-Security-Policy"]
            if each.path.startswith("/ops/temporal/"):
                assert "default-src 'self'" in policy
            else:
                assert policy == POLICY, each.path
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["X-Frame-Options"] == "DENY"
            assert answer.headers["Referrer-Policy"] == "same-origin"
            assert answer.headers["Cache-Control"] == "no-store", each.path


async def test_the_policy_allows_nothing_but_this_origin() -> None:
    for rule in POLICY.split("; "):
        name, _, sources = rule.partition(" ")
        assert sources in ("'self'", "'none'"), name
    assert "unsafe" not in POLICY


async def test_also_a_bug_carries_the_policy(world: World, browser: Browser) -> None:
    await browser.sign_in(EXPORTER)
    del world.certificates.papers  # a bug
    answer = await browser.get("/certificates")
    assert answer.status_code == 500
    assert answer.headers["Content-Security-Policy"] == POLICY
    assert "Something went wrong on our side" in answer.text
    assert "Traceback" not in answer.text


async def test_a_file_may_be_kept_for_ever_only_under_its_digest(browser: Browser) -> None:
    page = await browser.get("/help")
    style = re.search(r'href="(/static/portal\.css\?v=\w+)"', page.text)
    assert style is not None
    assert "immutable" in (await browser.get(style.group(1))).headers["Cache-Control"]
    assert "immutable" not in (await browser.get("/static/portal.css")).headers["Cache-Control"]
    assert (await browser.get("/static/portal.css")).headers["Content-Security-Policy"] == POLICY


async def test_no_page_has_scripts_or_styles_inside() -> None:
    for file in (HERE / "templates").rglob("*.html"):
        text = file.read_text()
        assert " style=" not in text, file
        assert not re.search(r"\son\w+=", text), file
        assert not re.search(r"<script(?![^>]*\ssrc=)", text), file
        assert "hx-on" not in text, file
        assert "js:" not in text, file


async def test_nothing_is_loaded_from_elsewhere() -> None:
    for file in [*(HERE / "templates").rglob("*.html"), STATIC / "portal.css", STATIC / "portal.js"]:
        text = file.read_text()
        assert not re.search(r"""(src|href|url\()=?["']?\s*(https?:)?//""", text), file


# ---- forms ----------------------------------------------------------------------------------------------------


async def test_every_change_needs_a_form_of_ours(world: World, browser: Browser) -> None:
    paper = world.paper(Status.DRAFT)
    await browser.sign_in(EXPORTER)
    before = (paper.revision, paper.status, len(world.certificates.papers))
    asked = 0
    for each in addresses(world, paper.id, "submit"):
        if each.method in ("GET", "HEAD") or each.path.startswith(("/ops/temporal", "/ops/codec")):
            continue
        for forged in ({}, {"form_token": "0" * 64}):
            answer = await browser.client.request(each.method, each.path, data=forged, follow_redirects=False)
            assert answer.status_code == 403, f"{each.method} {each.path}"
            assert "untrusted_form" in answer.text
        asked += 1
    assert asked > 8
    assert (paper.revision, paper.status, len(world.certificates.papers)) == before


async def test_the_token_of_another_browser_does_not_fit(world: World, browser: Browser, another: object) -> None:
    other: Browser = another()  # type: ignore[operator]
    await browser.sign_in(EXPORTER)
    await other.sign_in("importer@pyrenees.example")
    stolen = await other.token()
    answer = await browser.client.post("/profile", data={"language": "fr", "form_token": stolen})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://elsewhere.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "http://portal.example.elsewhere.example"},
    ],
)
async def test_a_form_from_another_origin_is_refused(browser: Browser, headers: dict[str, Any]) -> None:
    await browser.sign_in(EXPORTER)
    answer = await browser.post("/profile", {"language": "fr", "time_zone": "UTC"}, **headers)
    assert answer.status_code == 403


async def test_the_engines_pages_are_guarded_by_origin_too(browser: Browser) -> None:
    await browser.sign_in(OPS)
    for path in ("/ops/codec/decode", "/ops/temporal/api/v1/namespaces/default/workflows/x/terminate"):
        answer = await browser.client.post(path, json={}, headers={"origin": "https://elsewhere.example"})
        assert answer.status_code == 403, path


async def test_our_own_origin_may_post(browser: Browser) -> None:
    await browser.sign_in(EXPORTER)
    same: dict[str, Any] = {"origin": ADDRESS, "sec-fetch-site": "same-origin"}
    answer = await browser.post("/profile", {"language": "fr", "time_zone": "UTC"}, False, **same)
    assert answer.status_code == 303


async def test_cookies_are_out_of_reach_of_scripts_and_other_sites(world: World, browser: Browser) -> None:
    answer = await browser.post("/sign-in", {"email": EXPORTER, "password": PASSWORD}, follow=False)
    cookies = answer.headers.get_list("set-cookie")
    first = await browser.client.get("/help", headers={"cookie": ""})
    session = next(each for each in cookies if each.startswith("session="))
    assert "HttpOnly" in session
    assert "SameSite=lax" in session
    assert "Max-Age" not in session
    assert first.status_code == 200


async def test_behind_tls_cookies_and_browsers_insist_on_it(world: World, site: WebSite) -> None:
    settings = site.state.house.settings.model_copy(update={"portal_url": "https://portal.example"})
    assert settings.secure


# ---- who may come in ------------------------------------------------------------------------------------------


async def test_pages_are_for_people_who_have_signed_in(world: World, browser: Browser) -> None:
    paper = world.paper(Status.DRAFT)
    open_to_all = {"/help", "/contact", "/sign-in", "/language/fr", "/welcome", "/privacy", "/directory", "/verify"}
    open_to_all |= {"/oauth/authorize"}  # whose tool nobody knows learns so at once
    open_to_all |= {"/sign-in/elsewhere", "/sign-in/elsewhere/back"}  # on the way to another sign-in
    for each in addresses(world, paper.id):
        if (
            each.method != "GET"
            or each.path in open_to_all
            or each.path.startswith(("/registration", "/password", "/verify/", "/profile/confirmation/"))
        ):
            continue
        answer = await browser.client.get(each.path, follow_redirects=False)
        assert answer.status_code == 303, each.path
        door = "/welcome" if each.path == "/" else "/sign-in?next=/"
        assert answer.headers["location"].startswith(door), each.path


async def test_operations_are_not_there_for_anybody_else(world: World, browser: Browser) -> None:
    await browser.sign_in(EXPORTER)
    asked = 0
    for each in addresses(world, "x"):
        if not each.path.startswith("/ops") or each.method == "HEAD":
            continue
        if each.method == "GET" or each.path.startswith(("/ops/temporal", "/ops/codec")):
            answer = await browser.client.request(each.method, each.path, follow_redirects=False)
        else:
            answer = await browser.post(each.path)
        assert answer.status_code == 404, each.path
        asked += 1
    assert asked > 5


async def test_ops_see_no_certificate(world: World, browser: Browser) -> None:
    paper = world.paper(Status.ISSUED)
    await browser.sign_in(OPS)
    assert (await browser.get(f"/certificates/{paper.id}")).status_code == 404


@pytest.mark.parametrize(
    ("wanted", "goes"),
    [
        ("/certificates?status=DRAFT", "/certificates?status=DRAFT"),
        ("https://elsewhere.example/", "/"),
        ("//elsewhere.example/", "/"),
        ("/\\elsewhere.example", "/"),
        ("/\r\nSet-Cookie: a=b", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_the_way_on_never_leads_elsewhere(wanted: str, goes: str) -> None:
    assert own_path(wanted) == goes


async def test_a_body_beyond_all_forms_is_not_read(browser: Browser) -> None:
    answer = await browser.client.post("/sign-in", content=b"x" * 2_000_000)
    assert answer.status_code == 413
    assert answer.headers["Content-Security-Policy"] == POLICY


async def test_bytes_that_are_no_text_are_refused_politely(browser: Browser) -> None:
    await browser.sign_in(EXPORTER)
    form = b"form_token=" + (await browser.token()).encode() + b"&language=%ff%fe&time_zone=%00"
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = await browser.client.post("/profile", content=form, headers=headers)
    assert answer.status_code in (400, 422)
    assert (await browser.get("/certificates/%ff%00")).status_code == 404
    assert (await browser.get("/certificates?text=%ff%00&status=%00&party=%ff")).status_code == 200
    assert (await browser.get("/certificates?after=%ff")).status_code == 422


@pytest.mark.parametrize(("environment", "said"), [("training", "People learn here"), ("", "")])
async def test_every_page_says_in_which_environment_it_is(
    world: World, tmp_path: Path, environment: str, said: str
) -> None:
    site = site_over(world, tmp_path, environment=environment)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=site), base_url=ADDRESS) as client:
        for path in ("/sign-in", "/help", "/directory"):
            page = (await client.get(path, headers={"Accept-Language": "en"})).text
            assert said in page
            assert (f'class="strip strip-{environment}"' in page) is bool(environment)


async def test_cookies_of_two_environments_under_one_host_name_are_apart(world: World, tmp_path: Path) -> None:
    jar = httpx2.Cookies()
    for environment in ("", "training"):
        site = site_over(world, tmp_path, environment=environment)
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=site), base_url=ADDRESS, cookies=jar) as web:
            browser = Browser(web)
            assert (await web.get("/profile", follow_redirects=False)).status_code == 303, (
                "who came in elsewhere is not in here"
            )
            await browser.sign_in(EXPORTER)
            assert (await web.get("/profile", follow_redirects=False)).status_code == 200
            jar = web.cookies
    assert {"session", "training-session", "browser", "training-browser"} <= set(jar.keys())
