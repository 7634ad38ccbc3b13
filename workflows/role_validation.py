"""The life of one person's role in one organisation: asked for, decided by somebody else, suspended, ended.

While a request awaits its decision, clocks remind, tell the authority above, and in the end let it expire: silence
never grants.
"""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from shared.contracts.directory import DirectoryActivities, Instruction, Note, Rung, Standing
    from shared.rules.requests import ROLE_MOVES, move
    from workflows.pen import Paper, Pen


@workflow.defn
class RoleValidation(Pen):
    paper = Paper(
        DirectoryActivities.record_role,
        DirectoryActivities.look_role,
        DirectoryActivities.ring_role,
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
        move(ROLE_MOVES, order.action, self.memory.status)
