"""Programs of an organisation: its access tokens and its webhooks, for its administrators.

One thing to remember: a secret is shown on the page that answers the form which made it, and on no other; nothing of it
goes into an address, a cookie or a log.
"""

import json
from typing import Annotated, Any, Final
from uuid import uuid4

from fastapi import APIRouter, Query
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.portal import forms, words
from services.portal.clients import Trouble
from services.portal.names import ACTIONS, STATUSES
from services.portal.pages import passage
from services.portal.programs import Programs
from services.portal.visitor import House, Somebody, TheHouse, Visitor
from services.portal.words import N_
from shared.contracts.machines import NewToken, NewWebhook, Scope
from shared.rules.refusals import Refused
from shared.rules.status import Action, Status

router = APIRouter()

SCOPES: Final = {
    Scope.READ: (N_("Read"), N_("certificates, extracts, lists and files your organisation may see")),
    Scope.DRAFT: (N_("Draft"), N_("write drafts and change boxes")),
    Scope.ACT: (N_("Act"), N_("submit, delete and the like; for customs, write quantities off. Never sign.")),
}
LASTS: Final = {30: N_("30 days"), 90: N_("90 days"), 180: N_("180 days"), 365: N_("One year")}
STATES: Final = {
    "pending": (N_("waits"), "amber"),
    "delivered": (N_("delivered"), "green"),
    "failed": (N_("given up"), "red"),
}
TROUBLES: Final = {
    "no_answer": N_("no answer within ten seconds"),
    "not_reached": N_("no connection"),
    "not_taken": N_("the receiver answered with an error"),
    "unknown_host": N_("nobody knows this host name"),
    "private_address": N_("the address is not public"),
}


@router.get("/machines")
async def machines(request: Request, house: TheHouse, visitor: Somebody) -> Response:
    """The access tokens and webhooks of the organisation I act for."""
    return await _page(request, house, visitor)


async def _page(request: Request, house: House, visitor: Visitor, status: int = 200, **more: Any) -> Response:
    if visitor.post is None or not visitor.post.administrator:
        raise Refused("not_permitted")
    programs = Programs(house.clients, visitor.caller)
    tokens, webhooks = await programs.tokens(), await programs.webhooks()
    shown: dict[str, Any] = {"minted": None, "hooked": None, "problem": "", "typed": {}, **more}
    return house.look.page(
        request,
        "machines/page.html",
        status=status,
        current="machines",
        tokens=tokens,
        webhooks=webhooks,
        scopes=SCOPES,
        lasts=LASTS,
        door=house.settings.portal_url.rstrip("/") + passage.PATH,
        key=str(uuid4()),
        headers={"Cache-Control": "no-store"},
        **shown,
    )


@router.post("/machines/tokens")
async def mint(request: Request, house: TheHouse, visitor: Somebody) -> Response:
    """Mint an access token; its secret is on this page and on no other."""
    form = await request.form()
    typed = {"name": forms.text(form, "name"), "scopes": forms.texts(form, "scope"), "days": forms.text(form, "days")}
    try:
        days = int(str(typed["days"]))
        new = NewToken(name=str(typed["name"]), scopes=[Scope(each) for each in typed["scopes"]], days=days)
    except (ValidationError, ValueError):
        wrong = words._("Please give the token a name, at least one permission and an end.")
        return await _page(request, house, visitor, 422, problem=wrong, typed=typed)
    minted = await Programs(house.clients, visitor.caller).mint(new, forms.text(form, "key") or str(uuid4()))
    return await _page(request, house, visitor, minted=minted)


@router.post("/machines/tokens/{token_id}")
async def revoke(house: TheHouse, visitor: Somebody, token_id: str) -> Response:
    """Revoke an access token."""
    await Programs(house.clients, visitor.caller).revoke(token_id)
    return RedirectResponse("/machines", 303)


@router.post("/machines/webhooks")
async def hook(request: Request, house: TheHouse, visitor: Somebody) -> Response:
    """Make a webhook; its secret is on this page and on no other."""
    form = await request.form()
    url = forms.text(form, "url")
    try:
        new = NewWebhook(url=url)
        made = await Programs(house.clients, visitor.caller).hook(new, forms.text(form, "key") or str(uuid4()))
    except (ValidationError, Trouble) as trouble:
        if isinstance(trouble, Trouble) and trouble.status != 422:
            raise
        wrong = words._("Please give an address that begins with https:// and is open to the internet.")
        return await _page(request, house, visitor, 422, problem=wrong, typed={"url": url})
    return await _page(request, house, visitor, hooked=made)


@router.get("/machines/webhooks/{webhook_id}")
async def webhook(
    request: Request,
    house: TheHouse,
    visitor: Somebody,
    webhook_id: str,
    after: Annotated[str, Query(max_length=36)] = "",
) -> Response:
    """What was told to a webhook, and what became of it."""
    return await _webhook(request, house, visitor, webhook_id, after)


async def _webhook(
    request: Request, house: House, visitor: Visitor, webhook_id: str, after: str = "", **more: Any
) -> Response:
    page = await Programs(house.clients, visitor.caller).deliveries(webhook_id, after)
    here = f"/machines/webhooks/{page.webhook.id}"
    shown: dict[str, Any] = {"hooked": None, **more}
    return house.look.page(
        request,
        "machines/webhook.html",
        current="machines",
        hook=page.webhook,
        page=page,
        states=STATES,
        troubles=TROUBLES,
        about=_about,
        first=here if after else "",
        next=f"{here}?after={page.next}" if page.next else "",
        key=str(uuid4()),
        headers={"Cache-Control": "no-store"},
        **shown,
    )


def _about(body: dict[str, Any]) -> str:
    """What a delivery tells, in a few words."""
    action, target = str(body.get("action") or ""), str(body.get("target") or "")
    if action not in set(Action):
        return words._("A trial")
    name = words.law(ACTIONS[Action(action)].done) if Action(action) in ACTIONS else action
    reached = words.law(STATUSES[Status(target)].name) if target in Status.__members__ else ""
    return " · ".join(each for each in (str(body.get("number") or ""), name, reached) if each)


@router.post("/machines/webhooks/{webhook_id}")
async def change(request: Request, house: TheHouse, visitor: Somebody, webhook_id: str) -> Response:
    """Pause, go on, try, rotate the secret, or give the webhook up."""
    form = await request.form()
    programs, do = Programs(house.clients, visitor.caller), forms.text(form, "do")
    key = forms.text(form, "key") or str(uuid4())
    if do == "rotate":
        return await _webhook(request, house, visitor, webhook_id, hooked=await programs.rotate(webhook_id, key))
    if do == "drop":
        await programs.unhook(webhook_id)
        return RedirectResponse("/machines", 303)
    if do == "try":
        await programs.ping(webhook_id, key)
    else:
        await programs.pause(webhook_id, do == "resume")
    return RedirectResponse(f"/machines/webhooks/{webhook_id}", 303)


@router.post("/machines/webhooks/{webhook_id}/deliveries/{delivery_id}")
async def replay(house: TheHouse, visitor: Somebody, webhook_id: str, delivery_id: str) -> Response:
    """Have a delivery tried again at once."""
    await Programs(house.clients, visitor.caller).replay(webhook_id, delivery_id)
    return RedirectResponse(f"/machines/webhooks/{webhook_id}", 303)


@router.get("/machines/openapi.json")
async def description(house: TheHouse, visitor: Somebody) -> Response:
    """The description of the interface for programs, as a file."""
    headers = {"Content-Disposition": 'attachment; filename="bordereau-openapi.json"'}
    said = json.dumps(await passage.described(house), ensure_ascii=False)
    return Response(said, media_type="application/json", headers=headers)
