"""How a page looks: the Jinja environment, its filters, and the one function that answers with a page.

One thing to remember: an htmx fragment is a block of its page, so both are written once.
"""

from collections.abc import Mapping
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from services.portal import forms, names, words
from services.portal.security import BROWSER_COOKIE

HERE: Final = Path(__file__).parent
A_YEAR: Final = 365 * 24 * 3600
STATIC: Final = HERE / "static"


def _fingerprints() -> dict[str, str]:
    """A short digest of each static file, so that a browser may keep it for ever."""
    return {
        file.relative_to(STATIC).as_posix(): sha256(file.read_bytes()).hexdigest()[:10]
        for file in STATIC.rglob("*")
        if file.is_file()
    }


@cache
def environment() -> Environment:
    """The environment all pages are written in: one for the process, as its pages are compiled once."""
    env = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.install_gettext_callables(_gettext, _ngettext, newstyle=True)  # type: ignore[attr-defined]
    fingerprints = _fingerprints()

    def static(path: str) -> str:
        return f"/static/{path}?v={fingerprints[path]}"

    env.globals.update(
        static=static,
        font="/static/fonts/public-sans-latin-wght-normal.woff2",
        reader=words.reader,
        languages=words.LANGUAGES,
        names=names,
        named=named,
        countries_for=forms.countries_for,
        plural=words.plural,
        zone_name=words.zone_name,
        lasts=words.lasts,
        # what every page may ask for, filled by `page` below
        visitor=None,
        current="",
        flashes=(),
        form_token="",
        whose="",
        held="",
        here="/",
        demo=False,
        environment="",
        accounts_of="",
        awaiting=0,
        unread=None,
    )
    env.filters.update(
        say=words.law,
        day=words.day,
        moment=words.moment,
        distance=words.distance,
        for_input=words.for_input,
        number=words.number,
        typed=lambda value: words.number(value, grouped=False),
        country=words.country,
        listing=words.listing,
        isodate=lambda value: value.isoformat() if value else "",
        initials=initials,
        browser=browser,
        when=words.parse_moment,
        a_day=date.fromisoformat,
        grouped=grouped,
        lower_first=words.lower_first,
    )
    return env


def _gettext(message: str) -> str:
    return words.catalogue(words.reader().language).gettext(message) if message else ""


def _ngettext(one: str, many: str, count: int) -> str:
    return words.catalogue(words.reader().language).ngettext(one, many, count)


def named(table: Mapping[str, str], code: object) -> str:
    """The name of a code in the reader's language; a code the table does not know is its own name."""
    return words.law(table.get(str(code), str(code)))


def initials(name: str) -> str:
    """The first letters of first and last name."""
    parts = [part for part in name.replace("(", " ").split() if part[:1].isalpha()]
    return "".join(part[0] for part in (parts[:1] + parts[-1:] if len(parts) > 1 else parts)).upper()


# fmt: off
_BROWSERS: Final = (
    # as they name themselves, the more particular ones first: nearly all of them also claim to be the last two
    ("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"),
)
_SYSTEMS: Final = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)
# fmt: on


def browser(agent: str | None) -> str:
    """A browser and its system in two words, from what it says of itself; what says neither, as it stands."""
    said = agent or ""
    found = [next((name for mark, name in table if mark in said), "") for table in (_BROWSERS, _SYSTEMS)]
    return ", ".join(name for name in found if name) or said[:90]


def grouped(fingerprint: str, size: int = 8) -> Markup:
    """A fingerprint in groups, so that two people can compare it aloud."""
    groups = [fingerprint[start : start + size] for start in range(0, len(fingerprint), size)]
    return Markup(" ").join(escape(group) for group in groups)


class Look:
    """Writes pages and fragments."""

    def __init__(self, secure: bool) -> None:
        self.env = environment()
        self.secure = secure

    def write(self, template: str, block: str | None, context: Mapping[str, Any]) -> str:
        """The text of a page, or of one block of it."""
        page = self.env.get_template(template)
        if block is None:
            return page.render(context)
        inner = page.new_context(dict(context))
        return "".join(page.blocks[block](inner))

    def page(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        block: str | None = None,
        headers: Mapping[str, str] | None = None,
        **context: Any,
    ) -> Response:
        """Answer with a page, or with one block of it when htmx asks for a part."""
        everything = {**getattr(request.state, "context", {}), **context, "request": request}
        text = self.write(template, block, everything)
        answer = HTMLResponse(text, status_code=status, headers=dict(headers or {}))
        answer.headers["Vary"] = "HX-Request, Cookie, Accept-Language"
        if browser := getattr(request.state, "new_browser", ""):
            answer.set_cookie(
                BROWSER_COOKIE, browser, max_age=A_YEAR, httponly=True, samesite="lax", secure=self.secure
            )
        answer.headers["Content-Language"] = words.reader().language
        return answer


def wants_part(request: Request) -> bool:
    """Whether htmx asks for a part of the page (and not for the page by a boosted link)."""
    return request.headers.get("hx-request") == "true" and request.headers.get("hx-boosted") != "true"
