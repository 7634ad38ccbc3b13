"""A life with one step more than the recorded ones had, for the test that a replay notices. Nothing here ever runs."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from shared.contracts.certificates import Life
    from shared.rules.status import Status

from workflows.certificate_life import CertificateLife


@workflow.defn(name="CertificateLife")
class CertificateLifeWithAPause(CertificateLife):
    """Rests for a minute before it begins, and nobody wrote `patched`."""

    @workflow.init
    def __init__(self, life: Life) -> None:
        super().__init__(life)

    @workflow.run
    async def run(self, life: Life) -> Status:
        await workflow.sleep(60)
        return await super().run(life)
