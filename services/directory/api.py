"""The HTTP door: the search for organisations, their records, and one's own roles. Whoever is signed in may read."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel.ext.asyncio.session import AsyncSession

from services.directory import store
from services.directory.models import OrganisationRow
from services.directory.store import Search
from shared.contracts.directory import ActivityView, OrganisationPage, OrganisationView, RecognitionView, RoleView
from shared.kit.process import Surroundings
from shared.kit.sessions import CurrentPerson, CurrentReader
from shared.rules.refusals import Refused

router = APIRouter()
MOST_IDS = 100
Short = Annotated[str, Field(max_length=40)]


class Wanted(BaseModel):
    """What the address of a search may say; anything else is refused."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(default="", max_length=200)
    country: Short | None = None
    kind: Short | None = None
    activity: Short | None = None
    authority_role: Short | None = None
    competence: Short | None = None
    recognised_in: Short | None = None
    code: Short | None = None
    status: Short | None = None
    after: str | None = Field(default=None, max_length=2000)
    limit: int = Field(default=20, ge=1, le=100)
    ids: str | None = Field(default=None, max_length=MOST_IDS * 37)


def _around(request: Request) -> Surroundings:
    around: Surroundings = request.app.state.around
    return around


Around = Annotated[Surroundings, Depends(_around)]


@router.get("/organisations")
async def organisations(wanted: Annotated[Wanted, Query()], _: CurrentReader, around: Around) -> OrganisationPage:
    """The organisations that fit, by name; or, with ``ids``, just these."""
    async with around.database.transaction() as session:
        if wanted.ids is not None:
            return OrganisationPage(
                items=await _views(session, await store.organisations(session, _ids(wanted.ids))), next=None
            )
        said = wanted.model_dump(exclude={"ids"})
        rows, after = await store.search(session, Search(**{k: _clean(v) for k, v in said.items()}))
        return OrganisationPage(items=await _views(session, rows), next=after)


@router.get("/organisations/{organisation_id}")
async def organisation(organisation_id: UUID, _: CurrentReader, around: Around) -> OrganisationView:
    """One organisation's public record."""
    async with around.database.transaction() as session:
        return (await _views(session, [await store.organisation(session, str(organisation_id))]))[0]


@router.get("/people/me/roles")
async def my_roles(person: CurrentPerson, around: Around) -> list[RoleView]:
    """All roles of the person asking, whatever their status."""
    async with around.database.transaction() as session:
        return [
            RoleView(
                organisation_id=where.id,
                organisation=where.name,
                country=where.country,
                role_type=role.role_type,
                status=role.status,
                administrator=role.administrator,
                since=role.since,
            )
            for role, where in await store.roles_of(session, person.person_id)
        ]


def _clean(value: Any) -> Any:
    """PostgreSQL knows no text with a zero in it."""
    return value.replace("\0", "") if isinstance(value, str) else value


def _ids(told: str) -> list[str]:
    try:
        ids = [str(UUID(each)) for each in told.split(",") if each]
    except ValueError as problem:
        raise Refused("invalid", field="ids") from problem
    if len(ids) > MOST_IDS:
        raise Refused("invalid", field="ids")
    return ids


async def _views(session: AsyncSession, rows: Sequence[OrganisationRow]) -> list[OrganisationView]:
    bodies = {each["control_body"] for row in rows for each in row.activities if each.get("control_body")}
    codes = await store.codes(session, bodies)
    return [_view(row, codes) for row in rows]


def _view(row: OrganisationRow, codes: dict[str, str | None]) -> OrganisationView:
    return OrganisationView(
        **row.model_dump(include=OrganisationView.model_fields.keys() - {"activities", "recognitions"}),
        activities=[
            ActivityView(
                **{name: each[name] for name in ActivityView.model_fields if name in each},
                control_body_code=codes.get(each.get("control_body") or ""),
            )
            for each in row.activities
        ],
        recognitions=[RecognitionView(**each) for each in row.recognitions],
    )
