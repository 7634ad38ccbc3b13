"""How long processes try, and how long their histories grow; the same for all of them."""

from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.common import RetryPolicy

LONG: Final = 2_000
"""A history of this length is folded before the engine asks for it: an answer then never meets a closing run."""


# schedule_to_close is not honoured during the back-off of a local activity: leave it out.
def for_a_person(summary: str) -> workflow.LocalActivityConfig:
    """Somebody waits for the answer: three attempts, then the page is told."""
    return workflow.LocalActivityConfig(
        start_to_close_timeout=timedelta(seconds=5), retry_policy=RetryPolicy(maximum_attempts=3), summary=summary
    )


def until_done(summary: str) -> workflow.LocalActivityConfig:
    """Nobody waits for a look or a ring, and a failure there would end the process: no limit."""
    return workflow.LocalActivityConfig(
        start_to_close_timeout=timedelta(seconds=5),
        retry_policy=RetryPolicy(maximum_interval=timedelta(seconds=10)),
        summary=summary,
    )


def is_long() -> bool:
    """Whether the history had better be folded now."""
    info = workflow.info()
    return info.is_continue_as_new_suggested() or info.get_current_history_length() > LONG
