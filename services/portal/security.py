"""What protects a reader: the headers on every answer, and the guard in front of every form.

One thing to remember: a page may load, run, show and post to nothing but this origin, and a change is made only by a
form that this origin wrote for this browser.
"""

import hmac
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request

from shared.rules.refusals import Refused

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
BROWSER_COOKIE: Final = "browser"
TOKEN_FIELD: Final = "form_token"
TOKEN_HEADER: Final = "x-form-token"
ENGINE_PATH: Final = "/ops/temporal"

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
ENGINE_POLICY: Final = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'self'",
    )
)
"""The engine's own pages carry scripts and styles inside; ops only, and nothing from elsewhere."""

# fmt: off
HEADERS: Final = (
    ("X-Content-Type-Options",       "nosniff"),
    ("X-Frame-Options",              "DENY"),
    ("Referrer-Policy",              "same-origin"),
    ("Permissions-Policy",           "camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
    ("Cross-Origin-Opener-Policy",   "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
# fmt: on


class SecurityHeaders:
    """Puts the policy and its companions on every answer, also on errors and on files."""

    def __init__(self, app: App, secure: bool = False) -> None:
        self.app = app
        self.secure = secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        engine = path.startswith(ENGINE_PATH + "/")

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                headers["Content-Security-Policy"] = ENGINE_POLICY if engine else POLICY
                for name, value in HEADERS:
                    headers[name] = value
                if self.secure:
                    headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
                if not path.startswith("/static/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self.app(scope, receive, send_with_headers)


class OwnCookies:
    """Cookies bear the environment's name on the wire: installations under one host name keep theirs apart.

    Browsers tell hosts apart, and not ports. Within, a cookie has the name it has everywhere.
    """

    def __init__(self, app: App, environment: str = "") -> None:
        self.app = app
        self.mark = f"{environment}-".encode() if environment else b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self.mark:
            await self.app(scope, receive, send)
            return
        brought = (each for name, value in scope["headers"] if name == b"cookie" for each in value.split(b";"))
        own = [each.strip().removeprefix(self.mark) for each in brought if each.strip().startswith(self.mark)]
        others = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
        headers = [*others, (b"cookie", b"; ".join(own))] if own else others

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    (name, self.mark + value if name.lower() == b"set-cookie" else value)
                    for name, value in message.get("headers", [])
                ]
            await send(message)

        await self.app({**scope, "headers": headers}, receive, send_marked)


class FormKeys:
    """Makes and checks the token that ties a form to the browser it was written for."""

    def __init__(self, key: bytes) -> None:
        self.key = key

    def token(self, browser: str, session: str) -> str:
        """The token of every form shown to this browser in this session."""
        return hmac.new(self.key, f"{browser}\n{session}".encode(), sha256).hexdigest()

    def fits(self, token: str, browser: str, session: str) -> bool:
        """Whether this token was made for this browser and session."""
        return bool(browser) and hmac.compare_digest(token.encode(), self.token(browser, session).encode())


def new_browser() -> str:
    """A name for a browser that has none yet; it says nothing about its owner."""
    return secrets.token_urlsafe(18)


def refuse_foreign_origin(request: Request, own: str) -> None:
    """Refuse a change asked for by a page of another origin; browsers say where a request comes from."""
    if request.method in SAFE_METHODS:
        return
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        raise Refused("untrusted_form")
    origin = request.headers.get("origin")
    if origin is None:
        return
    asked = urlsplit(origin)
    if asked.netloc not in (request.headers.get("host", ""), urlsplit(own).netloc) or not asked.netloc:
        raise Refused("untrusted_form")


async def refuse_forged_form(request: Request, keys: FormKeys, session: str) -> None:
    """Refuse a change whose form was not written by us for this browser and session."""
    if request.method in SAFE_METHODS:
        return
    sent = request.headers.get(TOKEN_HEADER)
    if sent is None:
        form = await request.form()
        value = form.get(TOKEN_FIELD)
        sent = value if isinstance(value, str) else ""
    if not keys.fits(sent, request.cookies.get(BROWSER_COOKIE, ""), session):
        raise Refused("untrusted_form")
