"""May this be done, now, by these? The question every order is asked: at the gate and again on paper.

One thing to remember: whoever may not see the certificate hears `not_found`, whatever he asks for.
"""

from collections.abc import Mapping
from typing import Any

from shared.rules.content import changed, covers
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


def refuse_unless_editable(
    before: Mapping[str, Any], changes: Mapping[str, Any], status: Status, ties: frozenset[Tie], submitted: bool = True
) -> frozenset[str]:
    """Refuse changes beyond the boxes, or the parts of boxes, these may edit now; tell which fields really change."""
    refuse_unless_lawful(Action.AMEND, status, ties, submitted)
    may, touched = allowed(status, ties, submitted), changed(before, changes)
    forbidden = sorted(field for field in touched if not covers(may.edit, field))
    if forbidden:
        raise Refused("not_permitted", field=forbidden[0], fields=forbidden)
    return touched
