"""What somebody typed into a form whose session had ended: it goes with him through the door, and he finds it again.

One thing to remember: nothing is kept here. The forms of the door carry it along, only to whoever wrote it, and never
what proves a person: no password, no code, no passkey.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from starlette.datastructures import FormData
from starlette.requests import Request

from services.portal import forms
from services.portal.security import BROWSER_COOKIE, FormKeys

PAGES: Final = (re.compile(r"/(certificates|extracts)/[^/?#]+/do/[a-z_]+"),)
"""Forms that have a page of their own under the same address, and show what was typed before."""
_TYPED: Final = re.compile(r"form\.[a-z_.]+|key|whose")
MARK: Final = "held"
"""The field by which a form says that it only comes back, and orders nothing."""


@dataclass(frozen=True)
class Held:
    """A form on its way back."""

    path: str
    fields: tuple[tuple[str, str], ...]

    def text(self) -> str:
        """As a hidden field carries it."""
        return json.dumps([self.path, self.fields])

    def is_of(self, keys: FormKeys, request: Request, person_id: str) -> bool:
        """Whether this person wrote it, in this browser."""
        browser = request.cookies.get(BROWSER_COOKIE, "")
        return keys.fits(dict(self.fields).get("whose", ""), browser, _whose(person_id))


def whose(keys: FormKeys, browser: str, person_id: str) -> str:
    """What a form bears that may come back: whose it is, and no word about who that is."""
    return keys.token(browser, _whose(person_id))


def _whose(person_id: str) -> str:
    return f"person {person_id}"


async def held(request: Request) -> Held | None:
    """What was typed into the form that met the end of its session, if its page can show it again."""
    if request.method != "POST" or not _is_page(request.url.path):
        return None
    typed = (await request.form()).multi_items()
    fields = tuple((name, value) for name, value in typed if isinstance(value, str) and _TYPED.fullmatch(name))
    return Held(request.url.path, fields)


def carried(text: str) -> Held | None:
    """What a form of the door brings along; nothing where it makes no sense."""
    try:
        path, fields = json.loads(text)
        pairs = tuple((str(name), str(value)) for name, value in fields)
    except (ValueError, TypeError):
        return None
    known = all(_TYPED.fullmatch(name) for name, _ in pairs)
    return Held(path, pairs) if isinstance(path, str) and _is_page(path) and known else None


def came_back(typed: FormData | Any) -> bool:
    """Whether a form only brings what was typed before."""
    return bool(forms.text(typed, MARK))


def _is_page(path: str) -> bool:
    return any(page.fullmatch(path) for page in PAGES)
