"""The mailer: takes letters from their rows to the mail server, at least once, always under the same Message-ID.

One thing to remember: addresses are asked of identity when a letter is written and forgotten soon after; they stand
in no row and in no log. Only one mailer works at a time, by an advisory lock it holds while it lives.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from datetime import timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as MAIL
from email.utils import format_datetime, parseaddr
from typing import Any, Final
from uuid import UUID

import aiosmtplib
import asyncpg
from sqlalchemy.exc import InterfaceError, OperationalError

from services.notifications import paces, store, writing
from services.notifications.settings import Settings
from services.notifications.store import Outgoing
from services.notifications.writing import Reader, Written
from shared.contracts.identity import LinkView, Recipient
from shared.contracts.notifications import Pace
from shared.kit.log import logger
from shared.kit.process import Surroundings
from shared.rules.refusals import Refused

LOCK: Final = 0x0B0D_E2EC
BATCH: Final = 20
WRITTEN_DOWN_AT: Final = 5
"""So many letters may be sent twice when this process dies: those the mail server took and no row knows of yet."""
LONGEST: Final = timedelta(minutes=10)
"""The longest a letter waits between two attempts."""
REMEMBERED: Final = 300.0
"""Seconds for which a recipient need not be asked for again; identity says when something changed."""
SERVER_AWAY: Final = "mail_server_away"
log = logger("mailer")


class Mailer:
    """Sends what waits; ``run`` until cancelled, ``round`` once."""

    def __init__(self, around: Surroundings, *, tick: Callable[[], float] = time.monotonic) -> None:
        self.around, self.tick = around, tick
        self.settings: Settings = around.settings
        self._people: dict[str, tuple[float, Recipient]] = {}
        self._line: aiosmtplib.SMTP | None = None
        self._trouble = False
        self._taken: list[UUID] = []
        self._bell = asyncio.Event()

    async def run(self) -> None:
        """Send letters until cancelled; a lost database means starting over, never losing a letter."""
        try:
            while True:
                try:
                    await self._hold_office()
                except (
                    OSError,
                    asyncpg.PostgresError,
                    asyncpg.InterfaceError,
                    OperationalError,
                    InterfaceError,
                ) as problem:
                    log.warning("mailer starts over", reason=type(problem).__name__)
                    await asyncio.sleep(0.5)
        finally:
            await self._hang_up()

    async def _hold_office(self) -> None:
        office = await asyncpg.connect(self.around.database.dsn)
        try:
            await self._take_office(office)
            self._people.clear()
            await office.add_listener("letters", lambda *_: self._bell.set())
            await office.add_listener("people", lambda *said: self._people.pop(str(said[3]), None))
            while True:
                self._bell.clear()
                while await self.round():
                    pass
                await self._hang_up()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(1):
                        await self._bell.wait()
                await office.fetchval("SELECT 1")  # whoever loses this connection has lost the office
        finally:
            await office.close(timeout=2)

    async def _take_office(self, office: asyncpg.Connection) -> None:
        while True:
            if await office.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):
                return
            await asyncio.sleep(1)

    async def round(self) -> bool:
        """Send the letters whose turn it is, one batch; true when there may be more and the mail server takes them."""
        await self._write_down()
        async with self.around.database.transaction() as session:
            await paces.gather(session, self.around.now())
            turn = await paces.filled(session, await store.outgoing(session, self.around.now(), BATCH))
            names = await store.names(session, [notice for each in turn for notice in (each.notice, *each.inside)])
        try:
            for each in turn:
                begun = self.tick()
                if not await self._send(each, names):
                    return False
                _leave_if_told()
                if len(self._taken) >= WRITTEN_DOWN_AT:
                    await self._write_down()
                await asyncio.sleep(max(0.0, 1 / self.settings.letters_per_second - (self.tick() - begun)))
        finally:
            await self._write_down()
        return len(turn) == BATCH

    async def _write_down(self) -> None:
        """What the mail server has taken. Whoever dies before this sends it again, under the same Message-ID.

        While the database is away it is kept in mind, and written before anything else is sent.
        """
        taken = list(self._taken)
        if not taken:
            return
        async with self.around.database.transaction() as session:
            await store.sent(session, taken, self.around.now())
            if self._trouble:
                await store.hurry(session, SERVER_AWAY, self.around.now())
                self._trouble = False
        del self._taken[: len(taken)]

    async def _send(self, each: Outgoing, names: dict[str, str]) -> bool:
        """One letter to its fate; false when the mail server is away and the others had better wait."""
        if self.around.now() - each.notice.at > timedelta(days=self.settings.give_up_after_days):
            return await self._fail(each, "too_old")
        if not each.belongs:
            return await self._fail(each, "role_ended")
        try:
            recipient = await self._recipient(each.letter.person_id)
            if recipient.demo and not self.settings.demo:
                return await self._fail(each, "demo_address")
            if not await self._wanted_now(each, recipient):
                return True
            link = await self._link(each)
            if link.email:
                recipient = recipient.model_copy(update={"email": link.email})
            message = self._envelope(each, recipient, self._write(each, recipient, names, link))
        except Refused as refusal:
            if refusal.code == "not_found":
                return await self._fail(
                    each, "no_such_person" if not each.notice.facts.get("link_id") else "no_such_link"
                )
            return await self._postpone(each, "identity_away")
        except ValueError:
            return await self._fail(each, "bad_address")
        except Exception as problem:
            log.error(
                "letter not written", letter=each.letter.letter, id=str(each.letter.id), reason=type(problem).__name__
            )
            return await self._postpone(each, "not_written")
        return await self._hand_over(each, message)

    async def _wanted_now(self, each: Outgoing, recipient: Recipient) -> bool:
        """Whether the person wants this kind of letter at once; otherwise it waits for the morning, or is dropped."""
        pace = paces.pace_of(each.letter.letter, recipient.notify)
        if pace is Pace.NOW:
            return True
        async with self.around.database.transaction() as session:
            if pace is Pace.DAILY:
                until = paces.next_morning(self.around.now(), recipient.time_zone)
                await paces.hold(session, each.letter.id, until)
            else:
                await paces.drop(session, each.letter.id)
        return False

    async def _hand_over(self, each: Outgoing, message: EmailMessage) -> bool:
        try:
            line = await self._pick_up()
            await line.send_message(message)
        except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPRecipientRefused, aiosmtplib.SMTPDataError) as refusal:
            code = _code(refusal)
            if code >= 500:
                return await self._fail(each, f"refused_{code}")
            return await self._postpone(each, f"put_off_{code}")
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as problem:
            log.warning("mail server away", reason=type(problem).__name__)
            await self._write_down()
            self._trouble = True
            await self._hang_up()
            await self._postpone(each, SERVER_AWAY)
            return False
        self._taken.append(each.letter.id)
        log.info("letter sent", letter=each.letter.letter, id=str(each.letter.id), attempts=each.letter.attempts + 1)
        return True

    async def _fail(self, each: Outgoing, reason: str) -> bool:
        async with self.around.database.transaction() as session:
            await store.failed(session, each.letter.id, reason)
        log.warning("letter failed", letter=each.letter.letter, id=str(each.letter.id), reason=reason)
        return True

    async def _postpone(self, each: Outgoing, reason: str) -> bool:
        pause = min(LONGEST, timedelta(seconds=2 ** min(each.letter.attempts, 16)))
        async with self.around.database.transaction() as session:
            await store.postponed(session, each.letter.id, reason, self.around.now() + pause)
        return True

    # ── Writing ───────────────────────────────────────────────────────────────────────────────────────────────

    async def _recipient(self, person_id: str) -> Recipient:
        known = self._people.get(person_id)
        if known is None or known[0] <= self.tick():
            answer = await self.around.others.get("identity", f"/people/{person_id}")
            if len(self._people) > 5000:
                self._people.clear()
            known = self.tick() + REMEMBERED, Recipient.model_validate(answer)
            self._people[person_id] = known
        return known[1]

    async def _link(self, each: Outgoing) -> LinkView:
        """Where the letter leads: the certificate, or what identity hands out for this moment and nobody keeps."""
        if link_id := each.notice.facts.get("link_id"):
            return LinkView.model_validate(await self.around.others.get("identity", f"/links/{link_id}"))
        path = each.notice.facts.get("path") or f"/certificates/{each.notice.certificate_id}"
        return LinkView(url=self.around.settings.base_url("portal") + path)

    def _write(self, each: Outgoing, recipient: Recipient, names: dict[str, str], link: LinkView) -> Written:
        reader = Reader(recipient.language, recipient.time_zone, recipient.name, each.notice.organisation_id)
        portal = self.around.settings.base_url("portal")
        waiting = [
            {"name": names.get(one["organisation"], ""), "url": portal + one["path"]}
            for one in each.notice.facts.get("waiting") or ()
        ]
        facts = {**each.notice.facts, **link.facts} | ({"requests": waiting} if waiting else {})
        if each.inside:
            facts |= paces.summed_up(each.inside, names, reader, portal)
        return writing.letter(each.letter.letter, facts, names, reader, link.url, self.settings.contact)

    def _envelope(self, each: Outgoing, recipient: Recipient, written: Written) -> EmailMessage:
        message = EmailMessage(policy=MAIL)
        message["From"] = _address(self.settings.sender)
        message["To"] = Address(writing.one_line(recipient.name), addr_spec=recipient.email)
        message["Subject"] = written.subject
        message["Message-ID"] = each.letter.message_id
        message["Date"] = format_datetime(self.around.now())
        message["Auto-Submitted"] = "auto-generated"
        message["X-Auto-Response-Suppress"] = "All"
        message.set_content(written.text, cte="quoted-printable")
        if recipient.html:
            message.add_alternative(written.html, subtype="html", cte="quoted-printable")
        message["Content-Language"] = recipient.language
        return message

    # ── The line to the mail server ───────────────────────────────────────────────────────────────────────────

    async def _pick_up(self) -> aiosmtplib.SMTP:
        if self._line is None or not self._line.is_connected:
            self._line = None
            line = aiosmtplib.SMTP(
                hostname=self.settings.smtp_host,
                port=self.settings.smtp_port,
                username=self.settings.smtp_username,
                password=self.settings.smtp_password,
                local_hostname="bordereau",
                timeout=15,
                use_tls=self.settings.smtp_security == "tls",
                start_tls=self.settings.smtp_security == "starttls",
            )
            await line.connect()
            self._line = line
        return self._line

    async def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line is not None and line.is_connected:
            try:
                async with asyncio.timeout(2):
                    await line.quit()
            except (aiosmtplib.SMTPException, OSError, TimeoutError):
                line.close()


def _leave_if_told() -> None:
    """Python 3.11's ``wait_for`` swallows the wish to stop when the mail server's answer comes with it."""
    task = asyncio.current_task()
    if task and task.cancelling():
        raise asyncio.CancelledError


def _code(refusal: Any) -> int:
    """The mail server's answer; for several recipients (there is one) the first one's."""
    if isinstance(refusal, aiosmtplib.SMTPRecipientsRefused):
        return int(refusal.recipients[0].code)
    return int(refusal.code)


def _address(written: str) -> Address:
    name, spec = parseaddr(written)
    return Address(name, addr_spec=spec)
