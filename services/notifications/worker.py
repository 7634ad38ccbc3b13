"""Wiring of the background work: listeners, the mailer, and the letters processes order."""

from contextlib import AbstractAsyncContextManager

from services.notifications.activities import Letters
from services.notifications.events import HANDLERS
from services.notifications.mailer import Mailer
from shared.kit.process import Surroundings, background
from shared.kit.temporal import activities_of


def working(around: Surroundings) -> AbstractAsyncContextManager[None]:
    """Everything this service does without being asked over HTTP."""
    return background(
        around,
        handlers=HANDLERS,
        activities=activities_of(Letters(around)),
        chores=(Mailer(around).run,),
    )
