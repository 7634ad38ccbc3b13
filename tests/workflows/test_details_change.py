"""A change of name or address under moved time: letters go out, links are followed or forgotten."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from temporalio.testing import WorkflowEnvironment

from shared.contracts.identity import Kind, course_id
from shared.contracts.notifications import QUEUE as POST_OFFICE
from shared.kit.temporal import Processes, activities_of, worker
from tests.fakes.changes import CHANGE, ChangeOnPaper
from tests.fakes.registry import PostOffice
from workflows.details_change import DetailsChange


@dataclass
class Changing:
    """The process of one change, as the identity service meets it."""

    env: WorkflowEnvironment
    paper: ChangeOnPaper
    post: PostOffice
    processes: Processes
    id: str = course_id(Kind.CHANGE, CHANGE)

    @property
    def letters(self) -> list[str]:
        """What was sent, in order."""
        return [each.letter for each in self.post.taken.values()]

    async def wake(self) -> None:
        """What the relay does with a wake line."""
        await self.processes.wake(Kind.CHANGE, self.id, {"kind": Kind.CHANGE, "id": CHANGE})

    async def follows(self) -> None:
        """A link is followed at the door."""
        self.paper.follow()
        await self.wake()

    async def ends(self) -> str:
        """The state the process ends with."""
        return str(await self.env.client.get_workflow_handle(self.id).result())


@asynccontextmanager
async def a_change(env: WorkflowEnvironment) -> AsyncIterator[Changing]:
    """One change, its process and a post office."""
    paper, post, queue = ChangeOnPaper(env.get_current_time), PostOffice(), uuid4().hex
    async with worker(env.client, queue, [DetailsChange], activities_of(paper)):
        async with worker(env.client, POST_OFFICE, [], activities_of(post)):
            changing = Changing(env, paper, post, Processes(env.client, queue))
            await changing.wake()
            await env.sleep(timedelta(seconds=6))
            yield changing


async def both_links_followed(changing: Changing) -> None:
    """Old and new address agree, and both are told."""
    await changing.env.sleep(timedelta(minutes=30))
    await changing.follows()
    await changing.env.sleep(timedelta(minutes=30))
    await changing.follows()
    await changing.ends()


async def one_link_forgotten(changing: Changing) -> None:
    """Only one of the two was followed: nothing changes."""
    await changing.follows()
    await changing.env.sleep(timedelta(minutes=95))
    await changing.ends()


CHANGE_STORIES = (both_links_followed, one_link_forgotten)


async def test_a_change_is_made_and_told_once_both_links_were_followed(env: WorkflowEnvironment) -> None:
    async with a_change(env) as changing:
        await both_links_followed(changing)
        assert changing.letters == ["details-change", "address-confirmation", "details-changed"]
        assert await changing.ends() == "DONE"


async def test_a_change_that_is_not_confirmed_by_both_is_forgotten(env: WorkflowEnvironment) -> None:
    async with a_change(env) as changing:
        await one_link_forgotten(changing)
        assert changing.letters == ["details-change", "address-confirmation"]
        assert await changing.ends() == "EXPIRED"
