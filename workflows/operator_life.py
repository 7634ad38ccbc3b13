"""The life of one operator: its activities end on their dates, and its standing is changed by whoever answers for it.

It warns thirty and seven days before an activity ends, lets it expire on its date, and takes the instructions to
suspend, reinstate, close or merge.
"""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from shared.contracts.directory import DirectoryActivities, Instruction, Note, Rung, Standing
    from shared.rules.requests import STANDING_MOVES, move
    from workflows.pen import Paper, Pen


@workflow.defn
class OperatorLife(Pen):
    paper = Paper(
        DirectoryActivities.record_standing,
        DirectoryActivities.look_standing,
        DirectoryActivities.ring_standing,
        Instruction,
        Note,
        Rung,
    )
    nobody = "nobody"

    @workflow.init
    def __init__(self, standing: Standing) -> None:
        super().__init__(standing, unsure=standing.revision == 0)

    @workflow.run
    async def run(self, standing: Standing) -> str:
        return await self.live()

    def gate(self, order: Instruction) -> None:
        move(STANDING_MOVES, order.action, self.memory.status)
