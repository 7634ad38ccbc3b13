"""May this be done, now, by these? The question every order is asked: at the gate and again on paper.

One thing to remember: whoever may not see the certificate hears `not_found`, whatever he asks for.
"""

from shared.rules.permissions import Tie, allowed, may_see
from shared.rules.refusals import Refused
from shared.rules.status import Action, Status, is_offered, moves


def refuse_unless_lawful(action: Action, status: Status, ties: frozenset[Tie], submitted: bool = True) -> None:
    """Refuse an action that this status, this organisation or the present state of the house does not allow."""
    if not may_see(status, ties, submitted):
        raise Refused("not_found")
    if not moves(status, action):
        raise Refused("wrong_status", action=action, status=status)
    if action not in allowed(status, ties, submitted).do:
        raise Refused("not_permitted", action=action, status=status)
    if not is_offered(status, action):
        raise Refused("not_offered_yet", action=action, status=status)
