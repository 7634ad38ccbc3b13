"""Replays every recorded history in a process where the law is empty: no move, no permission, no clock, no box.

`python -m tests.workflows.lawless`. Whatever a handler asked of the law, it would hear another answer here than on the
day of the recording, and the replay would fail. A process of its own, because the law of the tests must stay whole.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from typing import Any

from shared.rules import boxes, deadlines, permissions, status, verdict
from shared.rules.permissions import Tie
from shared.rules.refusals import Refused
from shared.rules.status import Action, Status


def abolish() -> None:
    """Empty the tables, and make sure that nothing is lawful any more."""
    for module, table in ((status, "MOVES"), (permissions, "MATRIX"), (deadlines, "CLOCKS"), (boxes, "BOXES")):
        setattr(module, table, type(getattr(module, table))())
    try:
        verdict.refuse_unless_lawful(Action.SUBMIT, Status.DRAFT, frozenset({Tie.CREATOR, Tie.EXPORTER}))
    except Refused:
        return
    raise AssertionError("the law still answers: these tables are not the ones it reads")


async def replay_all() -> dict[str, Any]:
    """Every history under today's code; which failed, and how."""
    from temporalio.worker import Replayer

    from shared.kit.temporal import RUNNER
    from tests.workflows import record, shape

    replayer = Replayer(workflows=shape.classes(), data_converter=record.test_converter(), workflow_runner=RUNNER)

    async def told() -> AsyncIterator[Any]:
        for workflow, files in record.kept().items():
            for file in files:
                yield record.read(file, f"{workflow}/{file.stem}")

    async with replayer.workflow_replay_iterator(told()) as results:
        return {each.history.workflow_id: each.replay_failure async for each in results if each.replay_failure}


if __name__ == "__main__":
    abolish()
    failures = asyncio.run(replay_all())
    for name, failure in failures.items():
        print(f"{name}: {failure}")
    sys.stdout.flush()
    os._exit(1 if failures else 0)  # the engine's library may crash while Python shuts down, after the work is done
