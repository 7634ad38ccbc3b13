"""A role that awaits its decision: reminders on the validator's calendar, questions, races, expiry. Time is moved."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from temporalio.testing import WorkflowEnvironment

from shared.contracts.directory import (
    OPERATOR_VALIDATION,
    ROLE_VALIDATION,
    Instruction,
    Standing,
    operator_validation_id,
    role_validation_id,
)
from shared.kit.temporal import Processes, activities_of, worker
from shared.rules.actor import Actor
from shared.rules.refusals import Refused
from shared.rules.requests import REQUEST_MOVES, RoleStatus, Step
from tests.fakes.directory import APPLICANT, VALIDATOR, DirectoryInMemory
from workflows.operator_validation import OperatorValidation
from workflows.role_validation import RoleValidation

PARIS = ZoneInfo("Europe/Paris")
KINDS = {
    ROLE_VALIDATION: (RoleValidation, role_validation_id),
    OPERATOR_VALIDATION: (OperatorValidation, operator_validation_id),
}


@dataclass
class Request:
    """A request with its process, as the HTTP door meets it."""

    env: WorkflowEnvironment
    paper: DirectoryInMemory
    processes: Processes
    kind: str = ROLE_VALIDATION

    @property
    def id(self) -> str:
        """The id of the process."""
        return KINDS[self.kind][1](self.paper.id)

    async def step(
        self, action: Step | str, by: str = VALIDATOR, revision: int | None = None, key: str | None = None
    ) -> Standing:
        """Ask for a step."""
        order = Instruction(
            str(action), Actor("person-1", "Marie Curie", by, "AUTHORITY"), revision or self.paper.revision
        )
        return await self.processes.ask(
            order.action,
            order,
            workflow=self.kind,
            workflow_id=self.id,
            life=Standing(self.paper.id, "", 0, False),
            key=key or uuid4().hex,
            answer=Standing,
        )

    async def wake(self) -> None:
        """What the relay does with a wake line."""
        await self.processes.wake(
            self.kind, self.id, {"id": self.paper.id, "status": "REQUESTED", "revision": 0, "over": False}
        )

    async def result(self) -> str:
        """What the process ends with."""
        return str(await self.env.client.get_workflow_handle(self.id).result())


@asynccontextmanager
async def asked(
    env: WorkflowEnvironment, at: datetime | None = None, kind: str = ROLE_VALIDATION, **paper: str
) -> AsyncIterator[Request]:
    """A request made at a moment; the server's clock is moved there first."""
    now = await env.get_current_time()
    if at is not None:
        await env.sleep(at - now)
    made = DirectoryInMemory(env.get_current_time, at or now, **paper)  # type: ignore[arg-type]
    if kind == OPERATOR_VALIDATION:
        made.moves = REQUEST_MOVES
    queue = uuid4().hex
    async with worker(env.client, queue, [KINDS[kind][0]], activities_of(made)):
        request = Request(env, made, Processes(env.client, queue), kind)
        await request.wake()
        yield request


def moment(told: str, zone: str = "Europe/Paris") -> datetime:
    """A moment on the clocks of a place."""
    return datetime.fromisoformat(told).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize("kind", KINDS)
async def test_a_request_is_decided_and_its_process_ends(env: WorkflowEnvironment, kind: str) -> None:
    async with asked(env, kind=kind) as request:
        answer = await request.step(Step.VALIDATE)
        assert answer.status == RoleStatus.VALID
        assert await request.result() == RoleStatus.VALID
        assert request.paper.rung == {}


@pytest.mark.parametrize(
    ("asked_at", "country", "zone", "reminded"),
    [
        # Maundy Thursday 2030: Easter Monday is a day off in France, and none in Morocco
        ("2030-04-18 10:00", "FR", "Europe/Paris", "2030-04-23 10:00"),
        ("2030-04-18 10:00", "MA", "Africa/Casablanca", "2030-04-22 10:00"),
        # over a weekend
        ("2030-10-04 10:00", "FR", "Europe/Paris", "2030-10-08 10:00"),
        # over the change of clocks: ten o'clock stays ten o'clock
        ("2030-10-25 10:00", "FR", "Europe/Paris", "2030-10-29 10:00"),
        ("2030-03-29 10:00", "FR", "Europe/Paris", "2030-04-02 10:00"),
        # before a public holiday: 14 July is a Sunday in 2030, 15 August a Thursday
        ("2030-08-13 16:00", "FR", "Europe/Paris", "2030-08-16 16:00"),
        ("2030-08-13 16:00", "BE", "Europe/Brussels", "2030-08-16 16:00"),
    ],
)
async def test_the_reminder_comes_after_two_working_days_of_the_validator(
    env: WorkflowEnvironment, asked_at: str, country: str, zone: str, reminded: str
) -> None:
    async with asked(env, moment(asked_at, zone), country=country, zone=zone) as request:
        await env.sleep(timedelta(days=12))
        assert request.paper.rung["validator_reminded"] == moment(reminded, zone)
        assert list(request.paper.rung) == ["validator_reminded", "escalated"]
        assert request.paper.status == RoleStatus.REQUESTED


@pytest.mark.parametrize("kind", KINDS)
async def test_silence_never_grants(env: WorkflowEnvironment, kind: str) -> None:
    async with asked(env, kind=kind) as request:
        await env.sleep(timedelta(days=31))
        assert await request.result() == RoleStatus.EXPIRED
        assert list(request.paper.rung) == ["validator_reminded", "escalated", "expired"]
        with pytest.raises(Refused, match="already_decided"):
            await request.step(Step.VALIDATE)


async def test_a_question_stops_the_clock_and_the_answer_starts_it_again(env: WorkflowEnvironment) -> None:
    async with asked(env, moment("2030-10-04 10:00")) as request:
        await env.sleep(timedelta(hours=2))
        await request.step(Step.ASK)
        await env.sleep(timedelta(days=10))
        assert request.paper.rung == {}
        await request.step(Step.ANSWER, by=APPLICANT)  # on a Monday at noon: two hours of the two days were used
        await env.sleep(timedelta(days=1, hours=20))
        assert request.paper.rung == {}
        await env.sleep(timedelta(hours=3))
        assert list(request.paper.rung) == ["validator_reminded"]


async def test_a_question_nobody_answers_ends_the_request(env: WorkflowEnvironment) -> None:
    async with asked(env) as request:
        await request.step(Step.ASK)
        await env.sleep(timedelta(days=31))
        assert await request.result() == RoleStatus.EXPIRED
        assert list(request.paper.rung) == ["unanswered"]


async def test_of_two_validators_one_wins_and_the_other_is_told(env: WorkflowEnvironment) -> None:
    async with asked(env) as request:
        answers = await asyncio.gather(
            request.step(Step.VALIDATE, revision=1), request.step(Step.REFUSE, revision=1), return_exceptions=True
        )
        lost = [answer for answer in answers if isinstance(answer, Refused)]
        assert [refusal.code for refusal in lost] in (["already_decided"], ["stale_revision"])
        assert len(request.paper.journal) == 1


async def test_the_same_key_twice_is_one_decision(env: WorkflowEnvironment) -> None:
    async with asked(env) as request:
        first = await request.step(Step.VALIDATE, revision=1, key="a-key-of-its-own")
        again = await request.step(Step.VALIDATE, revision=1, key="a-key-of-its-own")
        assert first == again
        assert request.paper.revision == 2


async def test_a_decision_is_taken_although_the_first_attempt_lost_its_answer(env: WorkflowEnvironment) -> None:
    async with asked(env) as request:
        request.paper.failures = ["", "after"]
        assert (await request.step(Step.VALIDATE)).status == RoleStatus.VALID
        assert request.paper.revision == 2


async def test_a_role_is_suspended_years_later_although_its_process_has_ended(env: WorkflowEnvironment) -> None:
    async with asked(env) as request:
        await request.step(Step.VALIDATE)
        assert await request.result() == RoleStatus.VALID
        await env.sleep(timedelta(days=800))
        assert (await request.step(Step.SUSPEND)).status == RoleStatus.SUSPENDED
        assert (await request.step(Step.REINSTATE)).status == RoleStatus.VALID


@pytest.mark.parametrize(("action", "code"), [("dance", "unknown_action"), (Step.SUSPEND, "already_decided")])
async def test_an_unlawful_step_is_refused_and_changes_nothing(
    env: WorkflowEnvironment, action: str, code: str
) -> None:
    async with asked(env) as request:
        with pytest.raises(Refused, match=code):
            await request.step(action)
        assert (request.paper.status, request.paper.revision) == (RoleStatus.REQUESTED, 1)


async def test_what_was_decided_while_the_process_was_lost_is_found_on_paper(env: WorkflowEnvironment) -> None:
    async with asked(env) as request:
        await env.client.get_workflow_handle(request.id).terminate()
        request.paper.rung["validator_reminded"] = datetime.now(UTC)
        assert (await request.step(Step.REFUSE)).status == RoleStatus.REFUSED
