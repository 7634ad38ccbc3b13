"""Classic requests, told for the recorded histories: activated, refused, disowned, forgotten, too late."""

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from temporalio.testing import WorkflowEnvironment

from shared.contracts.identity import Course, Kind, Step, course_id
from shared.contracts.notifications import QUEUE as POST_OFFICE
from shared.kit.temporal import Processes, activities_of, worker
from shared.rules.actor import Actor
from shared.rules.refusals import Refused
from tests.fakes.registry import PostOffice
from tests.fakes.requests import REQUEST, RequestOnPaper
from workflows.account_validation import AccountValidation

ODILE = Actor("official-person", "Odile", "authority", "AUTHORITY")


@dataclass
class Asking:
    """A classic request with its process, as the identity service meets it."""

    env: WorkflowEnvironment
    paper: RequestOnPaper
    post: PostOffice
    processes: Processes

    @property
    def id(self) -> str:
        """The id of the process."""
        return course_id(Kind.VALIDATION, REQUEST)

    @property
    def letters(self) -> list[str]:
        """What was sent, in order."""
        return [each.letter for each in self.post.taken.values()]

    async def wake(self) -> None:
        """What the relay does with a wake line."""
        await self.processes.wake(Kind.VALIDATION, self.id, {"kind": Kind.VALIDATION, "id": REQUEST})

    async def passes(self, **time: float) -> None:
        """Time goes by, by the words of ``timedelta``."""
        await self.env.sleep(timedelta(**time))

    async def ends(self) -> str:
        """How the process ended."""
        return str(await self.env.client.get_workflow_handle(self.id).result())

    async def _asks(self, update: str, step: Step, key: str) -> Course:
        return await self.processes.ask(
            update,
            step,
            workflow=Kind.VALIDATION,
            workflow_id=self.id,
            life=Course(Kind.VALIDATION, REQUEST),
            key=key or uuid4().hex,
            answer=Course,
        )

    async def answers(self, mine: bool = True, until: datetime | None = None, key: str = "") -> Course:
        """The letter is answered, in a form good for a quarter of an hour."""
        until = until or await self.env.get_current_time() + timedelta(minutes=15)
        return await self._asks(
            "confirm", Step(Kind.VALIDATION, REQUEST, "confirm" if mine else "disown", until, "link-0"), key
        )

    async def decides(self, action: str = "activate", reason: str = "", key: str = "") -> Course:
        """The authority decides."""
        return await self._asks("decide", Step(Kind.VALIDATION, REQUEST, action, actor=ODILE, reason=reason), key)


@asynccontextmanager
async def a_request(env: WorkflowEnvironment) -> AsyncIterator[Asking]:
    """One request on paper, a worker for its process, and a post office."""
    paper, post, queue = RequestOnPaper(env.get_current_time, await env.get_current_time()), PostOffice(), uuid4().hex
    async with worker(env.client, queue, [AccountValidation], activities_of(paper)):
        async with worker(env.client, POST_OFFICE, [], activities_of(post)):
            made = Asking(env, paper, post, Processes(env.client, queue))
            await made.wake()
            await made.passes(seconds=6)
            yield made


async def confirmed_and_activated(asking: Asking) -> None:
    """The person confirms, his authority activates."""
    await asking.passes(hours=1)
    await asking.answers()
    await asking.passes(hours=20)
    await asking.decides()
    await asking.ends()


async def confirmed_and_refused(asking: Asking) -> None:
    """The person confirms after the reminder, his authority refuses with a reason."""
    await asking.passes(days=3)
    await asking.answers()
    await asking.decides("refuse", "No such establishment")
    await asking.ends()


async def disowned(asking: Asking) -> None:
    """Whoever got the letter never asked for an account."""
    await asking.answers(mine=False)
    await asking.ends()


async def nobody_confirms(asking: Asking) -> None:
    """A reminder after two days, and after seven days everything is forgotten; a late click is refused."""
    form = await asking.env.get_current_time() + timedelta(minutes=15)
    await asking.passes(days=7, hours=1)
    with contextlib.suppress(Refused):
        await asking.answers(until=form)


async def nobody_decides(asking: Asking) -> None:
    """Reminded after two working days, told to the authority above after four, expired after thirty days."""
    await asking.answers()
    await asking.passes(days=31)
    await asking.ends()


async def escalated_and_activated(asking: Asking) -> None:
    """The authority above was told, and somebody decides; a second decision comes too late."""
    await asking.answers()
    await asking.passes(days=8)
    await asking.decides()
    with contextlib.suppress(Refused):
        await asking.decides("refuse", "too late")


async def corrected_meanwhile(asking: Asking) -> None:
    """The paper changes beside the process, which looks again."""
    await asking.answers()
    asking.paper.letters.append(("account-requests", "another official"))
    await asking.wake()
    await asking.passes(hours=1)
    await asking.decides()
    await asking.ends()


VALIDATION_STORIES = (
    confirmed_and_activated,
    confirmed_and_refused,
    disowned,
    nobody_confirms,
    nobody_decides,
    escalated_and_activated,
    corrected_meanwhile,
)
