"""An account after its activation: nobody signs in for three months, two warnings, and it is blocked.

A sign-in wakes nobody: when a clock rings, the paper looks when the person signed in last, and often there is nothing
but a new clock. A blocked account has no clock; the process ends, and the next password starts it again.
"""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from shared.contracts.identity import Course, Kind
    from workflows.errand import Errand


@workflow.defn
class AccountLife(Errand):
    kind = Kind.LIFE

    @workflow.init
    def __init__(self, course: Course) -> None:
        super().__init__(course)

    @workflow.run
    async def run(self, course: Course) -> str:
        return await self.go()
