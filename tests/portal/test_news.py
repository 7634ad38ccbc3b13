"""News in the portal: read by following them, or all at once; how many are unread stands on every page."""

import re
from datetime import datetime, timedelta

from services.portal.clients import Caller
from shared.contracts.notifications import NewsPage, NewsView
from shared.rules.status import Status
from tests.portal.conftest import Browser
from tests.portal.reading import EXPORTER
from tests.portal.world import NOON, World


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
    assert "COI.MA.2026.0000001 is issued" in (await browser.get("/")).text
    assert "ECOCERT SA signed box 18." in (await browser.get("/news")).text
    answer = await browser.post("/news/n1", {"to": f"/certificates/{paper.id}"}, follow=False)
    assert answer.headers["location"] == f"/certificates/{paper.id}"
    assert world.notifications.items[0].read


def told(number: int, at: datetime = NOON) -> NewsView:
    """A piece of news."""
    what = f"News no. {number}"
    return NewsView(
        id=f"n{number}", at=at, letter="issued", title=what, text="", link="", certificate_id=None, read=False
    )


async def test_every_page_says_how_many_news_are_unread_and_all_are_read_at_once(
    world: World, browser: Browser
) -> None:
    asked = 0
    news = world.notifications.news

    async def counting(caller: Caller, after: str = "", limit: int = 20) -> NewsPage:
        nonlocal asked
        asked += 1
        return await news(caller, after, limit)

    world.notifications.news = counting  # type: ignore[method-assign]
    world.notifications.items = [told(2), told(1)]
    await browser.sign_in(EXPORTER)
    for path in ("/help", "/organisations", "/profile"):
        assert "2<span" in part_of((await browser.get(path)).text, 'href="/news"')
    assert asked == 1, "once with his token, not with every page"
    page = (await browser.get("/news")).text
    assert "Mark all as read" in page
    (until,) = re.findall(r'name="until" value="([^"]+)"', page)
    world.notifications.items = [told(3, NOON + timedelta(minutes=1)), *world.notifications.items]
    page = (await browser.post("/news/read", {"until": until, "to": "/news"})).text
    assert [each.read for each in world.notifications.items] == [False, True, True], "what came since was not shown"
    assert "1<span" in part_of(page, 'href="/news"')
    page = (await browser.post("/news/n3", {"to": "/help"})).text
    assert "count" not in part_of(page, 'href="/news"')
    assert "Mark all as read" not in (await browser.get("/news")).text


def part_of(page: str, mark: str) -> str:
    """The first link with this mark."""
    return page[(at := page.index(mark)) : page.index("</a>", at)]
