"""The HTTP door of templates: keep a certificate as one, begin from it, rename it, throw it away."""

from fastapi import APIRouter

from services.certificates import templates, views
from services.certificates.api import Around, Language
from shared.contracts.certificate_views import CertificateView
from shared.contracts.templates import NewName, NewTemplate, TemplatesView
from shared.kit.http import IdempotencyKey
from shared.kit.sessions import CurrentActor

router = APIRouter()


@router.get("/templates")
async def mine(actor: CurrentActor, around: Around) -> TemplatesView:
    """The templates of one's own organisation."""
    async with around.database.reading() as session:
        return await templates.shown(session, actor)


@router.post("/templates", status_code=201)
async def keep(new: NewTemplate, actor: CurrentActor, around: Around) -> TemplatesView:
    """Keep what a copy of this certificate would take over; a name that is taken is refused."""
    async with around.database.transaction() as session:
        row = await views.seen(session, new.certificate_id, actor)
        await templates.keep(session, row, actor, new, around.now())
        return await templates.shown(session, actor)


@router.put("/templates/{template_id}")
async def rename(template_id: str, wish: NewName, actor: CurrentActor, around: Around) -> TemplatesView:
    """Give a template another name."""
    async with around.database.transaction() as session:
        await templates.rename(session, template_id, actor, wish.name)
        return await templates.shown(session, actor)


@router.delete("/templates/{template_id}")
async def drop(template_id: str, actor: CurrentActor, around: Around) -> TemplatesView:
    """Throw a template away; certificates begun from it stay."""
    async with around.database.transaction() as session:
        await templates.drop(session, template_id, actor)
        return await templates.shown(session, actor)


@router.post("/templates/{template_id}/certificates", status_code=201)
async def start(
    template_id: str, actor: CurrentActor, key: IdempotencyKey, around: Around, language: Language
) -> CertificateView:
    """Begin a certificate from a template."""
    async with around.database.transaction() as session:
        row = await templates.start(session, template_id, actor, key, around.now())
        return await views.certificate(session, row, actor, around.now(), language)
