"""A real browser: Debian's Chromium, driven by Playwright, with axe and an eye on what it asks for.

One thing to remember: the program without windows of its own (headless-shell) shows the same pages for half the work.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests import leaks
from tests.portal.builds import Build

PATIENCE = 40_000
"""Milliseconds for what usually takes a tenth of a second: the machine may be busy."""
VENDOR = Path(__file__).parent / "vendor"
QUIET = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--disable-gpu",
    "--hide-scrollbars",
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxFullPopup,WebUIOmniboxAimPopup,AimEnabled,"  # pages of its own,
    "AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,HttpsUpgrades,MediaRouter,"  # then Playwright's
    "OptimizationHints,PaintHolding,ThirdPartyStoragePartitioning",
)


def where() -> str | None:
    """The browser's program, if there is one here."""
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CHROMIUM") or next((found for name in names if (found := shutil.which(name))), None)


NEEDED = pytest.mark.skipif(
    where() is None and not os.environ.get("CI"), reason="no Chromium on this machine (under CI this fails)"
)
"""On what needs a browser: the one thing a developer's machine may lack."""


BLOCKS = """() => {
  const bones = each => [each.tagName, each.className, each.type, each.getAttribute('role'), each.hidden, each.disabled,
    each.textContent.trim() === '', each.id !== '', ...[...each.attributes].filter(one =>
    /^(aria-|alt|title|tabindex|lang|for$)/.test(one.name)).map(one => one.name +
    (/^(for|aria-(labelledby|describedby|controls|owns))$/.test(one.name)
    ? one.value.split(/\\s+/).every(id => document.getElementById(id)) : ''))].join(' ');
  const above = each => each.parentElement ? above(each.parentElement) + '>' + each.parentElement.className : '';
  const ids = [...document.querySelectorAll('[id]')].map(each => each.id);
  return [ids.filter((id, at) => ids.indexOf(id) !== at),
    [...document.querySelectorAll('body > *, main > *, main > * > *, .box, tbody > tr, fieldset')]
      .map(each => above(each) + ':' + [each, ...each.querySelectorAll('*')].map(bones).join(';')),
    [...document.querySelectorAll('*')].map(bones).join(';')];
}"""
"""The ids that stand twice, the build of each block in the order of the page, and that of the whole: elements and
what they are, without words and ids; references only by whether they lead to something."""
RUN = """known => {
  const blocks = [...document.querySelectorAll('body > *, main > *, main > * > *, .box, tbody > tr, fieldset')];
  const seen = known.map(at => blocks[at]);
  return axe.run({include: [document], exclude: seen}, {resultTypes: ['violations'],
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}
  ).then(said => said.violations.map(each => each.id + ': ' + each.help
    + ' — ' + each.nodes.slice(0, 3).map(node => node.html.slice(0, 160)).join(' | ')));
}"""


@cache
def axe() -> str:
    """The source of axe."""
    return next(VENDOR.glob("axe-*.min.js")).read_text()


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running browser."""
    program = where()
    assert program, "no Chromium here: install it (apt-get install chromium) or name it in CHROMIUM"
    with sync_playwright() as play:
        expect.set_options(timeout=PATIENCE)
        browser = play.chromium.launch(executable_path=program, args=list(QUIET))
        yield browser
        browser.close()


@dataclass
class Seen:
    """What was looked at in windows of one width, colour scheme and language."""

    shown: set[int] = field(default_factory=set)
    """What the pages opened so far are built of."""
    looked_at: set[str] = field(default_factory=set)
    """The builds of the pages, and of the blocks of pages, that axe has seen."""


@dataclass
class Eye:
    """One window, and everything it asked for or complained about."""

    page: Page
    address: str
    asked_elsewhere: list[str] = field(default_factory=list)
    seen: Seen = field(default_factory=Seen)
    complaints: list[str] = field(default_factory=list)

    def watch(self) -> "Eye":
        """Begin to look."""
        self.page.on("request", self._request)
        self.page.on("console", lambda message: self._heard(message.type, message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return self

    def _request(self, request: Any) -> None:
        if request.method == "POST":
            leaks.typed(request.url, request.post_data)
        if not request.url.startswith((self.address, "data:", "about:", "blob:")):
            self.asked_elsewhere.append(request.url)

    def _heard(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and "status of 4" not in text and "status of 5" not in text:
            self.complaints.append(text)

    def goto(self, path: str) -> int:
        """Open a page; its HTTP status."""
        answer = self.page.goto(self.address + path)
        assert answer is not None
        return answer.status

    def has_news(self, path: str) -> bool:
        """Whether a page has an element where none like it stood on the pages shown before."""
        answer = self.page.context.request.get(self.address + path)
        build = Build(answer.text())
        assert build.twice == [], path
        news = build.found - self.seen.shown
        self.seen.shown |= news
        return bool(news)

    def violations(self) -> list[str]:
        """What axe finds wrong, with the elements; it passes over what it has seen before of the very same build."""
        twice, blocks, whole = self.page.evaluate(BLOCKS)
        found = [f"two elements have the id {each}" for each in twice]
        if whole in self.seen.looked_at:
            return found
        known = []
        for at, block in enumerate(blocks):
            if block in self.seen.looked_at:
                known.append(at)
            self.seen.looked_at.add(block)
        self.seen.looked_at.add(whole)
        self.page.evaluate(axe())
        return found + list(self.page.evaluate(RUN, known))

    def overflow(self) -> int:
        """How many pixels the page is wider than its window."""
        wide: int = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        return max(0, wide)

    def leave(self) -> None:
        """Leave the window as clean as a new one."""
        leaks.kept({each["name"]: each["value"] for each in self.page.context.cookies()})
        if self.page.url.startswith(self.address):
            self.page.evaluate("localStorage.clear(); sessionStorage.clear()")
        self.page.goto("about:blank")
        self.page.context.clear_cookies()
        self.complaints.clear()
        self.asked_elsewhere.clear()


def _opened(browser: Browser, address: str, width: int, scheme: str, language: str = "en", scripts: bool = True) -> Eye:
    context: BrowserContext = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=scripts,
        locale=language,
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE)
    return Eye(context.new_page(), address).watch()


@contextmanager
def window(
    browser: Browser,
    address: str,
    width: int = 1440,
    scheme: str = "light",
    scripts: bool = True,
    language: str = "en",
    seen: Seen | None = None,
) -> Iterator[Eye]:
    """A fresh window of some width and colour scheme; what was ``seen`` in others like it is passed over."""
    eye = _opened(browser, address, width, scheme, language, scripts)
    eye.seen = Seen() if seen is None else seen
    context = eye.page.context
    try:
        yield eye
    finally:
        leaks.kept({each["name"]: each["value"] for each in context.cookies()})
        context.close()


@dataclass
class Windows:
    """The windows on one site: whoever leaves one leaves it clean to the next, and axe remembers what it saw in it."""

    browser: Browser
    address: str
    _free: dict[tuple[int, str, str], list[Eye]] = field(default_factory=dict)
    _seen: dict[tuple[int, str, str], Seen] = field(default_factory=dict)

    @contextmanager
    def open(self, width: int = 1440, scheme: str = "light", language: str = "en") -> Iterator[Eye]:
        """A clean window; one in which something failed is not used again."""
        kind = width, scheme, language
        free = self._free.setdefault(kind, [])
        eye = free.pop() if free else _opened(self.browser, self.address, width, scheme, language)
        eye.seen = self._seen.setdefault(kind, eye.seen)
        yield eye
        eye.leave()
        free.append(eye)
