"""Which orders ask for a fresh proof of the person: whoever signs has just shown that it is he who sits there.

One thing to remember: an order that seals a box is a row here; whatever he signed in with an hour ago is no signature.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.rules.deadlines import PROOF_LIFETIME
from shared.rules.refusals import Refused
from shared.rules.status import Action


@dataclass(frozen=True)
class AsksProof:
    """One row: this order, on a certificate or an extract, and how long ago the person may have proved himself."""

    action: Action
    within: timedelta


_A = Action

# fmt: off
PROOFS: Final = (
    #         action                      within
    AsksProof(_A.SIGN,                    PROOF_LIFETIME),
    AsksProof(_A.START_CUSTOMS_PROCEDURE, PROOF_LIFETIME),
    AsksProof(_A.VERIFY,                  PROOF_LIFETIME),
    AsksProof(_A.OPEN_BATCHES,            PROOF_LIFETIME),
    AsksProof(_A.RELEASE_CONVENTIONAL,    PROOF_LIFETIME),
    AsksProof(_A.REJECT,                  PROOF_LIFETIME),
    AsksProof(_A.RECEIVE,                 PROOF_LIFETIME),
)
# fmt: on
WITHIN: Final = {row.action: row.within for row in PROOFS}


def is_fresh(action: Action, proved_at: datetime | None, at: datetime) -> bool:
    """Whether the person has proved himself recently enough for this order."""
    within = WITHIN.get(action)
    return within is None or (proved_at is not None and at - proved_at <= within)


def refuse_unless_fresh(action: Action, proved_at: datetime | None, at: datetime) -> None:
    """Refuse ``proof_needed`` where the order asks for a proof and the last one is too old."""
    if not is_fresh(action, proved_at, at):
        raise Refused("proof_needed")
