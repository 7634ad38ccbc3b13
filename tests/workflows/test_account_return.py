"""A new password and three months of silence under moved time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.testing import WorkflowEnvironment

from shared.contracts.identity import Course, Kind, Step, course_id
from shared.contracts.notifications import QUEUE as POST_OFFICE
from shared.kit.temporal import Processes, activities_of, worker
from shared.rules.refusals import Refused
from tests.fakes.registry import REGISTRATION, AccountOnPaper, PostOffice, ResetDesk
from workflows.account_life import AccountLife
from workflows.password_reset import PasswordReset


@dataclass
class Returning:
    """A process of one account, as the identity service meets it."""

    kind: Kind
    env: WorkflowEnvironment
    paper: ResetDesk | AccountOnPaper
    post: PostOffice
    processes: Processes

    @property
    def id(self) -> str:
        """The id of the process."""
        return course_id(self.kind, REGISTRATION)

    @property
    def letters(self) -> list[str]:
        """What was sent, in order."""
        return [each.letter for each in self.post.taken.values()]

    async def wake(self) -> None:
        """What the relay does with a wake line."""
        await self.processes.wake(self.kind, self.id, {"kind": self.kind, "id": REGISTRATION})

    async def passes(self, **time: float) -> None:
        """Time goes by, by the words of ``timedelta``."""
        await self.env.sleep(timedelta(**time))

    async def chooses(self) -> Course:
        """The form behind a link clicked at this moment is sent."""
        until = await self.env.get_current_time() + timedelta(minutes=15)
        step = Step(self.kind, REGISTRATION, "confirm", until, "link-1")
        return await self.processes.ask(
            "confirm", step, workflow=self.kind, workflow_id=self.id, life=Course(self.kind, REGISTRATION),
            key=uuid4().hex, answer=Course,
        )  # fmt: skip


@asynccontextmanager
async def a_reset(env: WorkflowEnvironment, known: bool = True) -> AsyncIterator[Returning]:
    """One request for a new password, its process and a post office."""
    async with _played(env, Kind.RESET, PasswordReset, ResetDesk(env.get_current_time, known)) as returning:
        yield returning


@asynccontextmanager
async def an_account(env: WorkflowEnvironment) -> AsyncIterator[Returning]:
    """One active account, its process and a post office."""
    paper = AccountOnPaper(env.get_current_time, await env.get_current_time())
    async with _played(env, Kind.LIFE, AccountLife, paper) as returning:
        yield returning


@asynccontextmanager
async def _played(
    env: WorkflowEnvironment, kind: Kind, workflow: type, paper: ResetDesk | AccountOnPaper
) -> AsyncIterator[Returning]:
    post, queue = PostOffice(), uuid4().hex
    async with worker(env.client, queue, [workflow], activities_of(paper)):
        async with worker(env.client, POST_OFFICE, [], activities_of(post)):
            returning = Returning(kind, env, paper, post, Processes(env.client, queue))
            await returning.wake()
            await returning.passes(seconds=6)
            yield returning


async def a_new_password_in_time(returning: Returning) -> None:
    """The link is clicked within its ninety minutes."""
    await returning.passes(minutes=80)
    await returning.chooses()
    await returning.env.client.get_workflow_handle(returning.id).result()


async def nobody_clicks(returning: Returning) -> None:
    """The link dies, and the process with it."""
    await returning.passes(minutes=120)
    await returning.env.client.get_workflow_handle(returning.id).result()


async def three_months_of_silence(returning: Returning) -> None:
    """Two warnings, then the account is blocked."""
    await returning.passes(days=91)
    await returning.env.client.get_workflow_handle(returning.id).result()


async def a_sign_in_after_the_first_warning(returning: Returning) -> None:
    """The three months begin anew, and nobody woke the process."""
    assert isinstance(returning.paper, AccountOnPaper)
    await returning.passes(days=80)
    returning.paper.signs_in(await returning.env.get_current_time())
    await returning.passes(days=77)


RESET_STORIES = (a_new_password_in_time, nobody_clicks)
LIFE_STORIES = (three_months_of_silence, a_sign_in_after_the_first_warning)


async def test_a_new_password_is_chosen_in_time_and_its_owner_is_told(env: WorkflowEnvironment) -> None:
    async with a_reset(env) as returning:
        await a_new_password_in_time(returning)
        assert returning.letters == ["password-link", "password-changed"]


async def test_a_link_nobody_clicks_dies_and_changes_nothing(env: WorkflowEnvironment) -> None:
    async with a_reset(env) as returning:
        await nobody_clicks(returning)
        assert (returning.paper.course().state, returning.letters) == ("EXPIRED", ["password-link"])
        with pytest.raises(Refused):
            await returning.chooses()


async def test_an_unknown_address_is_sent_nothing(env: WorkflowEnvironment) -> None:
    async with a_reset(env, known=False) as returning:
        assert await returning.env.client.get_workflow_handle(returning.id).result() == "NOBODY"
        assert returning.letters == []


async def test_three_months_of_silence_warn_twice_and_block(env: WorkflowEnvironment) -> None:
    async with an_account(env) as returning:
        await three_months_of_silence(returning)
        assert returning.letters == ["account-inactive", "account-inactive", "account-blocked"]


async def test_a_sign_in_starts_the_three_months_anew_and_wakes_nobody(env: WorkflowEnvironment) -> None:
    async with an_account(env) as returning:
        await a_sign_in_after_the_first_warning(returning)
        assert returning.letters == ["account-inactive", "account-inactive"]
        assert returning.paper.course().state == "ACTIVE"
