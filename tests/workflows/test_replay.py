"""Today's code understands yesterday's lives: recorded histories are replayed, and their commands are watched."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Final

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner
from temporalio.workflow import NondeterminismError

from shared.kit.temporal import RUNNER
from tests.workflows import record, shape
from tests.workflows.changed import CertificateLifeWithAPause
from tests.workflows.stories import STAGES
from workflows.certificate_life import CertificateLife

ROOT: Final = Path(__file__).resolve().parents[2]
HISTORIES: Final = [(workflow, file) for workflow, files in record.kept().items() for file in files]


LESSON: Final = """
The commands of {names} are not the ones that were agreed to:

{changes}

Lives that run now replay their whole history under this code. Where it gives other commands than it gave then, the
life stands still with a NondeterminismError, and so does the certificate.

  1. Is the change needed? The length of a timer, a retry policy, a summary and all that activities do may change on any
     day, and the law may: no command depends on it.
  2. If it is: let old lives take the old way.
         if workflow.patched("what-changes-in-three-words"):
             …the new way
         else:
             …the old way, until no life of that time runs any more; then workflow.deprecate_patch(…)
     A new handler needs no patch; one more timer, activity or set of search attributes, or another order of them, does.
  3. Run the replays (tests/workflows/test_replay.py). Add a story to tests/workflows/stories.py that takes the new way,
     and record it: make histories
  4. Agree to the new shape: make histories T=--shape
"""


def replayer() -> Replayer:
    """Replays under today's code, in the sandbox, with the key of the recordings."""
    return Replayer(workflows=shape.classes(), data_converter=record.test_converter(), workflow_runner=RUNNER)


async def misunderstood(replaying: Replayer, histories: Iterable[WorkflowHistory]) -> dict[str, Exception]:
    """What is not understood of these histories, by what they are called; one worker replays them all."""

    async def told() -> AsyncIterator[WorkflowHistory]:
        for each in histories:
            yield each

    async with replaying.workflow_replay_iterator(told()) as results:
        return {each.history.workflow_id: each.replay_failure async for each in results if each.replay_failure}


async def test_every_recorded_life_is_understood() -> None:
    histories = [record.read(file, f"{workflow}/{file.stem}") for workflow, file in HISTORIES]
    assert len(histories) > 30
    assert await misunderstood(replayer(), histories) == {}


def test_every_workflow_and_every_story_has_its_history() -> None:
    of = {stage.workflow.__name__ for stage in STAGES}
    assert {each.__name__ for each in shape.classes()} == of, "each workflow has its row in STAGES"
    told = {f"{stage.workflow.__name__}/{story.__name__}" for stage in STAGES for story in stage.stories}
    kept = {f"{workflow}/{file.stem}" for workflow, file in HISTORIES}
    assert told <= kept, f"make histories: {sorted(told - kept)}"


def test_histories_of_closed_work_stay_as_they_were_recorded() -> None:
    kept = {f"{workflow}/{file.stem}": record.digest(file) for workflow, file in HISTORIES}
    changed = {name for name, digest in record.closed().items() if kept.get(name) != digest}
    assert not changed, f"these stand for lives that run somewhere, restore them: {sorted(changed)}"


def test_histories_hold_no_word_in_clear() -> None:
    for _, file in HISTORIES:
        text = file.read_text()
        assert '"YmluYXJ5L2VuY3J5cHRlZA=="' in text, f"{file.stem} is not encrypted"  # binary/encrypted
        for name in ("Marie", "Curie", "exporter-org", "person-1"):
            assert name not in text, f"{file.stem} says {name}"


async def test_a_life_cut_off_anywhere_is_understood() -> None:
    """A worker may have to take over after any workflow task, not only at the end."""
    parts = []
    for _, file in HISTORIES:
        history = json.loads(file.read_text())
        events = history["events"]
        for place, event in enumerate(events, 1):
            if event["eventType"] == "EVENT_TYPE_WORKFLOW_TASK_COMPLETED" and place < len(events):
                # What a workflow task has commanded is written right behind it: cut after that.
                end = next(
                    (n for n in range(place, len(events)) if events[n]["eventType"] in _COMES_FROM_OUTSIDE), len(events)
                )
                part = json.dumps({"events": events[:end]})
                parts.append(WorkflowHistory.from_json(f"{file.stem} up to {place}", part))
    assert len(parts) > len(HISTORIES)
    assert await misunderstood(replayer(), parts) == {}


_COMES_FROM_OUTSIDE: Final = {
    "EVENT_TYPE_WORKFLOW_TASK_SCHEDULED",
    "EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED",
    "EVENT_TYPE_TIMER_FIRED",
    "EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED",
}


def test_no_handler_asks_the_law() -> None:
    """The same histories replay where the law is empty: so the tables may change on any day without a patch."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.workflows.lawless"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]


def test_the_shape_of_the_workflows_is_the_one_agreed_to() -> None:
    kept, now = shape.kept(), shape.shapes()
    changed = [name for name in sorted(kept.keys() | now.keys()) if kept.get(name) != now.get(name)]
    changes = []
    for name in changed:
        was, has = kept.get(name, {}), now.get(name, {})
        methods = [each for each in sorted(was.keys() | has.keys()) if was.get(each) != has.get(each)]
        changes += [f"  {name}.{each}\n    was: {was.get(each, [])}\n    is:  {has.get(each, [])}" for each in methods]
    assert not changed, LESSON.format(names=", ".join(changed), changes="\n".join(changes))


@pytest.mark.parametrize(
    ("edit", "noticed"),
    [
        (("await workflow.sleep(1)\n        await self.rest()", "await self.rest()"), True),  # a timer gone
        (("A.record", "A.look"), True),  # another activity
        (("timeout=patience", "timeout=longer"), False),  # another length
        (("timeout=patience", ""), True),  # no timer at all
        (("lambda: self.done", "lambda: self.done or self.tired"), False),  # another condition
    ],
)
def test_a_replay_breaking_edit_changes_the_shape(edit: tuple[str, str], noticed: bool) -> None:
    source = """
class Life:
    @workflow.run
    async def run(self):
        await workflow.execute_local_activity_method(A.record, 1, summary="x")
        await workflow.wait_condition(lambda: self.done, timeout=patience)
        await workflow.sleep(1)
        await self.rest()
"""
    assert edit[0] in source
    assert (shape.shape_of(source.replace(*edit)) != shape.shape_of(source)) is noticed


async def test_a_replay_notices_one_step_more() -> None:
    """The net itself is tested: a life with a pause that was not there is not understood."""
    changed = Replayer(
        workflows=[CertificateLifeWithAPause],
        data_converter=record.test_converter(),
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    files = [file for workflow, file in HISTORIES if workflow == CertificateLife.__name__]
    noticed = await misunderstood(changed, [record.read(file, file.stem) for file in files])
    assert noticed.keys() == {file.stem for file in files}
    assert {type(each) for each in noticed.values()} == {NondeterminismError}
