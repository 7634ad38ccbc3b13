"""A fresh proof of the person before he signs: asked for in the form itself, so that nothing typed is lost.

One thing to remember: the page only asks; whether a proof is fresh enough the law says, when the order is written.
"""

import json
from datetime import timedelta
from typing import Any, Final

from services.portal import forms, words
from services.portal.visitor import House, Visitor
from shared.contracts.identity import Proof
from shared.rules.deadlines import PROOF_LIFETIME
from shared.rules.proofs import WITHIN
from shared.rules.refusals import REFUSALS
from shared.rules.status import Action

TROUBLES: Final = ("proof_needed", "bad_credentials", "wrong_code")
"""What a service says when a proof is missing, too old or wrong."""
TO_READ: Final = timedelta(minutes=2)
"""A proof that ends while the reader reads the page is asked for at once."""
_ASKS: Final = next(row.says for row in REFUSALS if row.code == "proof_needed")


async def asked(house: House, visitor: Visitor, action: Action | None = None, said: str = "") -> dict[str, Any]:
    """What ``proof.html`` shows: nothing where the last proof will do, otherwise what is said and what is asked.

    ``said`` is a service's own word; without an action the page is one that asks for a proof by itself.
    """
    within = WITHIN.get(action) if action else PROOF_LIFETIME
    if not said and within is not None:
        fresh = visitor.proved_at is not None and house.clock() + TO_READ - visitor.proved_at <= within
        said = "" if fresh else words.law(_ASKS)
    question = await house.clients.factors.question(visitor.session) if said and "passkey" in visitor.ways else None
    return {"proof": said, "question": question}


async def proved(house: House, visitor: Visitor, typed: Any) -> Visitor:
    """The visitor, who has proved himself anew if he typed a proof."""
    said = Proof(password=forms.raw(typed, "password"), code=forms.text(typed, "code")[:40], passkey=passkey_in(typed))
    if not (said.password or said.code or said.passkey):
        return visitor
    await house.clients.identity.prove(visitor.session, said)
    house.doorkeeper.forget(visitor.session)
    again = await house.doorkeeper.visitor(visitor.session, visitor.caller.organisation_id or "")
    return again or visitor


def passkey_in(typed: Any) -> dict[str, Any] | None:
    """What the browser's passkey answered, if it did."""
    try:
        said = json.loads(forms.text(typed, "passkey")[:10_000])
    except ValueError:
        return None
    return said if isinstance(said, dict) else None
