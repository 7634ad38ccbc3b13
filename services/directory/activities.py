"""The directory service, as the workflows see it."""

from collections.abc import Callable
from datetime import datetime

from services.directory import proposals, roles, standing
from shared.contracts.directory import DirectoryActivities, Note, Noted, Rung, Standing
from shared.kit import clock
from shared.kit.db import Database


class Activities(DirectoryActivities):
    """Fulfils the contract: one transaction each."""

    def __init__(self, database: Database, now: Callable[[], datetime] = clock.now) -> None:
        self.database, self.now = database, now

    async def record_role(self, note: Note) -> Noted:
        async with self.database.transaction() as session:
            return await roles.record(session, note, self.now())

    async def look_role(self, role_id: str) -> Standing:
        async with self.database.transaction() as session:
            return await roles.look(session, role_id, self.now())

    async def ring_role(self, rung: Rung) -> Standing:
        async with self.database.transaction() as session:
            return await roles.ring(session, rung, self.now())

    async def record_proposal(self, note: Note) -> Noted:
        async with self.database.transaction() as session:
            return await proposals.record(session, note, self.now())

    async def look_proposal(self, proposal_id: str) -> Standing:
        async with self.database.transaction() as session:
            return await proposals.look(session, proposal_id, self.now())

    async def ring_proposal(self, rung: Rung) -> Standing:
        async with self.database.transaction() as session:
            return await proposals.ring(session, rung, self.now())

    async def record_standing(self, note: Note) -> Noted:
        async with self.database.transaction() as session:
            return await standing.record(session, note, self.now())

    async def look_standing(self, organisation_id: str) -> Standing:
        async with self.database.transaction() as session:
            return await standing.look(session, organisation_id, self.now())

    async def ring_standing(self, rung: Rung) -> Standing:
        async with self.database.transaction() as session:
            return await standing.ring(session, rung, self.now())
