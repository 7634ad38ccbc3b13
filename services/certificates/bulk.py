"""Many drafts in one call: each in a transaction of its own, made or refused by itself.

One thing to remember: the key of the call and a draft's place in it are the draft's own key, so a call that is told
again makes nothing twice.
"""

from datetime import datetime
from uuid import NAMESPACE_OID, uuid5

from services.certificates import store
from shared.contracts.machines import DraftResult, DraftResults, NewCertificates
from shared.kit.db import Database
from shared.kit.http import problem_body
from shared.rules.actor import Actor
from shared.rules.refusals import Refused


async def create(
    database: Database, actor: Actor, new: NewCertificates, key: str, now: datetime, language: str
) -> DraftResults:
    """Make every draft that can be made; a result for each."""
    results = []
    for index, draft in enumerate(new.drafts):
        own = uuid5(NAMESPACE_OID, f"{key} {index}").hex
        try:
            async with database.transaction() as session:
                row = await store.create(session, actor, draft, own, now)
            results.append(DraftResult(index=index, status="created", id=row.id, revision=row.revision))
        except Refused as refusal:
            results.append(DraftResult(index=index, status="refused", problem=problem_body(refusal, language)))
    created = sum(each.status == "created" for each in results)
    return DraftResults(created=created, refused=len(results) - created, results=results)
