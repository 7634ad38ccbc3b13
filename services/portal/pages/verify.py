"""Checking a copy: a public page for whoever holds one, without signing in.

One thing to remember: without number and code there is a form and nothing else, and a wrong number and a wrong code
get the same answer. No party but the issuing body is named, and no person.
"""

from typing import Annotated, Final

from fastapi import APIRouter, Query
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.requests import Request
from starlette.responses import Response

from services.portal.clients import SOURCE, Trouble
from services.portal.names import STATUSES
from services.portal.visitor import House, Somebody, TheHouse
from services.portal.words import reader
from shared.contracts.verification import PublicView
from shared.rules.refusals import Refused

router = APIRouter()

PER_SOURCE: Final = parse("30/minute")
"""How often one address may ask; a copy is checked by hand."""
VOID: Final = frozenset({"DELETED", "REPLACED", "NOT_RELEASED"})


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
        limiter: MovingWindowRateLimiter = _limiter(request)
        if not limiter.hit(PER_SOURCE, "verify", SOURCE.get()):
            raise Refused("too_many_attempts")
        seen = int(revision) if revision.isascii() and revision.isdigit() and len(revision) < 9 else None
        try:
            found = await house.clients.certificates.public(number, code, seen)
        except Trouble as trouble:
            if trouble.status not in (404, 422):
                raise
    return house.look.page(
        request,
        "verify/page.html",
        status=404 if asked and found is None else 200,
        number=number,
        code=code,
        asked=asked,
        found=found,
        standing=STATUSES[found.status] if found else None,
        void=found is not None and found.status in VOID,
    )


def _limiter(request: Request) -> MovingWindowRateLimiter:
    """One count for this web site; a process has its own."""
    state = request.app.state
    if not hasattr(state, "verifications"):
        state.verifications = MovingWindowRateLimiter(MemoryStorage())
    limiter: MovingWindowRateLimiter = state.verifications
    return limiter


@router.get("/certificates/{certificate_id}/print.pdf")
async def print_certificate(house: TheHouse, visitor: Somebody, certificate_id: str) -> Response:
    """The certificate as a PDF in the reader's language."""
    body = await house.clients.certificates.pdf(visitor.caller, certificate_id, reader().language)
    name = "".join(letter for letter in certificate_id if letter.isalnum() or letter == "-")
    headers = {"Content-Disposition": f'inline; filename="{name}.pdf"'}
    return Response(body, media_type="application/pdf", headers=headers)
