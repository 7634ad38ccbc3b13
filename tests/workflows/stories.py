"""The lives whose histories are kept: each is told once under moved time, recorded, and replayed for ever after.

One thing to remember: a story is told by `python -m tests.workflows.record`; what stands in `histories/` is what the
code of that day did, and today's code must still understand it.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from shared.rules.refusals import Refused
from shared.rules.status import Action
from tests.fakes.paper import BODY, BORDER, CONSIGNEE, EXPORTER, STRANGER
from tests.workflows.conftest import Living

Story = Callable[[Living], Awaitable[None]]


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


_STORIES: Final[tuple[Story, ...]] = (
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
)
STORIES: Final[dict[str, dict[str, Story]]] = {"CertificateLife": {each.__name__: each for each in _STORIES}}
"""Workflow -> the name of a history -> the story it tells."""
