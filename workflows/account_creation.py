"""The creation of an account: a letter with a link, ninety minutes to click it, a password: a person can sign in."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from shared.contracts.identity import Course, Kind, Step
    from workflows.errand import Errand


@workflow.defn
class AccountCreation(Errand):
    kind = Kind.CREATION

    @workflow.init
    def __init__(self, course: Course) -> None:
        super().__init__(course)

    @workflow.run
    async def run(self, course: Course) -> str:
        return await self.go()

    @workflow.update
    async def confirm(self, step: Step) -> Course:
        """The person has chosen his password: the account comes to life, once."""
        return await self.record(step)

    @confirm.validator
    def refuse_late_clicks(self, step: Step) -> None:
        self.refuse_if_late(step)
