"""Every clock of the law under moved time: a minute before its hour it is silent, a minute after it has rung.

One thing to remember: the hours are typed from the specification, and a clock without a row here is a failure. All rows
live at once on one engine, whose time goes from one threshold to the next.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from shared.contracts.certificates import EXTRACT_LIFE, LIFE, Batch, Life, extract_life_id, life_id
from shared.kit.temporal import activities_of, worker
from shared.rules.deadlines import CLOCKS, Clock, Only, Start, clock_of
from shared.rules.extracts import EXTRACT_CLOCK, EXTRACT_CLOCKS
from shared.rules.status import Status
from tests.fakes.clocks import Extracts, Papers, StandingPaper
from tests.fakes.extract import ExtractInMemory
from tests.workflows.conftest import time_skipping
from workflows.certificate_life import CertificateLife
from workflows.extract_life import ExtractLife

pytestmark = pytest.mark.asyncio(loop_scope="module")
CLOCK: Final = {each.name: each for each in CLOCKS}


@dataclass(frozen=True)
class Row:
    """So many days after a Monday morning from which it counts, this clock rings, and this is where that leads."""

    clock: str
    days: int
    leads_to: Status | None = None


# fmt: off
ROWS: Final = (
    Row("completion_first_call",     5),                     # D10: days 5, 8 and 10
    Row("completion_last_call",      8),
    Row("completion_overdue",        10),
    Row("departed_as_draft",         0),                     # D11: the departure itself
    Row("departed_unsigned",         0),
    Row("announce_arrival",          -4),                    # D12: two working days before a Monday, then one
    Row("arrival_near",              -3),
    Row("arrival_not_verified",      1),                     # D13: one working day after it
    Row("laboratory_awaited",        7),                     # D14: five working days
    Row("customs_procedure_open#1",  30),                    # D15: every thirty days
    Row("customs_procedure_open#2",  60),
    Row("customs_procedure_open#3",  90),
    Row("reception_first_call",      3),                     # D16: three and ten working days, thirty days
    Row("reception_last_call",       14),
    Row("reception_overdue",         30),
    Row("replacement_unsigned",      7),                     # D17
    Row("replaced",                  0, Status.REPLACED),
    Row("reply_first_call",          15),                    # D18
    Row("reply_last_call",           25),
    Row("reply_overdue",             30),
    Row("batches_idle",              90),                    # D19
    Row("draft_stale",               90),                    # D20
    Row("draft_expired",             120, Status.DELETED),
    Row("extract_undecided",         1),                     # of extracts: D13, D16
    Row("extract_reception_first",   3),
    Row("extract_reception_last",    14),
    Row("extract_reception_over",    30),
)
# fmt: on


@dataclass
class Seen:
    """What had rung a minute before the hour and a minute after, and where that led."""

    before: tuple[str, ...]
    after: tuple[str, ...] = ()
    status: str = ""
    needless: tuple[str, ...] = ()
    """What had rung a minute after for a certificate that has no reason, or no longer."""


def counting(env: WorkflowEnvironment, clock: Clock, since: datetime, needless: bool) -> StandingPaper:
    """A certificate for which this clock counts from then; or one beside it for which it has no reason."""
    said: dict[str, Any] = {"entered": since, "status": clock.while_at, "complete": clock.only is not Only.INCOMPLETE}
    if clock.start in (Start.DEPARTURE, Start.ARRIVAL):
        said["content"] = {clock.start.value: since.isoformat()}
    elif clock.start not in (Start.ENTERED, Start.EDITED):
        said["since"] = {clock.start: since}
    if needless:  # it is complete, answered, or stands elsewhere by now
        reasons = {Only.INCOMPLETE: {"complete": True}, Only.UNANSWERED: {"answered": True}}
        said |= reasons.get(clock.only, {"status": Status.FIRST_CONSIGNEE_SIGNED})
    return StandingPaper(env.get_current_time, certificate_id=str(uuid4()), **said)


async def test_every_clock_has_its_hour_here() -> None:
    rows = {row.clock.partition("#")[0] for row in ROWS}
    assert rows == {each.name for each in (*CLOCKS, *EXTRACT_CLOCKS)}
    assert all(f"{each.name}#2" in {row.clock for row in ROWS} for each in CLOCKS if each.every)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def seen(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Seen]]:
    """Every row lived through, on one engine."""
    async with time_skipping(tmp_path_factory.mktemp("clocks")) as env:
        now = (await env.get_current_time()).astimezone(UTC)
        monday = (now + timedelta(days=14 - now.weekday())).replace(hour=9, minute=0, second=0, microsecond=0)
        yield await _lived(env, monday)


async def _lived(env: WorkflowEnvironment, monday: datetime) -> dict[str, Seen]:
    papers, extracts, queue = Papers(), Extracts(), uuid4().hex
    lives: dict[str, StandingPaper | ExtractInMemory] = {}
    others: dict[str, StandingPaper] = {}
    for row in ROWS:
        if clock := EXTRACT_CLOCK.get(row.clock):
            batch = ExtractInMemory(env.get_current_time, monday, str(uuid4()), clock.while_at)
            lives[row.clock] = extracts.all[batch.extract_id] = batch
            continue
        for kept, needless in ((lives, False), (others, True)):
            paper = counting(env, clock_of(row.clock), monday, needless)
            kept[row.clock] = papers.all[paper.certificate_id] = paper
    found = {}
    doors = [*activities_of(papers), *activities_of(extracts)]
    async with worker(env.client, queue, [CertificateLife, ExtractLife], doors):
        for paper in papers.all.values():
            await _wake(env, queue, LIFE, life_id(paper.certificate_id), paper.life())
        for batch in extracts.all.values():
            await _wake(env, queue, EXTRACT_LIFE, extract_life_id(batch.extract_id), batch.batch())
        for at, is_over, row in sorted(_moments(monday), key=lambda each: each[0]):
            await env.sleep(max(at - await env.get_current_time(), timedelta(0)))
            for _ in range(20 if is_over else 1):  # the worker is given its moment, a second of moved time at once
                if row.clock not in lives[row.clock].rung:
                    await env.sleep(timedelta(seconds=1))
            if not is_over:
                found[row.clock] = Seen(lives[row.clock].rung)
                continue
            one = found[row.clock]
            one.after, one.status = lives[row.clock].rung, lives[row.clock].status
            one.needless = others[row.clock].rung if row.clock in others else ()
    return found


def _moments(monday: datetime) -> Iterator[tuple[datetime, bool, Row]]:
    """When to look at each row: a minute before its hour, and a minute after."""
    for row in ROWS:
        hour = monday + timedelta(days=row.days)
        yield hour - timedelta(minutes=1), False, row
        yield hour + timedelta(minutes=1), True, row


async def _wake(env: WorkflowEnvironment, queue: str, name: str, mark: str, life: Life | Batch) -> None:
    """What the relay does with a wake line."""
    await env.client.start_workflow(name, life, id=mark, task_queue=queue, start_signal="content_changed")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.clock)
async def test_a_clock_rings_at_its_hour_and_not_before(seen: dict[str, Seen], row: Row) -> None:
    told = seen[row.clock]
    assert row.clock not in told.before
    assert row.clock in told.after
    assert row.clock not in told.needless
    clock = CLOCK.get(row.clock.partition("#")[0])
    if clock is not None:
        assert told.status == (row.leads_to or clock.while_at)
        assert clock.effect is row.leads_to
