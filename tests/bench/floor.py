"""The floor: a bare workflow with as many updates and local activities as a certificate's life, and nothing else."""

from datetime import timedelta

from temporalio import activity, workflow

UPDATES = 4


@activity.defn
async def touch(number: int) -> int:
    """An activity that does nothing."""
    return number + 1


@workflow.defn
class BareLife:
    """Four updates, each with one local activity."""

    def __init__(self) -> None:
        self.number = 0

    @workflow.run
    async def run(self) -> int:
        await workflow.wait_condition(lambda: self.number >= UPDATES)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self.number

    @workflow.update
    async def step(self, number: int) -> int:
        self.number = await workflow.execute_local_activity(touch, number, start_to_close_timeout=timedelta(seconds=5))
        return self.number
