"""Webhooks: who is told what, signed how, tried how long; and the doors within our own house that nobody knocks at."""

import asyncio
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import pytest

from services.certificates import courier, events, webhooks
from services.certificates.addresses import is_public
from services.certificates.courier import WAITS, Courier
from services.certificates.settings import Settings
from shared.events.base import Event
from shared.events.certificates import CertificateMoved, ExtractMoved
from shared.kit.sessions import Post
from shared.rules.status import Status
from tests.services.certificates.conftest import House, fresh, the_house, the_story
from tests.services.certificates.world import EXPORTER, IMPORTER, STRANGER, person
from tests.services.conftest import Around, Clock, PassportOffice, Visitor


@dataclass
class Receiver:
    """A real HTTP server that remembers what it was sent, and answers as it is told."""

    port: int = 0
    status: int = 200
    silent: bool = False
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/hook?x=1"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.got.append(({**headers, "first": first}, body))
        if not self.silent:
            writer.write(f"HTTP/1.1 {self.status} X\r\nContent-Length: 0\r\nLocation: /else\r\n\r\n".encode())
            await writer.drain()
        writer.close()

    def bodies(self) -> list[dict[str, Any]]:
        """What was sent, read."""
        return [json.loads(body) for _, body in self.got]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()


@pytest.fixture
async def house(around: Around, visit: Visitor, clock: Clock, passports: PassportOffice) -> House:
    made = await the_house(around, visit, clock, passports, the_story)
    made.around.settings.webhooks_allow_loopback = True
    return made


async def asked(house: House, who: str, method: str, path: str, key: str = "", **body: Any) -> Any:
    """The answer to an administrator."""
    known = person(who)
    post = Post(who, known.role_type, administrator=True)
    headers = house.bearer(post, person_id=known.person_id, name=known.name)
    client = house.visit(house.app)
    return await client.request(
        method, path, json=body or None, headers={**headers, "Idempotency-Key": key or fresh(), "Accept-Language": "en"}
    )


async def hooked(house: House, receiver: Receiver, who: str = EXPORTER) -> tuple[str, str]:
    """A webhook of this organisation: its id, its secret."""
    answer = await asked(house, who, "POST", "/webhooks", url=receiver.url)
    assert answer.status_code == 201, answer.text
    return answer.json()["webhook"]["id"], answer.json()["secret"]


async def told(house: House) -> None:
    """What the relay would bring us of our own news."""
    kinds: dict[str, type[Event]] = {each.subject: each for each in (CertificateMoved, ExtractMoved)}
    for row in await house.all("SELECT subject, body FROM outbox WHERE kind = 'event' ORDER BY id"):
        if kind := kinds.get(row[0]):
            async with house.database.transaction() as session:
                await events.HANDLERS[kind](session, kind.model_validate(row[1]))


async def carried(house: House) -> None:
    """One round of the courier's."""
    await Courier(house.around).round()


def signed_with(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Whether a receiver that knows this secret believes the delivery."""
    parts = [each.partition("=") for each in headers["bordereau-signature"].split(",")]
    at = next(value for name, _, value in parts if name == "t")
    right = hmac.new(secret.encode(), f"{at}.".encode() + body, sha256).hexdigest()
    return right in {value for name, _, value in parts if name == "v1"}


async def test_each_change_of_status_is_told_once_to_those_who_may_see_it(house: House, receiver: Receiver) -> None:
    _, secret = await hooked(house, receiver)
    await hooked(house, receiver, STRANGER)
    certificate_id = await house.at(Status.ISSUED)
    for _ in range(2):
        await told(house)
    await carried(house)
    assert sorted((each["source"], each["target"]) for each in receiver.bodies()) == [
        ("DESCRIPTION_COMPLETED", "ISSUED"),
        ("DRAFT", "DESCRIPTION_COMPLETED"),
    ]
    headers, body = receiver.got[0]
    assert headers["first"].startswith("POST /hook?x=1 ")
    assert signed_with(secret, headers, body)
    assert not signed_with("whsec_other", headers, body)
    assert not signed_with(secret, headers, body + b" ")
    said = json.loads(body)
    assert (said["type"], said["certificate_id"], said["organisation"]) == (
        "certificate.moved", certificate_id, EXPORTER,
    )  # fmt: skip
    assert "content" not in said
    assert "parties" not in said
    await carried(house)
    assert len(receiver.got) == 2


async def test_a_draft_that_was_given_up_is_told_to_its_creator_only(house: House, receiver: Receiver) -> None:
    await hooked(house, receiver, IMPORTER)
    certificate_id = await house.draft()
    await house.move(certificate_id, "delete", EXPORTER)
    await told(house)
    await carried(house)
    assert receiver.got == []


async def test_what_is_not_taken_is_tried_for_a_day_and_then_given_up_until_it_is_replayed(
    house: House, receiver: Receiver
) -> None:
    webhook_id, _ = await hooked(house, receiver)
    await house.at(Status.DESCRIPTION_COMPLETED)
    await told(house)
    receiver.status = 302  # nobody is led elsewhere
    began, waits = house.clock(), []
    for _ in range(30):
        await carried(house)
        page = (await asked(house, EXPORTER, "GET", f"/webhooks/{webhook_id}/deliveries")).json()
        (row,) = page["items"]
        if row["state"] == "failed":
            break
        before = len(receiver.got)
        house.clock.forward(seconds=9)
        await carried(house)
        assert len(receiver.got) == before
        wait = WAITS[min(row["attempts"], len(WAITS)) - 1]
        waits.append(wait)
        house.clock.forward(seconds=wait.total_seconds() - 9)
    assert waits[: len(WAITS)] == list(WAITS)
    assert 20 <= (house.clock() - began).total_seconds() / 3600 <= 24
    assert (row["answered"], row["trouble"], page["webhook"]["failed"]) == (302, "not_taken", 1)
    receiver.status = 204
    again = await asked(house, EXPORTER, "POST", f"/webhooks/{webhook_id}/deliveries/{row['id']}/replay")
    assert again.json()["state"] == "pending"
    await carried(house)
    page = (await asked(house, EXPORTER, "GET", f"/webhooks/{webhook_id}/deliveries")).json()
    assert (page["items"][0]["state"], page["items"][0]["answered"]) == ("delivered", 204)


async def test_a_rotated_secret_signs_beside_the_former_for_a_day(house: House, receiver: Receiver) -> None:
    webhook_id, former = await hooked(house, receiver)
    key = fresh()
    rotated = [
        (await asked(house, EXPORTER, "POST", f"/webhooks/{webhook_id}/secret", key)).json()["secret"] for _ in range(2)
    ]
    assert rotated[0] == rotated[1] != former
    await asked(house, EXPORTER, "POST", f"/webhooks/{webhook_id}/ping")
    await carried(house)
    assert all(signed_with(each, *receiver.got[-1]) for each in (former, rotated[0]))
    house.clock.forward(hours=25)
    await asked(house, EXPORTER, "POST", f"/webhooks/{webhook_id}/ping")
    await carried(house)
    assert receiver.bodies()[-1]["type"] == "ping"
    assert [signed_with(each, *receiver.got[-1]) for each in (former, rotated[0])] == [False, True]
    kept = await house.one("SELECT secret || coalesce(former, '') FROM webhook")
    assert former not in kept
    assert rotated[0] not in kept


async def test_a_paused_webhook_waits_and_one_given_up_is_gone(house: House, receiver: Receiver) -> None:
    webhook_id, _ = await hooked(house, receiver)
    await asked(house, EXPORTER, "POST", f"/webhooks/{webhook_id}/ping")
    assert (await asked(house, EXPORTER, "PUT", f"/webhooks/{webhook_id}", active=False)).json()["waiting"] == 1
    await carried(house)
    assert receiver.got == []
    await asked(house, EXPORTER, "PUT", f"/webhooks/{webhook_id}", active=True)
    await carried(house)
    assert len(receiver.got) == 1
    for who in (IMPORTER, EXPORTER, EXPORTER):
        assert (await asked(house, who, "DELETE", f"/webhooks/{webhook_id}")).status_code == 204
    assert (await asked(house, EXPORTER, "GET", "/webhooks")).json() == []


async def test_a_webhook_is_made_once_per_key_and_seen_by_its_own_administrators(
    house: House, receiver: Receiver
) -> None:
    key = fresh()
    made = [(await asked(house, EXPORTER, "POST", "/webhooks", key, url=receiver.url)).json() for _ in range(2)]
    assert made[0] == made[1]
    webhook_id = made[0]["webhook"]["id"]
    assert (await asked(house, IMPORTER, "GET", f"/webhooks/{webhook_id}/deliveries")).status_code == 404
    assert (await house.door(EXPORTER).get("/webhooks")).status_code == 403  # no administrator
    for url in ("ftp://a.example", "https://", "https://u:p@a.example/", "https://a.example:0/", "nothing at all"):
        assert (await asked(house, EXPORTER, "POST", "/webhooks", url=url)).status_code == 422, url
    house.around.settings.webhooks_allow_loopback = False
    for host in (*(f"[{each}]" if ":" in each else each for each in PRIVATE), "localhost", "db.internal", "a.local."):
        refused = await asked(house, EXPORTER, "POST", "/webhooks", url=f"https://{host}/hook")
        assert (refused.status_code, refused.json()["problems"][0]["code"]) == (422, "not_public"), host
    assert (await asked(house, EXPORTER, "POST", "/webhooks", url="http://a.example/hook")).status_code == 422


PRIVATE = (
    "127.0.0.1", "10.0.0.1", "172.16.5.5", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "::1", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1", "::",
)  # fmt: skip


async def test_no_door_within_our_own_house_is_knocked_at(house: House, receiver: Receiver) -> None:
    house.around.settings.webhooks_allow_loopback = False
    answer = await asked(house, EXPORTER, "POST", "/webhooks", url=f"https://a.example:{receiver.port}/")
    webhook_id = answer.json()["webhook"]["id"]
    for address in PRIVATE:
        assert not is_public(address)
        await asked(house, EXPORTER, "POST", f"/webhooks/{webhook_id}/ping")

        async def lying(host: str, port: int, also: str = address) -> list[str]:
            return ["93.184.216.34", also]

        await Courier(house.around, resolve=lying).round()
    assert receiver.got == []
    page = (await asked(house, EXPORTER, "GET", f"/webhooks/{webhook_id}/deliveries")).json()
    assert [(each["attempts"], each["trouble"]) for each in page["items"]] == [(1, "private_address")] * len(PRIVATE)


def test_addresses_of_the_open_network_are_public() -> None:
    assert all(is_public(each) for each in ("93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"))
    assert Settings().webhooks_allow_loopback is False


async def test_who_dies_in_the_middle_leaves_the_delivery_to_the_next(house: House, receiver: Receiver) -> None:
    webhook_id, _ = await hooked(house, receiver)
    await asked(house, EXPORTER, "POST", f"/webhooks/{webhook_id}/ping")
    async with house.database.transaction() as session:
        assert len(await webhooks.claim(session, house.clock(), courier.LEASE, 10)) == 1
    await carried(house)
    assert receiver.got == []
    house.clock.forward(minutes=3)
    await carried(house)
    assert len(receiver.got) == 1
