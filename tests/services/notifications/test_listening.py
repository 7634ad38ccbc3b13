"""From JetStream to the mail server, with real ones of both."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from nats.js import JetStreamContext
from sqlalchemy import text

from deploy.local.nats import Bus, nats
from services.notifications.settings import Settings
from services.notifications.worker import working
from shared.events.base import Event
from shared.kit import bus
from shared.kit.process import Surroundings
from tests.services.conftest import Around, Clock, PassportOffice
from tests.services.notifications.conftest import MailServer, TownHall, everybody, signed, submitted


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Bus]:
    """A NATS of one's own."""
    async with nats(tmp_path / "bus") as running:
        yield running


@pytest.fixture
async def place(
    around: Around, passports: PassportOffice, server: MailServer, broker: Bus, tmp_path: Path
) -> AsyncIterator[Surroundings]:
    """The surroundings of the notifications service, on this broker and this mail server."""
    hall = TownHall(tmp_path / "codec.key")
    made = await around(
        "notifications", Settings, smtp_port=server.port, nats_url=broker.url, temporal_address="127.0.0.1:1",
        letters_per_second=1000, demo=True,
    )  # fmt: skip
    yield replace(made, others=hall)
    await hall.close()


async def publish(js: JetStreamContext, place: Surroundings, events: Sequence[Event], start: int = 1) -> None:
    """What a relay does: a number per publisher, and the event's id as the message's; the feed keeps it as well."""
    assert isinstance(place.others, TownHall)
    for seq, event in enumerate(events, start):
        place.others.announces(seq, event)
        await bus.declare(js, event.publisher())
        headers = {"Nats-Msg-Id": str(event.id), "Seq": str(seq)}
        await js.publish(event.subject, event.model_dump_json().encode(), headers=headers)


async def test_letters_are_sent_when_the_bell_rings_also_after_a_restart(
    place: Surroundings, broker: Bus, server: MailServer
) -> None:
    client = await bus.connect(broker.url, "test")
    js = client.jetstream()
    first, second = submitted(), signed()
    async with working(place):
        await publish(js, place, everybody())
        await publish(js, place, [first])
        assert len(await server.has(1)) == 1
    await publish(js, place, [first, second])  # the relay died after publishing, and says everything again
    async with working(place):
        await server.has(7)
    assert len(set(server.ids)) == len(server.ids) == 7
    await client.close()


async def test_what_the_bus_lost_is_read_from_the_feed(place: Surroundings, broker: Bus, server: MailServer) -> None:
    client = await bus.connect(broker.url, "test")
    js = client.jetstream()
    lost, heard = submitted(), signed()
    assert isinstance(place.others, TownHall)
    place.others.announces(1, lost)
    async with working(place):
        await publish(js, place, everybody())
        await publish(js, place, [heard], start=2)
        await server.has(7)
    assert len(server.to("ines")) == 1
    await client.close()


async def test_the_mail_server_is_away_then_up_and_each_letter_arrives_once(
    place: Surroundings, broker: Bus, server: MailServer, clock: Clock
) -> None:
    await server.shut()
    client = await bus.connect(broker.url, "test")
    async with working(place):
        await publish(client.jetstream(), place, everybody())
        await publish(client.jetstream(), place, [signed()])
        async with asyncio.timeout(30):
            while await attempts(place) < 3:
                clock.forward(seconds=10)  # the mailer looks by its own beat
                await asyncio.sleep(0.1)
        await server.open()
        clock.forward(minutes=10)
        ids = await server.has(6)
    assert len(ids) == len(set(ids)) == 6
    await client.close()


async def attempts(place: Surroundings) -> int:
    """How often letters were tried."""
    async with place.database.transaction() as session:
        return int((await session.execute(text("SELECT coalesce(sum(attempts), 0) FROM letter"))).scalar_one())
