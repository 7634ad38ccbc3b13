"""The mail catcher: every letter that is sent is kept and shown, none leaves the machine.

Letters are files in a folder, so that they survive. What a letter says is shown in a frame that may not run scripts,
whatever it holds.
"""

import asyncio
import contextlib
import re
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Final

import jinja2
import uvicorn
from aiosmtpd.smtp import SMTP, Envelope, Session
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from deploy.local.ports import LOOPBACK

MOST: Final = 2_000  # letters kept; the oldest go first
LARGEST: Final = 5_000_000  # bytes of one letter
_ID: Final = re.compile(r"[0-9]{13}-[0-9a-f]{8}")

# Our pages: no script at all. A letter's own page: no script, no form, nothing fetched; its links open in a new window.
_PAGE_POLICY: Final = "default-src 'none'; style-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'self'"
_LETTER_POLICY: Final = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
)
_HEADERS: Final = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}


@dataclass(frozen=True)
class Summary:
    """A letter as the list shows it."""

    id: str
    message_id: str
    sender: str
    to: tuple[str, ...]
    subject: str
    date: str
    received: str


@dataclass(frozen=True)
class Letter:
    """A letter as it was received."""

    summary: Summary
    text: str
    html: str
    raw: bytes

    @property
    def links(self) -> tuple[str, ...]:
        """The addresses it names, in order."""
        return tuple(dict.fromkeys(re.findall(r"https?://[^\s<>\"')]+", self.text)))


class Mailbox:
    """The letters in a folder, newest first."""

    def __init__(self, folder: Path, most: int = MOST) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder, self._most = folder, most
        self._summaries: dict[str, Summary] = {}
        self.told: list[Callable[[Summary], None]] = []
        """Who is told of each letter as it comes."""
        for file in sorted(folder.glob("*.eml")):
            if _ID.fullmatch(file.stem):
                self._summaries[file.stem] = _summary(file.stem, _parsed(file.read_bytes()), ())

    def put(self, raw: bytes, recipients: tuple[str, ...]) -> str:
        """Keep a letter and return its id."""
        key = f"{time.time_ns() // 1_000_000:013d}-{secrets.token_hex(4)}"
        half = self._folder / f".{key}"
        half.write_bytes(raw)
        half.replace(self._folder / f"{key}.eml")
        summary = self._summaries[key] = _summary(key, _parsed(raw), recipients)
        while len(self._summaries) > self._most:
            oldest = next(iter(self._summaries))
            del self._summaries[oldest]
            (self._folder / f"{oldest}.eml").unlink(missing_ok=True)
        for tell in self.told:
            tell(summary)
        return key

    def all(self) -> list[Summary]:
        return list(reversed(self._summaries.values()))

    def find(self, words: str) -> list[Summary]:
        """The letters whose subject, sender or recipient holds these words."""
        wanted = words.casefold()
        return [one for one in self.all() if wanted in " ".join((one.subject, one.sender, *one.to)).casefold()]

    def get(self, key: str) -> Letter | None:
        if key not in self._summaries:
            return None
        try:
            raw = (self._folder / f"{key}.eml").read_bytes()
        except FileNotFoundError:
            return None
        message = _parsed(raw)
        return Letter(self._summaries[key], _part(message, "plain"), _part(message, "html"), raw)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """A letter has come."""
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        key = self.put(content, tuple(str(one) for one in envelope.rcpt_tos))
        return f"250 kept as {key}"


@asynccontextmanager
async def mailbox(folder: Path, smtp_port: int, web_port: int) -> AsyncIterator[Mailbox]:
    """Receive letters and show them, for as long as the block lasts."""
    box = Mailbox(folder)
    loop = asyncio.get_running_loop()
    post = await loop.create_server(
        lambda: SMTP(
            box, hostname="localhost", ident="Bordereau", data_size_limit=LARGEST, enable_SMTPUTF8=True, loop=loop
        ),
        LOOPBACK,
        smtp_port,
    )
    web = _Web(
        uvicorn.Config(
            pages(box),
            LOOPBACK,
            web_port,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
    )
    serving = asyncio.create_task(web.serve(), name="mailbox")
    try:
        while not web.started:
            if serving.done():
                serving.result()
            await asyncio.sleep(0.01)
        yield box
    finally:
        post.close()
        web.should_exit = True
        await serving


class _Web(uvicorn.Server):
    """A web server that leaves the signals to the one who started it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def pages(box: Mailbox) -> Starlette:
    """The web pages and their JSON."""
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )

    def page(name: str, **values: object) -> HTMLResponse:
        headers = _HEADERS | {"Content-Security-Policy": _PAGE_POLICY}
        return HTMLResponse(templates.get_template(name).render(**values), headers=headers)

    def plain(text: str, kind: str = "text/plain") -> Response:
        return Response(text, media_type=f"{kind}; charset=utf-8", headers=_HEADERS)

    async def overview(request: Request) -> Response:
        words = request.query_params.get("q", "")
        return page("mailbox.html", letters=box.find(words), words=words, total=len(box.all()))

    async def letter(request: Request) -> Response:
        found = box.get(request.path_params["id"])
        return page("letter.html", letter=found) if found else _nothing()

    async def style(_: Request) -> Response:
        return plain((Path(__file__).parent / "pages" / "mailbox.css").read_text(), "text/css")

    async def messages(request: Request) -> Response:
        return JSONResponse([asdict(one) for one in box.find(request.query_params.get("q", ""))], headers=_HEADERS)

    async def message(request: Request) -> Response:
        if (found := box.get(request.path_params["id"])) is None:
            return _nothing()
        body = asdict(found.summary) | {"text": found.text, "html": found.html, "links": found.links}
        return JSONResponse(body, headers=_HEADERS)

    async def part(request: Request) -> Response:
        found, form = box.get(request.path_params["id"]), request.path_params["form"]
        if found is None or form not in ("html", "text", "raw"):
            return _nothing()
        if form == "html":
            headers = _HEADERS | {"Content-Security-Policy": _LETTER_POLICY}
            return HTMLResponse(f'<base target="_blank">{found.html}', headers=headers)
        return plain(found.text if form == "text" else found.raw.decode(errors="replace"))

    return Starlette(
        routes=[
            Route("/", overview),
            Route("/letters/{id}", letter),
            Route("/mailbox.css", style),
            Route("/messages", messages),
            Route("/messages/{id}", message),
            Route("/messages/{id}/{form}", part),
            Route("/health", lambda _: PlainTextResponse("ok")),
        ],
        # A page elsewhere cannot read our letters by giving its own name our number.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["localhost", LOOPBACK])],
    )


def _nothing() -> Response:
    return PlainTextResponse("There is no such letter.", 404, headers=_HEADERS)


def _parsed(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=policy.default)


def _summary(key: str, message: EmailMessage, recipients: tuple[str, ...]) -> Summary:
    return Summary(
        id=key,
        message_id=_header(message, "Message-ID"),
        sender=_header(message, "From"),
        to=recipients or tuple(one.strip() for one in _header(message, "To").split(",")),
        subject=_header(message, "Subject") or "(…)",
        date=_header(message, "Date"),
        received=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(key[:13]) / 1000)),
    )


def _header(message: EmailMessage, name: str) -> str:
    """A header as text; a letter may hold anything, so what cannot be read is empty."""
    try:
        return str(message.get(name, ""))
    except (ValueError, IndexError, KeyError, TypeError, AttributeError):
        return ""


def _part(message: EmailMessage, kind: str) -> str:
    try:
        body = message.get_body((kind,))
        return str(body.get_content()) if body is not None else ""
    except (LookupError, ValueError, TypeError, AttributeError):
        return ""
