"""Templates: the boxes a copy would take over, kept under a name and shared within one organisation.

One thing to remember: a template is a wish, not a record. It has no journal; the draft begun from it has one.
Every function takes a session, none opens or commits one.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.certificates import paper, register, store, views
from services.certificates.models import CertificateRow, PartyRow
from services.certificates.models_making import TemplateRow
from shared.contracts.certificate_views import NewCertificate, PartyView
from shared.contracts.templates import NewTemplate, TemplatesView, TemplateView
from shared.rules import content as contents
from shared.rules.actor import Actor
from shared.rules.parties import may_create
from shared.rules.refusals import Refused
from shared.rules.status import Action, Status
from shared.rules.verdict import refuse_unless_lawful

MOST = 200
"""Templates of one organisation."""


async def keep(session: AsyncSession, row: CertificateRow, actor: Actor, new: NewTemplate, now: datetime) -> None:
    """A certificate's parties, goods and countries kept under a name, by somebody who may copy it."""
    known, _ = await store.facts(session, row.content, now, also=[row.creator, actor.organisation_id])
    refuse_unless_lawful(Action.COPY, Status(row.status), paper.ties(row, known, actor), row.submitted)
    own = known.parties.get(actor.organisation_id)
    if own is None or not may_create(own, now.date()):
        raise Refused("not_permitted", field="creator")
    name = await _free(session, actor, new.name, MOST)
    session.add(
        TemplateRow(
            id=str(uuid4()),
            organisation_id=actor.organisation_id,
            name=name,
            form_model=row.form_model,
            content=contents.kept(row.content),
            at=now,
            person=actor.name,
        )
    )


async def rename(session: AsyncSession, template_id: str, actor: Actor, name: str) -> None:
    """Another name for a template of one's own organisation."""
    row = await _own(session, template_id, actor)
    if name.strip() != row.name:
        row.name = await _free(session, actor, name)


async def drop(session: AsyncSession, template_id: str, actor: Actor) -> None:
    """A template of one's own organisation is thrown away; the certificates begun from it stay."""
    await session.delete(await _own(session, template_id, actor))


async def start(session: AsyncSession, template_id: str, actor: Actor, key: str, now: datetime) -> CertificateRow:
    """A draft begun from a template."""
    row = await _own(session, template_id, actor)
    return await store.create(session, actor, NewCertificate(form_model=row.form_model, content=row.content), key, now)


async def _own(session: AsyncSession, template_id: str, actor: Actor) -> TemplateRow:
    found = await session.get(TemplateRow, template_id) if paper.is_id(template_id) else None
    if found is None or found.organisation_id != actor.organisation_id:
        raise Refused("not_found")
    return found


async def _free(session: AsyncSession, actor: Actor, name: str, most: int | None = None) -> str:
    """The name as it may be kept: said, printable, and not taken in this organisation."""
    plain = " ".join("".join(sign if sign.isprintable() else " " for sign in name).split())
    if not plain:
        raise Refused("invalid", field="name")
    mine = TemplateRow.organisation_id == actor.organisation_id
    taken = select(TemplateRow.id).where(mine, func.lower(col(TemplateRow.name)) == plain.lower())
    if (await session.exec(taken.limit(1))).first():
        raise Refused("already_exists", field="name")
    if most is not None and (await session.exec(select(func.count()).where(mine))).one() >= most:
        raise Refused("not_permitted", field="name")
    return plain


async def shown(session: AsyncSession, actor: Actor) -> TemplatesView:
    """The templates of one's own organisation, by name."""
    rows = (await session.exec(select(TemplateRow).where(TemplateRow.organisation_id == actor.organisation_id))).all()
    named = {each for row in rows for each in (row.content.get("exporter"), row.content.get("importer")) if each}
    sources = await register.parties(session, named)
    return TemplatesView(
        items=[_viewed(row, sources) for row in sorted(rows, key=lambda each: (each.name.casefold(), each.id))]
    )


def _viewed(row: TemplateRow, sources: Mapping[str, PartyRow]) -> TemplateView:
    lines: list[dict[str, Any]] = row.content.get("product_lines") or []
    goods = dict.fromkeys(line.get("trade_name") or line.get("cn_code") or "" for line in lines)
    return TemplateView(
        id=row.id,
        name=row.name,
        form_model=row.form_model,
        goods=", ".join(each for each in goods if each)[:400],
        exporter=_party(row, "exporter", sources),
        importer=_party(row, "importer", sources),
        at=row.at,
        person=row.person,
    )


def _party(row: TemplateRow, name: str, sources: Mapping[str, PartyRow]) -> PartyView | None:
    source = sources.get(str(row.content.get(name)))
    return views.party_view(source) if source else None
