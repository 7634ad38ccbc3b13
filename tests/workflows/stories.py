"""The lives whose histories are kept: each is told once under moved time, recorded, and replayed for ever after.

One thing to remember: a story is told by `python -m tests.workflows.record`; what stands in `histories/` is what the
code of that day did, and today's code must still understand it.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

from temporalio.testing import WorkflowEnvironment

from shared.contracts.directory import OPERATOR_LIFE, OPERATOR_VALIDATION, ROLE_VALIDATION
from shared.kit.temporal import Processes, activities_of, worker
from shared.rules.refusals import Refused
from shared.rules.status import Action
from tests.fakes.paper import BODY, BORDER, CONSIGNEE, EXPORTER, STRANGER, PaperInMemory
from tests.workflows import role_stories
from tests.workflows.account_stories import ACCOUNT_STORIES, a_registration
from tests.workflows.conftest import Living
from tests.workflows.extract_stories import EXTRACT_STORIES, an_extract
from tests.workflows.test_account_return import LIFE_STORIES, RESET_STORIES, a_reset, an_account
from tests.workflows.test_details_change import CHANGE_STORIES, a_change
from tests.workflows.validation_stories import VALIDATION_STORIES, a_request
from workflows.account_creation import AccountCreation
from workflows.account_life import AccountLife
from workflows.account_validation import AccountValidation
from workflows.certificate_life import CertificateLife
from workflows.details_change import DetailsChange
from workflows.extract_life import ExtractLife
from workflows.operator_life import OperatorLife
from workflows.operator_validation import OperatorValidation
from workflows.password_reset import PasswordReset
from workflows.role_validation import RoleValidation


async def from_draft_to_box_21(living: Living) -> None:
    """Four signatures in order; the process ends."""
    await living.act(Action.SUBMIT, by=EXPORTER)
    await living.act(Action.SIGN, by=BODY)
    await living.act(Action.VERIFY, by=BORDER)
    await living.act(Action.RECEIVE, by=CONSIGNEE)
    await living.env.client.get_workflow_handle(living.id).result()


async def refused_on_the_way(living: Living) -> None:
    """A stale revision, a stranger and a stranger with a stale revision are told no; the certificate goes on."""
    await living.act(Action.SUBMIT, by=EXPORTER)
    seen, living.paper.revision = living.paper.revision, living.paper.revision + 1
    for by, revision in ((BODY, seen), (STRANGER, None), (STRANGER, seen)):
        with contextlib.suppress(Refused):
            await living.act(Action.SIGN, by=by, revision=revision)
    await living.act(Action.SIGN, by=BODY)


async def the_same_order_told_twice(living: Living) -> None:
    """One key, two requests at once, and once more after the next move."""
    key = "the-same-key"
    await asyncio.gather(*(living.act(Action.SUBMIT, by=EXPORTER, revision=1, key=key) for _ in range(2)))
    await living.act(Action.SIGN, by=BODY)
    await living.act(Action.SUBMIT, by=EXPORTER, revision=1, key=key)


async def two_actors_for_one_move(living: Living) -> None:
    """Verified and rejected in the same moment: one wins."""
    await living.act(Action.SUBMIT, by=EXPORTER)
    await living.act(Action.SIGN, by=BODY)
    wishes = (living.act(action, by=BORDER, revision=3) for action in (Action.VERIFY, Action.REJECT))
    await asyncio.gather(*wishes, return_exceptions=True)


async def completion_called_for_three_times(living: Living) -> None:
    """Ten days pass after box 18: three clocks ring."""
    await living.act(Action.SUBMIT, by=EXPORTER)
    await living.act(Action.SIGN, by=BODY)
    await living.env.sleep(timedelta(days=11))


async def a_clock_silenced_in_time(living: Living) -> None:
    """The border verifies on the fourth day: the timer of the fifth is taken back."""
    await living.act(Action.SUBMIT, by=EXPORTER)
    await living.act(Action.SIGN, by=BODY)
    await living.env.sleep(timedelta(days=4))
    await living.act(Action.VERIFY, by=BORDER)
    await living.env.sleep(timedelta(days=30))


async def written_but_the_answer_was_lost(living: Living) -> None:
    """The first attempt wrote and was cut off; the second finds what it wrote."""
    living.paper.failures = ["none", "after"]
    await living.act(Action.SUBMIT, by=EXPORTER)
    await living.act(Action.SIGN, by=BODY)


async def the_paper_away_three_times(living: Living) -> None:
    """Three attempts fail: the order is refused, the process looks at the row, the next order is carried out."""
    living.paper.failures = ["before"] * 3
    with contextlib.suppress(Refused):
        await living.act(Action.SUBMIT, by=EXPORTER)
    await living.act(Action.SUBMIT, by=EXPORTER)


async def a_draft_edited_and_forgotten(living: Living) -> None:
    """Woken by birth and by edits; ninety days later its creator is reminded."""
    for _ in range(3):
        await living.wake()
    await living.env.sleep(timedelta(days=91))


async def a_draft_deleted(living: Living) -> None:
    """The shortest life."""
    await living.act(Action.DELETE, by=EXPORTER)
    await living.env.client.get_workflow_handle(living.id).result()


async def released_in_batches(living: Living) -> None:
    """The border opens the batches; the certificate waits for extracts and does not end."""
    await living.act(Action.SUBMIT, by=EXPORTER)
    await living.act(Action.SIGN, by=BODY)
    await living.act(Action.OPEN_BATCHES, by=BORDER)
    await living.env.sleep(timedelta(days=1))


async def terminated_and_revived_by_an_order(living: Living) -> None:
    """The process is gone; the next order starts it from the row, in the middle of its life."""
    await living.act(Action.SUBMIT, by=EXPORTER)
    await living.act(Action.SIGN, by=BODY)
    await living.env.client.get_workflow_handle(living.id).terminate("by an operator")
    await living.act(Action.VERIFY, by=BORDER)


@asynccontextmanager
async def a_certificate(env: WorkflowEnvironment) -> AsyncIterator[Living]:
    """One draft on paper, and a worker for its process."""
    paper, queue = PaperInMemory(env.get_current_time, await env.get_current_time()), uuid4().hex
    async with worker(env.client, queue, [CertificateLife], activities_of(paper)):
        yield Living(env, paper, Processes(env.client, queue))


@dataclass(frozen=True)
class Stage:
    """Where the stories of one workflow are played: whoever enters gets somebody who knows the process's ``id``."""

    workflow: type
    enter: Callable[[WorkflowEnvironment], AbstractAsyncContextManager[Any]]
    stories: tuple[Callable[[Any], Awaitable[None]], ...]


STAGES: Final = (
    Stage(
        CertificateLife,
        a_certificate,
        (
            from_draft_to_box_21,
            refused_on_the_way,
            the_same_order_told_twice,
            two_actors_for_one_move,
            completion_called_for_three_times,
            a_clock_silenced_in_time,
            written_but_the_answer_was_lost,
            the_paper_away_three_times,
            a_draft_edited_and_forgotten,
            a_draft_deleted,
            released_in_batches,
            terminated_and_revived_by_an_order,
        ),
    ),
    Stage(AccountCreation, a_registration, ACCOUNT_STORIES),
    Stage(AccountLife, an_account, LIFE_STORIES),
    Stage(AccountValidation, a_request, VALIDATION_STORIES),
    Stage(PasswordReset, a_reset, RESET_STORIES),
    Stage(DetailsChange, a_change, CHANGE_STORIES),
    Stage(ExtractLife, an_extract, EXTRACT_STORIES),
    Stage(RoleValidation, role_stories.stage(ROLE_VALIDATION), role_stories.OF_REQUESTS),
    Stage(OperatorValidation, role_stories.stage(OPERATOR_VALIDATION), role_stories.OF_REQUESTS),
    Stage(OperatorLife, role_stories.stage(OPERATOR_LIFE), role_stories.OF_OPERATORS),
)
"""Every workflow has its stage; a new story is a name in a tuple."""
