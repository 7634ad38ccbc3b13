"""The life of one proposal: a new operator, or a change of one, that awaits an authority or a control body.

What is in force stays in force until it is decided; the decision brings the proposal into force, on paper, in one
transaction. Clocks remind, tell the authority above, and in the end let the proposal lapse: silence never grants.
"""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from shared.contracts.directory import DirectoryActivities, Instruction, Note, Rung, Standing
    from shared.rules.requests import REQUEST_MOVES, move
    from workflows.pen import Paper, Pen


@workflow.defn
class OperatorValidation(Pen):
    paper = Paper(
        DirectoryActivities.record_proposal,
        DirectoryActivities.look_proposal,
        DirectoryActivities.ring_proposal,
        Instruction,
        Note,
        Rung,
    )
    nobody = "the applicant, or nobody"

    @workflow.init
    def __init__(self, standing: Standing) -> None:
        super().__init__(standing, unsure=standing.revision == 0)

    @workflow.run
    async def run(self, standing: Standing) -> str:
        return await self.live()

    def gate(self, order: Instruction) -> None:
        move(REQUEST_MOVES, order.action, self.memory.status)
