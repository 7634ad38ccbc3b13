"""Signing in to another tool: the page that asks, the way back, and the doors for the tools' own servers."""

from html import unescape

from tests.portal.conftest import Browser
from tests.portal.routes import EXPORTER
from tests.portal.tools import BACK
from tests.portal.world import PASSWORD, World

ASKED = "/oauth/authorize?client_id=stock&state=kept"
QUERY = "client_id=stock&state=kept"


async def test_whoever_is_not_signed_in_comes_back_after_it(browser: Browser) -> None:
    answer = await browser.client.get(ASKED, follow_redirects=False)
    assert answer.headers["location"] == "/sign-in?next=/oauth/authorize%3Fclient_id%3Dstock%26state%3Dkept"
    form = {"email": EXPORTER, "password": PASSWORD, "next": ASKED}
    assert (await browser.post("/sign-in", form, follow=False)).headers["location"] == ASKED


async def test_the_page_says_who_asks_and_what_he_would_learn(world: World, browser: Browser) -> None:
    await browser.sign_in(EXPORTER)
    page = (await browser.get(ASKED)).text
    assert "Sign in to Stock &amp; Co &lt;b&gt;" in page
    assert "your e-mail address" in page
    await browser.get("/language/fr")
    assert "votre adresse électronique" in (await browser.get(ASKED)).text


async def test_yes_and_no_lead_back_by_a_page_and_never_by_a_form(world: World, browser: Browser) -> None:
    await browser.sign_in(EXPORTER)
    for said, back in (("yes", BACK), ("no", BACK.replace("code=code_1", "error=access_denied"))):
        answer = await browser.post("/oauth/authorize", {"query": QUERY, "answer": said}, follow=False)
        assert answer.status_code == 200
        assert f'content="0;url={back}"' in unescape(answer.text)
    assert [each.consent for each in world.tools.questions] == [True, False]


async def test_a_proof_is_asked_for_where_the_tool_wants_one(world: World, browser: Browser) -> None:
    await browser.sign_in(EXPORTER)
    assert 'name="password"' not in (await browser.get(ASKED)).text
    world.tools.prove = True
    assert 'name="password"' in (await browser.get(ASKED)).text
    wrong = await browser.post("/oauth/authorize", {"query": QUERY, "answer": "yes", "password": "wrong"})
    assert (wrong.status_code, 'name="password"' in wrong.text) == (401, True)
    right = await browser.post("/oauth/authorize", {"query": QUERY, "answer": "yes", "password": PASSWORD})
    assert BACK in unescape(right.text)


async def test_a_tool_nobody_knows_leads_nowhere(browser: Browser) -> None:
    await browser.sign_in(EXPORTER)
    answer = await browser.get("/oauth/authorize?client_id=evil")
    assert (answer.status_code, "Nobody vouches" in answer.text) == (400, True)
    assert (await browser.get(f"/oauth/authorize?{'x' * 9000}")).status_code == 400


async def test_a_tools_own_questions_are_passed_on_unread(browser: Browser) -> None:
    headers = {"Authorization": "Basic c3RvY2s6eA==", "Cookie": "session=mine"}
    answer = await browser.client.post("/oauth/token", data={"code": "code_1"}, headers=headers)
    assert answer.status_code == 418
    assert answer.text.startswith("POST /oauth/token code=code_1 [('accept', '*/*'), ('authorization', 'Basic")
    assert "mine" not in answer.text
    assert "set-cookie" not in answer.headers
    for path in ("/.well-known/openid-configuration", "/oauth/keys", "/oauth/userinfo"):
        assert (await browser.get(path)).text.startswith(f"GET {path}")
