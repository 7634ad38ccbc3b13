"""A fresh proof of the person before he signs: asked for in the form itself, so that nothing typed is lost.

One thing to remember: the page only asks; whether a proof is fresh enough the law says, when the order is written.
"""

from datetime import timedelta
from typing import Any, Final

from services.portal import forms, words
from services.portal.visitor import House, Visitor
from shared.contracts.identity import Proof
from shared.rules.proofs import is_fresh
from shared.rules.refusals import REFUSALS
from shared.rules.status import Action

TO_READ: Final = timedelta(minutes=2)
"""A proof that ends while the reader reads the page is asked for at once."""
_ASKS: Final = next(row.says for row in REFUSALS if row.code == "proof_needed")


def asked(house: House, visitor: Visitor, action: Action) -> str:
    """What is said where a signature will need another proof; nothing where the last one will do."""
    return "" if is_fresh(action, visitor.proved_at, house.clock() + TO_READ) else words.law(_ASKS)


async def proved(house: House, visitor: Visitor, typed: Any) -> Visitor:
    """The visitor, who has proved himself anew if he typed a proof."""
    said = Proof(password=forms.raw(typed, "password"))
    if not said.password:
        return visitor
    await house.clients.identity.prove(visitor.session, said)
    house.doorkeeper.forget(visitor.session)
    again = await house.doorkeeper.visitor(visitor.session, visitor.caller.organisation_id or "")
    return again or visitor
