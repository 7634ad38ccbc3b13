"""The HTTP door for programs: many drafts at once, quantities for customs, webhooks."""

from typing import Annotated

from fastapi import APIRouter, Header, Path, Query

from services.certificates import bulk, customs, webhooks
from services.certificates.api import Around, Language
from shared.contracts.machines import (
    NUMBER,
    CoiView,
    Delivery,
    DeliveryPage,
    DeliveryView,
    DraftResults,
    MintedWebhook,
    NewCertificates,
    NewWebhook,
    NewWriteOff,
    WebhookChange,
    WebhookView,
)
from shared.kit.http import IdempotencyKey
from shared.kit.keys import Keyring, keyring
from shared.kit.process import Surroundings
from shared.kit.sessions import CurrentActor, CurrentAdministrator

router = APIRouter(tags=["machines"])
Number = Annotated[str, Path(max_length=50, examples=[NUMBER])]


@router.post("/certificates/bulk")
async def create_many(
    new: NewCertificates, actor: CurrentActor, key: IdempotencyKey, around: Around, language: Language
) -> DraftResults:
    """Save several drafts; each is made or refused by itself, and the same key makes none twice."""
    return await bulk.create(around.database, actor, new, key, around.now(), language)


@router.get("/customs/coi/{number}", tags=["customs"])
async def coi(number: Number, actor: CurrentActor, around: Around) -> CoiView:
    """For authorities: what of a certificate or extract is released as organic, and what is left of it."""
    async with around.database.transaction() as session:
        return await customs.coi(session, number, actor)


@router.post("/customs/coi/{number}/write-offs", status_code=201, tags=["customs"])
async def write_off(
    number: Number, wish: NewWriteOff, actor: CurrentActor, key: IdempotencyKey, around: Around
) -> CoiView:
    """For the customs of the country of clearance: what a declaration takes of each line."""
    async with around.database.transaction() as session:
        return await customs.write_off(session, number, actor, wish, key, around.now())


# ── webhooks ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _ring(around: Surroundings) -> Keyring:
    return keyring(around.settings.codec_key_file, "webhooks")


async def told(
    body: Delivery,
    bordereau_signature: Annotated[
        str, Header(description="`t=` the second it was signed, `v1=` HMAC-SHA-256 of `t.body` with each good secret")
    ],
    bordereau_delivery: Annotated[str, Header(description="the delivery; the same in every attempt")],
    bordereau_event: Annotated[str, Header(description="the event; the same as `id`")],
) -> None:
    """What we send to a webhook. Answer 2xx within ten seconds; else it is sent again, for a day."""


@router.get("/webhooks")
async def known_webhooks(actor: CurrentAdministrator, around: Around) -> list[WebhookView]:
    """The webhooks of my organisation; for its administrators."""
    async with around.database.transaction() as session:
        return await webhooks.known(session, actor)


@router.post("/webhooks", status_code=201)
async def make_webhook(
    new: NewWebhook, actor: CurrentAdministrator, key: IdempotencyKey, around: Around
) -> MintedWebhook:
    """Have an address told of every change of status; the secret that signs is in this answer and in no other."""
    async with around.database.transaction() as session:
        plain = around.settings.webhooks_allow_loopback
        return await webhooks.make(session, actor, new, key, _ring(around), around.now(), plain=plain)


@router.put("/webhooks/{webhook_id}")
async def change_webhook(
    webhook_id: str, wish: WebhookChange, actor: CurrentAdministrator, around: Around
) -> WebhookView:
    """Pause a webhook, or let it go on."""
    async with around.database.transaction() as session:
        return await webhooks.change(session, actor, webhook_id, wish.active)


@router.delete("/webhooks/{webhook_id}", status_code=204)
async def drop_webhook(webhook_id: str, actor: CurrentAdministrator, around: Around) -> None:
    """Give a webhook up."""
    async with around.database.transaction() as session:
        await webhooks.drop(session, actor, webhook_id)


@router.post("/webhooks/{webhook_id}/secret")
async def rotate_secret(
    webhook_id: str, actor: CurrentAdministrator, key: IdempotencyKey, around: Around
) -> MintedWebhook:
    """A new secret; for a day the one before signs as well."""
    async with around.database.transaction() as session:
        return await webhooks.rotate(session, actor, webhook_id, key, _ring(around), around.now())


@router.post("/webhooks/{webhook_id}/ping", status_code=201)
async def ping_webhook(
    webhook_id: str, actor: CurrentAdministrator, key: IdempotencyKey, around: Around
) -> DeliveryView:
    """Send something that tells nothing, to try the address."""
    async with around.database.transaction() as session:
        return await webhooks.ping(session, actor, webhook_id, key, around.now())


@router.get("/webhooks/{webhook_id}/deliveries")
async def deliveries(
    webhook_id: str,
    actor: CurrentAdministrator,
    around: Around,
    after: Annotated[str | None, Query(max_length=36)] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 25,
) -> DeliveryPage:
    """What was told to a webhook, newest first, and what became of it."""
    async with around.database.transaction() as session:
        return await webhooks.deliveries(session, actor, webhook_id, after, limit)


@router.post("/webhooks/{webhook_id}/deliveries/{delivery_id}/replay")
async def replay(webhook_id: str, delivery_id: str, actor: CurrentAdministrator, around: Around) -> DeliveryView:
    """Have a delivery tried again at once, and for another day."""
    async with around.database.transaction() as session:
        return await webhooks.replay(session, actor, webhook_id, delivery_id, around.now())
