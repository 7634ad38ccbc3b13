"""The courier: carries deliveries to webhooks, with a signature, at least once, to public addresses only.

One thing to remember: a name is resolved here, every address it has must be public, and the connection goes to the very
address that was looked at. So nobody makes us knock at doors within our own house, whatever his name server says next.
"""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

import httpx2
from sqlalchemy.exc import DBAPIError

from services.certificates import webhooks
from services.certificates.addresses import is_loopback, is_public
from services.certificates.models import DeliveryRow, WebhookRow
from shared.kit.keys import Keyring, keyring
from shared.kit.log import logger
from shared.kit.process import Surroundings

BATCH: Final = 20
PATIENCE: Final = 10.0
"""Seconds a receiver has to answer."""
LEASE: Final = timedelta(minutes=2)
KEPT: Final = timedelta(days=30)
WAITS: Final = tuple(
    timedelta(seconds=each) for each in (10, 30, 60, 300, 900, 1800, 3600, 7200, 10800, 14400)
)  # fmt: skip
"""How long we wait after each failure; the last again and again, until a day is over."""
log = logger("courier")

Resolve = Callable[[str, int], Awaitable[list[str]]]


class Undelivered(Exception):
    """It did not arrive, and why: a code."""

    def __init__(self, trouble: str, answered: int | None = None) -> None:
        super().__init__(trouble)
        self.trouble, self.answered = trouble, answered


async def resolved(host: str, port: int) -> list[str]:
    """The addresses of a host, as this machine resolves its name."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class Courier:
    """Carries what is due; ``run`` until cancelled, ``round`` once."""

    def __init__(self, around: Surroundings, *, resolve: Resolve = resolved) -> None:
        self.around, self._resolve = around, resolve
        self._ring: Keyring = keyring(around.settings.codec_key_file, "webhooks")
        self._client = httpx2.AsyncClient(timeout=PATIENCE, follow_redirects=False, trust_env=False)

    async def run(self) -> None:
        """Carry deliveries until cancelled; while the database is away, try again."""
        swept = None
        try:
            while True:
                try:
                    while await self.round():
                        pass
                    if swept != self.around.now().date():
                        swept = self.around.now().date()
                        async with self.around.database.transaction() as session:
                            await webhooks.forget_old(session, self.around.now() - KEPT)
                except (DBAPIError, OSError) as problem:
                    log.warning("deliveries not looked at", reason=type(problem).__name__)
                await asyncio.sleep(1)
        finally:
            await self._client.aclose()

    async def round(self) -> bool:
        """Carry one batch of what is due; true when there may be more."""
        async with self.around.database.transaction() as session:
            taken = await webhooks.claim(session, self.around.now(), LEASE, BATCH)
        await asyncio.gather(*(self._carry(row, hook) for row, hook in taken))
        return len(taken) == BATCH

    async def _carry(self, row: DeliveryRow, hook: WebhookRow) -> None:
        answered, trouble = None, None
        try:
            async with asyncio.timeout(PATIENCE):
                answered = await self._send(row, hook)
        except Undelivered as problem:
            answered, trouble = problem.answered, problem.trouble
        except TimeoutError:
            trouble = "no_answer"
        wait = WAITS[min(row.attempts, len(WAITS)) - 1]
        async with self.around.database.transaction() as session:
            await webhooks.settle(session, row, self.around.now(), answered=answered, trouble=trouble, wait=wait)

    async def _send(self, row: DeliveryRow, hook: WebhookRow) -> int:
        """The answer's status, if it says that the delivery was taken."""
        parts = urlsplit(hook.url)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        address = await self._address(host, port)
        body = json.dumps(row.body, separators=(",", ":"), ensure_ascii=False).encode()
        now = self.around.now()
        shown = f"[{address}]" if ":" in address else address
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {
            "Host": parts.netloc,
            "Content-Type": "application/json",
            "User-Agent": "Bordereau",
            "Bordereau-Delivery": row.id,
            "Bordereau-Event": row.event_id,
            "Bordereau-Signature": webhooks.signature(
                webhooks.secrets_now(hook, self._ring, now), int(now.timestamp()), body
            ),
        }
        try:
            async with self._client.stream(
                "POST",
                f"{parts.scheme}://{shown}:{port}{path}",
                content=body,
                headers=headers,
                extensions={"sni_hostname": host},
            ) as said:  # its body is nobody's business: only the status is read
                status = int(said.status_code)
        except httpx2.TimeoutException as problem:
            raise Undelivered("no_answer") from problem
        except httpx2.HTTPError as problem:
            raise Undelivered("not_reached") from problem
        if not 200 <= status < 300:
            raise Undelivered("not_taken", status)
        return status

    async def _address(self, host: str, port: int) -> str:
        """One address of the host, after a look at all of them."""
        try:
            found = await self._resolve(host, port)
        except (OSError, UnicodeError) as problem:
            raise Undelivered("unknown_host") from problem
        if not found:
            raise Undelivered("unknown_host")
        if not all(is_public(each) or self._may_be_ours(each) for each in found):
            raise Undelivered("private_address")
        return found[0]

    def _may_be_ours(self, address: str) -> bool:
        return is_loopback(address) and bool(self.around.settings.webhooks_allow_loopback)
