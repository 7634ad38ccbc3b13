"""Webhooks: what an organisation's own systems are told of, and what became of each telling.

One thing to remember: a delivery is a row, made from the event in the letter box, once; it is tried for a day. Whom it
may be told is asked when the row is made: an organisation that may not see the certificate hears nothing of it.
"""

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import NAMESPACE_OID, uuid4, uuid5

from sqlalchemy import func, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.certificates.addresses import is_sound
from services.certificates.models import CertificateRow, DeliveryRow, ExtractRow, WebhookRow
from services.certificates.paper import is_id
from shared.contracts.machines import (
    DeliveryPage,
    DeliveryState,
    DeliveryView,
    MintedWebhook,
    NewWebhook,
    WebhookView,
)
from shared.events.certificates import CertificateMoved, ExtractMoved
from shared.kit.keys import Keyring
from shared.rules.actor import Actor
from shared.rules.refusals import Refused

MOST: Final = 20
"""Webhooks of one organisation."""
TRIED_FOR: Final = timedelta(hours=24)
FORMER_GOOD_FOR: Final = timedelta(hours=24)
"""How long the secret before a rotation signs as well."""
PREFIX: Final = "whsec_"


# ── the administrator's desk ──────────────────────────────────────────────────────────────────────────────────────


async def known(session: AsyncSession, actor: Actor) -> list[WebhookView]:
    """The webhooks of this organisation, oldest first."""
    rows = await session.exec(
        select(WebhookRow)
        .where(WebhookRow.organisation_id == actor.organisation_id)
        .order_by(col(WebhookRow.created_at), col(WebhookRow.id))
    )
    return [await _view(session, row) for row in rows]


async def make(
    session: AsyncSession, actor: Actor, new: NewWebhook, key: str, ring: Keyring, now: datetime, *, plain: bool
) -> MintedWebhook:
    """A webhook with its secret; the same key makes it once and gets the same answer."""
    url = new.url.strip()
    if not is_sound(url, plain=plain):
        raise Refused("invalid", field="url", problems=[{"field": "url", "code": "not_public"}])
    webhook_id = str(uuid5(NAMESPACE_OID, f"webhook {actor.person_id} {actor.organisation_id} {key}"))
    row = await session.get(WebhookRow, webhook_id)
    if row is None:
        own = select(func.count()).where(WebhookRow.organisation_id == actor.organisation_id)
        if (await session.exec(own)).one() >= MOST:
            raise Refused("too_large", field="url", limit=MOST)
        row = WebhookRow(
            id=webhook_id,
            organisation_id=actor.organisation_id,
            url=url,
            secret=ring.wrap(_secret(ring, webhook_id, key)),
            created_at=now,
            created_by=actor.name,
        )
        session.add(row)
        await session.flush()
    elif row.url != url:
        raise Refused("key_reused", field="Idempotency-Key")
    return MintedWebhook(webhook=await _view(session, row), secret=ring.unwrap(row.secret).decode())


async def rotate(
    session: AsyncSession, actor: Actor, webhook_id: str, key: str, ring: Keyring, now: datetime
) -> MintedWebhook:
    """A new secret; the one before signs as well for a day. The same key rotates once."""
    row = await _own(session, actor, webhook_id, lock=True)
    fresh = _secret(ring, row.id, key)
    if ring.unwrap(row.secret) != fresh:
        row.former, row.secret, row.rotated_at = row.secret, ring.wrap(fresh), now
    return MintedWebhook(webhook=await _view(session, row), secret=fresh.decode())


async def change(session: AsyncSession, actor: Actor, webhook_id: str, active: bool) -> WebhookView:
    """Pause a webhook or let it go on; what waits keeps waiting."""
    row = await _own(session, actor, webhook_id, lock=True)
    row.active = active
    return await _view(session, row)


async def drop(session: AsyncSession, actor: Actor, webhook_id: str) -> None:
    """Give a webhook up, with its deliveries; harmless when it is gone."""
    try:
        row = await _own(session, actor, webhook_id, lock=True)
    except Refused:
        return
    await session.execute(DeliveryRow.__table__.delete().where(col(DeliveryRow.webhook_id) == row.id))  # type: ignore[attr-defined]
    await session.delete(row)


async def ping(session: AsyncSession, actor: Actor, webhook_id: str, key: str, now: datetime) -> DeliveryView:
    """A delivery that tells nothing, to try the address."""
    row = await _own(session, actor, webhook_id)
    event_id = str(uuid5(NAMESPACE_OID, f"ping {row.id} {key}"))
    await _write(session, [row], event_id, {"type": "ping", "at": now.isoformat()}, now)
    found = await session.exec(
        select(DeliveryRow).where(DeliveryRow.webhook_id == row.id, DeliveryRow.event_id == event_id)
    )
    return delivery_view(found.one())


async def deliveries(
    session: AsyncSession, actor: Actor, webhook_id: str, after: str | None, limit: int
) -> DeliveryPage:
    """The deliveries of a webhook, newest first; ``after`` is the id of the last one seen."""
    row = await _own(session, actor, webhook_id)
    query = select(DeliveryRow).where(DeliveryRow.webhook_id == row.id)
    if after:
        last = await _delivery(session, row, after)
        query = query.where(tuple_(col(DeliveryRow.created_at), col(DeliveryRow.id)) < (last.created_at, last.id))
    order = (col(DeliveryRow.created_at).desc(), col(DeliveryRow.id).desc())
    found = list(await session.exec(query.order_by(*order).limit(limit + 1)))
    shown = found[:limit]
    return DeliveryPage(
        webhook=await _view(session, row),
        items=[delivery_view(each) for each in shown],
        next=shown[-1].id if len(found) > limit else None,
    )


async def replay(session: AsyncSession, actor: Actor, webhook_id: str, delivery_id: str, now: datetime) -> DeliveryView:
    """Have a delivery tried again at once, and for another day."""
    row = await _own(session, actor, webhook_id)
    found = await _delivery(session, row, delivery_id)
    found.state, found.attempts, found.next_at, found.until = DeliveryState.PENDING, 0, now, now + TRIED_FOR
    return delivery_view(found)


# ── from news to deliveries ───────────────────────────────────────────────────────────────────────────────────────


async def tell_of_certificate(session: AsyncSession, event: CertificateMoved) -> None:
    """A certificate moved: a delivery for each webhook of those who may see it now."""
    seen = (
        await session.exec(select(CertificateRow.visible_to).where(CertificateRow.id == event.certificate_id))
    ).all()
    body = _body("certificate.moved", event)
    await _write(session, await _of(session, seen[0] if seen else []), str(event.id), body, event.at)


async def tell_of_extract(session: AsyncSession, event: ExtractMoved) -> None:
    """An extract was begun or moved: the same."""
    seen = (await session.exec(select(ExtractRow.visible_to).where(ExtractRow.id == event.extract_id))).all()
    body = _body("extract.moved", event)
    await _write(session, await _of(session, seen[0] if seen else []), str(event.id), body, event.at)


def _body(kind: str, event: CertificateMoved | ExtractMoved) -> dict[str, Any]:
    """What is told: no box, no other party."""
    told = {"certificate_id", "extract_id", "number", "source", "target", "action", "revision", "by"}
    said = event.model_dump(mode="json", include=told)
    return {"type": kind, "at": event.at.isoformat(), **said}


async def _of(session: AsyncSession, organisations: Sequence[str]) -> list[WebhookRow]:
    if not organisations:
        return []
    wanted = col(WebhookRow.organisation_id).in_(organisations)
    return list(await session.exec(select(WebhookRow).where(wanted, col(WebhookRow.active))))


async def _write(
    session: AsyncSession, hooks: list[WebhookRow], event_id: str, body: dict[str, Any], at: datetime
) -> None:
    rows = [
        {
            "id": str(uuid4()),
            "webhook_id": hook.id,
            "event_id": event_id,
            "body": {"id": event_id, "organisation": hook.organisation_id, **body},
            "state": DeliveryState.PENDING,
            "attempts": 0,
            "created_at": at,
            "next_at": at,
            "until": at + TRIED_FOR,
        }
        for hook in hooks
    ]
    if rows:
        await session.execute(insert(DeliveryRow).values(rows).on_conflict_do_nothing())


# ── what is due ───────────────────────────────────────────────────────────────────────────────────────────────────


async def claim(
    session: AsyncSession, now: datetime, lease: timedelta, limit: int
) -> list[tuple[DeliveryRow, WebhookRow]]:
    """Deliveries whose time has come, taken for the length of a lease: who dies in between leaves them to the next."""
    found = await session.exec(
        select(DeliveryRow, WebhookRow)
        .join(WebhookRow, col(WebhookRow.id) == col(DeliveryRow.webhook_id))
        .where(DeliveryRow.state == DeliveryState.PENDING, DeliveryRow.next_at <= now, col(WebhookRow.active))
        .order_by(col(DeliveryRow.next_at))
        .limit(limit)
        .with_for_update(skip_locked=True, of=DeliveryRow)
    )
    taken = list(found)
    for row, _ in taken:
        if row.attempts == 0:  # the day begins with the first attempt: news may have waited for us
            row.until = max(row.until, now + TRIED_FOR)
        row.attempts, row.next_at = row.attempts + 1, now + lease
    return taken


async def settle(
    session: AsyncSession,
    row: DeliveryRow,
    now: datetime,
    *,
    answered: int | None,
    trouble: str | None,
    wait: timedelta,
) -> None:
    """What became of an attempt: taken, to be tried again, or given up."""
    done = trouble is None
    over = not done and now + wait > row.until
    await session.execute(
        update(DeliveryRow)
        .where(col(DeliveryRow.id) == row.id, col(DeliveryRow.attempts) == row.attempts)
        .values(
            state=DeliveryState.DELIVERED if done else DeliveryState.FAILED if over else DeliveryState.PENDING,
            next_at=now + wait,
            answered=answered,
            trouble=trouble,
            delivered_at=now if done else None,
        )
    )


def secrets_now(hook: WebhookRow, ring: Keyring, now: datetime) -> list[bytes]:
    """The secrets that sign at this moment: the present one, and for a day the one before."""
    good = [hook.secret]
    if hook.former and hook.rotated_at and now < hook.rotated_at + FORMER_GOOD_FOR:
        good.append(hook.former)
    return [ring.unwrap(each) for each in good]


def signature(secrets: list[bytes], at: int, body: bytes) -> str:
    """The header ``Bordereau-Signature``: HMAC-SHA-256 of moment and body, once for each good secret."""
    signed = [hmac.new(secret, f"{at}.".encode() + body, sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={at}", *(f"v1={each}" for each in signed)])


async def forget_old(session: AsyncSession, before: datetime) -> None:
    """Deliveries that were settled long ago."""
    await session.execute(
        DeliveryRow.__table__.delete().where(  # type: ignore[attr-defined]
            col(DeliveryRow.created_at) < before, col(DeliveryRow.state) != DeliveryState.PENDING
        )
    )


def _secret(ring: Keyring, webhook_id: str, key: str) -> bytes:
    return (PREFIX + hmac.new(ring[ring.current], f"{webhook_id} {key}".encode(), sha256).hexdigest()).encode()


async def _own(session: AsyncSession, actor: Actor, webhook_id: str, *, lock: bool = False) -> WebhookRow:
    row = await session.get(WebhookRow, webhook_id, with_for_update=lock) if is_id(webhook_id) else None
    if row is None or row.organisation_id != actor.organisation_id:
        raise Refused("not_found")
    return row


async def _delivery(session: AsyncSession, hook: WebhookRow, delivery_id: str) -> DeliveryRow:
    row = await session.get(DeliveryRow, delivery_id) if is_id(delivery_id) else None
    if row is None or row.webhook_id != hook.id:
        raise Refused("not_found")
    return row


async def _view(session: AsyncSession, row: WebhookRow) -> WebhookView:
    counted = await session.execute(
        select(DeliveryRow.state, func.count())
        .where(
            DeliveryRow.webhook_id == row.id,
            col(DeliveryRow.state).in_([DeliveryState.PENDING, DeliveryState.FAILED]),
        )
        .group_by(col(DeliveryRow.state))
    )
    numbers = {str(state): int(number) for state, number in counted}
    return WebhookView(
        id=row.id,
        url=row.url,
        active=row.active,
        created_at=row.created_at,
        created_by=row.created_by,
        rotated_at=row.rotated_at,
        waiting=numbers.get(DeliveryState.PENDING, 0),
        failed=numbers.get(DeliveryState.FAILED, 0),
    )


def delivery_view(row: DeliveryRow) -> DeliveryView:
    """A delivery as an administrator sees it."""
    state = DeliveryState(row.state)
    return DeliveryView(
        id=row.id,
        event_id=row.event_id,
        body=row.body,
        state=state,
        attempts=row.attempts,
        created_at=row.created_at,
        next_at=row.next_at if state is DeliveryState.PENDING else None,
        answered=row.answered,
        trouble=row.trouble,
        delivered_at=row.delivered_at,
    )
