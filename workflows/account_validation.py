"""The classic registration: a letter to confirm, then the competent authority decides (guides 003, 004).

Nobody has an account before his authority has activated it. The paper knows who is competent; clocks remind, tell the
authority above, and in the end let the request expire. Silence never activates.
"""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from shared.contracts.identity import Course, Kind, Step
    from workflows.errand import Errand


@workflow.defn
class AccountValidation(Errand):
    kind = Kind.VALIDATION

    @workflow.init
    def __init__(self, course: Course) -> None:
        super().__init__(course)

    @workflow.run
    async def run(self, course: Course) -> str:
        return await self.go()

    @workflow.update
    async def confirm(self, step: Step) -> Course:
        """The person at the address answers the letter: the request is his, or it is not."""
        return await self.record(step)

    @confirm.validator
    def refuse_late_clicks(self, step: Step) -> None:
        self.refuse_if_late(step)

    @workflow.update
    async def decide(self, step: Step) -> Course:
        """The competent authority activates the account or refuses the request."""
        return await self.record(step)
