"""The first page, Help and Contact."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.portal import words
from services.portal.visitor import Anybody, TheHouse

router = APIRouter()


@router.get("/help")
async def help_page(request: Request, house: TheHouse, visitor: Anybody) -> Response:
    """The guides' steps, in the reader's language."""
    return house.look.page(request, f"help/{words.reader().language}.html", current="help")


@router.get("/contact")
async def contact_page(request: Request, house: TheHouse, visitor: Anybody) -> Response:
    """Whom to ask for what."""
    return house.look.page(request, "contact.html", current="contact")
