"""What the clients were told, and whether it is true: sums, chains, clocks, letters.

A client here does what a good client does: it gives every order a key and, while no answer comes or somebody is away,
sends the same order again under the same key. What it was told once must be so for ever.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

import asyncpg
import httpx2
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError

from deploy.local.mailbox import Summary
from deploy.local.stack import Stack
from services.certificates import verify
from shared.contracts.certificates import life_id
from tests.journeys.people import DEMO, EXPORTER, JSON, STORY, People, Person, Refusal, complete, fresh_key, until

T = TypeVar("T")
PASSING: Final = frozenset({"unavailable", "timeout", "internal"})
TOLD: Final = {
    "submit": ("ecocert-ma",),
    "sign": ("perpignan", "pyrenees-bio-import", "atlas-bio-export", "garonne-bio", "ecocert-fr"),
    "verify": ("garonne-bio", "pyrenees-bio-import", "ecocert-ma", "atlas-bio-export"),
    "receive": ("pyrenees-bio-import", "perpignan", "ecocert-ma"),
}
"""Action -> the organisations whose people get a letter."""
LETTER: Final = {"submit": "submitted", "sign": "issued", "verify": "verified", "receive": "received"}


async def insist(ask: Callable[[], Awaitable[T]], patience: float = 60) -> T:
    """Ask the same thing again until there is an answer; a no is an answer."""
    give_up = time.monotonic() + patience
    while True:
        try:
            return await ask()
        except (httpx2.HTTPError, Refusal) as problem:
            if isinstance(problem, Refusal) and problem.status < 500:
                raise
            if time.monotonic() > give_up:
                raise AssertionError(f"no answer within {patience:g} s, the last one: {problem}") from problem
        await asyncio.sleep(0.05)


@dataclass
class Told:
    """One order and what came back."""

    certificate: str
    person: Person
    wish: JSON
    key: str
    status: str
    revision: int
    number: str | None


@dataclass
class Ledger:
    """Every order given here, with its answer."""

    people: People
    orders: list[Told] = field(default_factory=list)
    drafts: dict[str, str] = field(default_factory=dict)

    async def person(self, email: str) -> Person:
        return await insist(lambda: self.people(email))

    async def draft(self, **changes: Any) -> JSON:
        """A draft of the exporter's, born once."""
        exporter, content, key = await self.person(EXPORTER), complete() | changes, fresh_key()
        draft = await insist(lambda: exporter.drafts(content, key))
        self.drafts[draft["id"]] = key
        return draft

    async def order(self, certificate: str, email: str, action: str, key: str | None = None) -> JSON:
        """Looks, orders, insists; and writes down what it was told."""
        person, key = await self.person(email), key or fresh_key()
        wish = await insist(lambda: person.wish(certificate, action))
        answer = await insist(lambda: person.orders(certificate, wish, key))
        self.orders.append(Told(certificate, person, wish, key, answer["status"], answer["revision"], answer["number"]))
        return answer

    async def life(self, last: str = "receive", **changes: Any) -> JSON:
        """The guide's story up to and with this step."""
        certificate = await self.draft(**changes)
        for email, action in STORY:
            certificate = await self.order(certificate["id"], email, action)
            if action == last:
                break
        return certificate

    def of(self, certificate: str) -> list[Told]:
        return [told for told in self.orders if told.certificate == certificate]


@dataclass
class Witness:
    """Compares the clients' ledger with paper, engine and mail."""

    stack: Stack
    engine: Client
    lines: dict[str, asyncpg.Connection] = field(default_factory=dict)
    delivered: dict[str, str] = field(default_factory=dict)
    """Every letter the catcher ever showed: its place there -> its Message-ID. The catcher forgets the oldest."""
    doubles: int = 0
    """So many of them may have come twice so far."""

    async def paper(self, query: str, *values: object) -> Any:
        """One value from the certificates' database."""
        return await self._one("certificates", query, values)

    async def post(self, query: str, *values: object) -> Any:
        """One value from the notifications' database."""
        return await self._one("notifications", query, values)

    async def _one(self, service: str, query: str, values: tuple[object, ...]) -> Any:
        (row,) = await self.rows(service, query, *values)
        return row[0]

    async def rows(self, service: str, query: str, *values: object) -> list[asyncpg.Record]:
        """Rows from a service's database; asks again while PostgreSQL is away."""
        give_up = time.monotonic() + 30
        while True:
            try:
                return list(await (await self._line(service)).fetch(query, *values))
            except (OSError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, asyncpg.InterfaceError):
                if time.monotonic() > give_up:
                    raise
                await asyncio.sleep(0.05)

    async def _line(self, service: str) -> asyncpg.Connection:
        line = self.lines.get(service)
        if line is None or line.is_closed():
            line = self.lines[service] = await asyncpg.connect(self.stack.database_url(service, scheme="postgresql"))
        return line

    def watch(self) -> None:
        """Note down every letter there is, and from now on every one that comes."""
        for each in self.stack.letters.all():
            self._note(each)
        self.stack.letters.told.append(self._note)

    def _note(self, letter: Summary) -> None:
        self.delivered[letter.id] = letter.message_id

    async def close(self) -> None:
        """Hang up."""
        self.stack.letters.told.remove(self._note)
        for line in self.lines.values():
            line.terminate()

    # -- is it true?

    async def agrees(self, ledger: Ledger, *, doubles: int = 0) -> None:
        """Everything the clients were told is so, nothing else is, and nothing waits any more.

        ``doubles``: so many letters may lie twice in the mail, because the mailer died after handing them over.
        """
        await self.at_rest()
        await self.sums(ledger)
        await self.chains(ledger)
        await self.clocks(ledger)
        await self.letters(ledger, doubles)
        await self.again(ledger)

    async def at_rest(self) -> None:
        """Nothing is left to be published, delivered or sent."""
        for service in ("certificates", "directory", "identity"):
            await until(lambda service=service: self._none_open(service), 60)
            assert not await self.rows(service, "SELECT 1 FROM dead_letter")
        last = await self.paper("SELECT max(seq) FROM outbox")
        await until(lambda: self.post("SELECT max(seq) = $1 FROM heard WHERE publisher = 'certificates'", last), 60)
        await until(lambda: self.post("SELECT count(*) = 0 FROM letter WHERE state <> 'SENT'"), 60)
        assert not await self.rows("notifications", "SELECT 1 FROM dead_letter")

    async def _none_open(self, service: str) -> bool:
        return not await self.rows(service, "SELECT 1 FROM outbox WHERE done_at IS NULL LIMIT 1")

    async def sums(self, ledger: Ledger) -> None:
        """Rows, journals, events and numbers add up to what was told: nothing lost, nothing doubled."""
        for certificate, key in ledger.drafts.items():
            told = ledger.of(certificate)
            (row,) = await self.rows("certificates", "SELECT * FROM certificate WHERE id = $1", certificate)
            lines = await self.rows(
                "certificates", "SELECT * FROM journal WHERE certificate_id = $1 ORDER BY seq", certificate
            )
            moves = [line for line in lines if line["action"] != "clock"]
            assert [line["key"] for line in moves] == [key, *(each.key for each in told)]
            assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
            assert [line["target"] for line in moves[1:]] == [each.status for each in told]
            assert [line["revision"] for line in moves[1:]] == [each.revision for each in told]
            assert row["journal_length"] == len(lines)
            if told and len(moves) == len(lines):
                assert (row["status"], row["revision"]) == (told[-1].status, told[-1].revision)
            assert {row["number"]} >= {each.number for each in told if each.number}
            subjects = await self.rows(
                "certificates",
                "SELECT subject FROM outbox WHERE kind = 'event' AND body->>'certificate_id' = $1 ORDER BY id",
                certificate,
            )
            expected = Counter({"drafted": 1, "moved": len(told), "clock_rang": len(lines) - len(moves)})
            assert Counter(each["subject"].split(".")[2] for each in subjects) == +expected
        numbers = await self.rows("certificates", "SELECT number FROM certificate WHERE number LIKE 'COI.MA.%'")
        given = sorted(int(each["number"].rpartition(".")[2]) for each in numbers)
        assert given == list(range(1, len(given) + 1)), "numbers have neither gaps nor doubles"
        if given:
            assert await self.paper("SELECT last FROM number_series WHERE country = 'MA'") == len(given)
        published = await self.rows("certificates", "SELECT seq FROM outbox WHERE kind = 'event' ORDER BY seq")
        assert [each["seq"] for each in published] == list(range(1, len(published) + 1))

    async def chains(self, ledger: Ledger) -> None:
        """Every journal is in order for the verifier that knows nothing of us."""
        exporter = await ledger.person(EXPORTER)
        for certificate in ledger.drafts:
            exported = await insist(
                lambda c=certificate: exporter.asks("GET", f"/certificates/{c}/journal/export")  # type: ignore[misc]
            )
            assert verify.check(exported) == [], certificate

    async def clocks(self, ledger: Ledger) -> None:
        """A timer runs for every clock on paper, and for nothing else; a life that is over has ended."""
        for certificate in ledger.drafts:
            give_up = time.monotonic() + 40
            while trouble := await self._clock_trouble(certificate):
                assert time.monotonic() < give_up, f"{life_id(certificate)}: {trouble}"
                await asyncio.sleep(0.1)

    async def _clock_trouble(self, certificate: str) -> str:
        """How the process and the row differ; nothing when they agree."""
        (row,) = await self.rows("certificates", "SELECT status, due_at FROM certificate WHERE id = $1", certificate)
        handle = self.engine.get_workflow_handle(life_id(certificate))
        try:
            described = await handle.describe()
            expected = WorkflowExecutionStatus.COMPLETED if row["status"] in OVER else WorkflowExecutionStatus.RUNNING
            if described.status is not expected:
                pending = described.raw_description.pending_workflow_task
                return f"{row['status']}, but {described.status!r}, {described.history_length} events, {pending}"
            if row["status"] in OVER:
                return ""
            timers = running_timers(json.loads((await handle.fetch_history()).to_json()))
        except RPCError as problem:
            return str(problem)
        wanted = [] if row["due_at"] is None else [row["due_at"]]
        if len(timers) == len(wanted) and all(
            abs(timer - due) < timedelta(seconds=30) for timer, due in zip(timers, wanted, strict=True)
        ):
            return ""
        return f"due {wanted}, timers {timers}"

    async def letters(self, ledger: Ledger, doubles: int) -> None:
        """One letter per event and recipient, each with a Message-ID of its own, and each of them delivered."""
        written = await self.rows(
            "notifications",
            "SELECT l.message_id, l.letter, l.person_id, l.event_id, n.certificate_id FROM letter l"
            " JOIN notice n ON n.id = l.notice_id",
        )
        ids = [each["message_id"] for each in written]
        assert len(ids) == len(set(ids))
        pairs = Counter((each["event_id"], each["person_id"]) for each in written)
        assert set(pairs.values()) <= {1}
        for certificate in ledger.drafts:
            mine = Counter(each["letter"] for each in written if each["certificate_id"] == certificate)
            due = Counter(
                {LETTER[told.wish["action"]]: people_of(told.wish["action"]) for told in ledger.of(certificate)}
            )
            assert {name: mine[name] for name in due} == dict(due), certificate
        delivered = Counter(self.delivered.values())
        assert set(delivered) == set(ids), "what was written was delivered, and nothing else"
        self.doubles += doubles
        assert sum(delivered.values()) - len(delivered) <= self.doubles

    async def again(self, ledger: Ledger) -> None:
        """The same order sent again gets the recorded answer and changes nothing."""
        before = await self.paper("SELECT count(*) FROM journal")
        for told in ledger.orders:
            state = await told.person.asks("GET", f"/orders/{told.key}")
            assert (state["state"], state["status"], state["revision"]) == ("done", told.status, told.revision)
        for told in ledger.orders[-20:]:
            answer = await told.person.orders(told.certificate, told.wish, told.key)
            assert answer["number"] == told.number
        assert await self.paper("SELECT count(*) FROM journal") == before


OVER: Final = frozenset({"FIRST_CONSIGNEE_SIGNED", "RELEASED_CONVENTIONAL", "NOT_RELEASED", "DELETED"})
_ACCOUNTS: Final = json.loads((DEMO / "accounts.json").read_text())["accounts"]


def people_of(action: str) -> int:
    """To how many people this step is told by letter."""
    slugs = TOLD[action]
    return sum(any(grant["organisation"] in slugs for grant in each["grants"]) for each in _ACCOUNTS)


def running_timers(history: JSON) -> list[datetime]:
    """When the timers ring that were started and neither fired nor were taken back."""
    running: dict[str, datetime] = {}
    for event in history["events"]:
        kind = EventType.Value(event["eventType"])
        if kind == EventType.EVENT_TYPE_TIMER_STARTED:
            said = event["timerStartedEventAttributes"]
            length = timedelta(seconds=float(said["startToFireTimeout"].rstrip("s")))
            running[said["timerId"]] = datetime.fromisoformat(event["eventTime"].replace("Z", "+00:00")) + length
        elif kind == EventType.EVENT_TYPE_TIMER_FIRED:
            running.pop(event["timerFiredEventAttributes"]["timerId"], None)
        elif kind == EventType.EVENT_TYPE_TIMER_CANCELED:
            running.pop(event["timerCanceledEventAttributes"]["timerId"], None)
    return list(running.values())
