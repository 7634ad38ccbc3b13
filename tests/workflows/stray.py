"""Workflows that reach out of the sandbox by mistake, for the test that they are refused. Nothing here ever runs."""

import sqlmodel
from temporalio import workflow


@workflow.defn
class StrayImport:
    """Imports a library that is neither law nor contract."""

    @workflow.run
    async def run(self) -> str:
        return str(sqlmodel)
