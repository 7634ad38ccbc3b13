"""Checking a copy: a public page for whoever holds one, without signing in.

One thing to remember: without number and code there is a form and nothing else, and a wrong number and a wrong code
get the same answer. No party but the issuing body is named, and no person.
"""

from typing import Annotated, Final

from fastapi import APIRouter, Query
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from services.portal import extracts, words
from services.portal.clients import SOURCE, Trouble
from services.portal.names import STATUSES, StatusName
from services.portal.visitor import House, Somebody, TheHouse
from services.portal.words import reader
from shared.contracts.verification import FileView, PublicView, StatementView
from shared.rules.refusals import Refused

router = APIRouter()

PER_SOURCE: Final = parse("30/minute")
"""How often one address may ask; a copy is checked by hand."""
FILES_PER_SOURCE: Final = parse("6/minute")
"""How often one address may have a file checked: each is opened by a program of its own."""
FILE_LIMIT: Final = 5_000_000
"""Bytes of a file; a copy of ours has a tenth of that."""
VOID: Final = frozenset({"DELETED", "REPLACED", "NOT_RELEASED", "EXT_DELETED", "EXT_NOT_RELEASED"})
NAMES: Final[dict[str, StatusName]] = {
    **{status.value: name for status, name in STATUSES.items()},
    **{status.value: name for status, name in extracts.STATUSES.items()},
}
InLanguage = Annotated[str, Query(pattern=f"^({'|'.join(words.LANGUAGES)})?$")]
"""A language of the pages; nothing for the reader's."""


@router.get("/verify")
async def verify(
    request: Request,
    house: TheHouse,
    number: Annotated[str, Query(max_length=40)] = "",
    c: Annotated[str, Query(max_length=40)] = "",
    r: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """The form for number and code; with both, what the certificate is now."""
    return await _page(request, house, number, c, r)


@router.get("/verify/keys.json")
async def keys(request: Request, house: TheHouse) -> Response:
    """The public key of every organisation that has signed: to keep, and to check copies with later on."""
    _count(request, PER_SOURCE, "verify")
    body = await house.clients.certificates.published_keys()
    headers = {"Content-Disposition": 'attachment; filename="signing-keys.json"'}
    return Response(body, media_type="application/json", headers=headers)


@router.get("/verify/{number}")
async def verify_number(
    request: Request,
    house: TheHouse,
    number: str,
    c: Annotated[str, Query(max_length=40)] = "",
    r: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """The page the square code of a copy leads to."""
    return await _page(request, house, number[:40], c, r)


async def _page(request: Request, house: House, number: str, code: str, revision: str) -> Response:
    number, code = number.strip(), code.strip()
    found: PublicView | None = None
    asked = bool(number and code)
    if asked:
        _count(request, PER_SOURCE, "verify")
        seen = int(revision) if revision.isascii() and revision.isdigit() and len(revision) < 9 else None
        try:
            found = await house.clients.certificates.public(number, code, seen)
        except Trouble as trouble:
            if trouble.status not in (404, 422):
                raise
    status = 404 if asked and found is None else 200
    return _shown(request, house, status, number=number, code=code, asked=asked, found=found)


@router.post("/verify/file")
async def verify_file(request: Request, house: TheHouse) -> Response:
    """What a PDF is that somebody holds; it is checked and forgotten."""
    _count(request, FILES_PER_SOURCE, "file")
    sent = (await request.form()).get("file")
    body = await sent.read(FILE_LIMIT + 1) if isinstance(sent, UploadFile) else b""
    if len(body) > FILE_LIMIT:
        raise Refused("too_large")
    said = await house.clients.certificates.check_file(body)
    return _shown(request, house, 200 if said.certificate else 422, file=said, found=said.certificate)


@router.post("/verify/code")
async def verify_code(request: Request, house: TheHouse) -> Response:
    """What the text of a copy's second square code says, checked against the published keys."""
    _count(request, PER_SOURCE, "verify")
    text = str((await request.form()).get("statement") or "").strip()
    said = await house.clients.certificates.check_statement(text) if len(text) <= 1000 else StatementView(genuine=False)
    return _shown(request, house, 200 if said.genuine else 422, statement=said, text=text)


def _shown(
    request: Request,
    house: House,
    status: int,
    *,
    number: str = "",
    code: str = "",
    asked: bool = False,
    found: PublicView | None = None,
    file: FileView | None = None,
    statement: StatementView | None = None,
    text: str = "",
) -> Response:
    return house.look.page(
        request,
        "verify/page.html",
        status=status,
        number=number,
        code=code,
        asked=asked,
        found=found,
        file=file,
        statement=statement,
        text=text,
        statuses=NAMES,
        void=found is not None and (found.status in VOID or found.certificate_status in VOID),
    )


def _count(request: Request, most: RateLimitItem, what: str) -> None:
    """Refuse an address that asks too often."""
    if not _limiter(request).hit(most, what, SOURCE.get()):
        raise Refused("too_many_attempts")


def _limiter(request: Request) -> MovingWindowRateLimiter:
    """One count for this web site; a process has its own."""
    state = request.app.state
    if not hasattr(state, "verifications"):
        state.verifications = MovingWindowRateLimiter(MemoryStorage())
    limiter: MovingWindowRateLimiter = state.verifications
    return limiter


@router.get("/certificates/{certificate_id}/print.pdf")
async def print_certificate(
    house: TheHouse, visitor: Somebody, certificate_id: str, language: InLanguage = ""
) -> Response:
    """The certificate as a PDF, in a language of the pages."""
    body = await house.clients.certificates.pdf(visitor.caller, certificate_id, language or reader().language)
    name = "".join(letter for letter in certificate_id if letter.isalnum() or letter == "-")
    headers = {"Content-Disposition": f'inline; filename="{name}.pdf"'}
    return Response(body, media_type="application/pdf", headers=headers)
