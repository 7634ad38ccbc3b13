"""The organisations: search, one organisation's public record, and the directory that is open to everybody."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from services.portal import forms
from services.portal.clients import Trouble
from services.portal.desk import Desk
from services.portal.records import BASES
from services.portal.requests import Short, Text, said, shown
from services.portal.visitor import Anybody, Somebody, TheHouse
from shared.contracts.organisations import OrganisationView

router = APIRouter()


@router.get("/organisations")
async def organisations(
    request: Request,
    house: TheHouse,
    visitor: Somebody,
    text: Annotated[str, Query(max_length=200)] = "",
    country: Annotated[str, Query(max_length=2)] = "",
    kind: Annotated[str, Query(max_length=20)] = "",
    activity: Annotated[str, Query(max_length=20)] = "",
    after: Annotated[str, Query(max_length=2000)] = "",
) -> Response:
    """Search by name or code, country, kind and activity."""
    asked: dict[str, Any] = {"text": text.strip(), "country": country, "kind": kind, "activity": activity}
    query: dict[str, Any] = {name: value for name, value in asked.items() if value}
    page = await house.clients.directory.organisations(visitor.caller, **query, after=after or None, limit=25)
    return house.look.page(
        request,
        "organisations/list.html",
        current="organisations",
        page=page,
        countries=forms.countries_for(""),
        first=f"/organisations?{urlencode(query)}" if after else "",
        next=f"/organisations?{urlencode({**query, 'after': page.next})}" if page.next else "",
        query=query,
        **asked,
    )


@router.get("/organisations/{organisation_id}")
async def organisation(request: Request, house: TheHouse, visitor: Somebody, organisation_id: str) -> Response:
    """One organisation's public record, with whom to ask about it."""
    record = await house.clients.directory.organisation(visitor.caller, organisation_id)
    related: dict[str, OrganisationView] = {}
    for other in {record.superior, *(each.control_body for each in record.activities)} - {None}:
        try:
            related[str(other)] = await house.clients.directory.organisation(visitor.caller, str(other))
        except Trouble as trouble:
            if trouble.status != 404:
                raise
    return house.look.page(
        request,
        "organisations/record.html",
        current="organisations",
        record=record,
        related=related,
        bases=BASES,
        **shown(),
    )


@router.get("/directory")
async def public(
    request: Request,
    house: TheHouse,
    visitor: Anybody,
    text: Text = "",
    country: Short = "",
    kind: Short = "",
    activity: Short = "",
    after: Annotated[str, Query(max_length=2000)] = "",
) -> Response:
    """Valid organisations, for everybody: nothing that leads to a person."""
    query = {"text": text.strip(), "country": country, "kind": kind, "activity": activity}
    page = await Desk(house.clients.directory, None).public(**said(query), after=after or None, limit=25)
    return house.look.page(
        request,
        "organisations/public.html",
        current="directory",
        page=page,
        query=query,
        countries=forms.countries_for(""),
        first=f"/directory?{urlencode(said(query))}" if after else "",
        next=f"/directory?{urlencode({**said(query), 'after': page.next})}" if page.next else "",
        **shown(),
    )
