"""Who is told what of extracts: an event, the letter, and the ties of the extract that bind its recipients.

One thing to remember: a letter about a batch leads to the extract, never to the certificate: its consignee may not open
that one.
"""

from dataclasses import dataclass
from typing import Any, Final

from sqlmodel.ext.asyncio.session import AsyncSession

from services.notifications import store
from services.notifications.letters import Notice
from shared.events.base import Event
from shared.events.certificates import ExtractClockRang, ExtractMoved
from shared.kit.bus import Handler
from shared.rules.permissions import Tie
from shared.rules.status import Action


@dataclass(frozen=True)
class BatchLetter:
    """One row: what happened to an extract, the letter, whom it goes to."""

    what: str
    """The action of a move, or the name of a clock."""
    letter: str
    to: tuple[Tie, ...]
    mail: bool = True


_A, _T = Action, Tie
_BUYER: Final = (_T.IMPORTER, _T.RFL)
_POST: Final = (_T.ENTRY_AUTHORITY,)
_GOAL: Final = (_T.CONSIGNEE,)
_BODY: Final = (_T.ISSUER,)
_NONE: Final[tuple[Tie, ...]] = ()

# fmt: off
BATCH_LETTERS: Final = (
    #           what                        letter                  to
    BatchLetter(_A.EXTRACT,                 "extract-begun",        _BUYER, mail=False),
    BatchLetter(_A.SUBMIT,                  "extract-submitted",    _POST),
    BatchLetter(_A.DELETE,                  "extract-deleted",      _BUYER + _POST),
    BatchLetter(_A.VERIFY,                  "extract-verified",     _GOAL + _BUYER + _BODY),
    BatchLetter(_A.RELEASE_CONVENTIONAL,    "extract-refused",      _BUYER + _GOAL + _BODY),
    BatchLetter(_A.REJECT,                  "extract-refused",      _BUYER + _GOAL + _BODY),
    BatchLetter(_A.RECEIVE,                 "extract-received",     _BUYER + _POST),
    BatchLetter(_A.SIGNAL_IRREGULARITY,     "extract-irregularity", _BODY + _BUYER + _GOAL + (_T.CENTRAL_AUTHORITY,)),
    BatchLetter(_A.CONCLUDE_IRREGULARITY,   "extract-concluded",    _BODY + _BUYER + _GOAL),
    # clocks: whom each tells stands in the event, as the law's table says
    BatchLetter("extract_undecided",        "extract-waiting",      _NONE),
    BatchLetter("extract_reception_first",  "extract-reception",    _NONE),
    BatchLetter("extract_reception_last",   "extract-reception",    _NONE),
    BatchLetter("extract_reception_over",   "extract-reception",    _NONE),
)
# fmt: on
BATCH_LETTER: Final = {row.what: row for row in BATCH_LETTERS}
ABOUT_BATCHES: Final = frozenset(row.letter for row in BATCH_LETTERS)
"""The letters about extracts."""


def batch_notices(event: ExtractMoved | ExtractClockRang) -> list[Notice]:
    """Who is told what of this event: one notice for each organisation at most, none for who did it."""
    rang = isinstance(event, ExtractClockRang)
    row = BATCH_LETTER[event.clock if isinstance(event, ExtractClockRang) else event.action.value]
    by = "" if isinstance(event, ExtractClockRang) else event.by
    named = event.concerns if isinstance(event, ExtractClockRang) else []
    named = named or [each for tie in row.to for each in event.parties.get(tie, [])]
    facts: dict[str, Any] = {
        "number": event.number,
        "by": by,
        "parties": dict(event.parties),
        "path": f"/extracts/{event.extract_id}",
        "reason": None if isinstance(event, ExtractClockRang) else event.reason,
        "clock": event.clock if isinstance(event, ExtractClockRang) else "",
    }
    told = [each for each in dict.fromkeys(named) if each != by]
    return [
        Notice(event.id, event.at, each, row.letter, rang or row.mail, None, facts | {"ties": _ties(event, each)})
        for each in told
    ]


def _ties(event: ExtractMoved | ExtractClockRang, organisation: str) -> list[str]:
    return sorted(tie for tie, ids in event.parties.items() if organisation in ids)


async def tell(session: AsyncSession, event: ExtractMoved | ExtractClockRang) -> None:
    """Tell everybody BATCH_LETTERS names for this event."""
    await store.tell(session, batch_notices(event))


HANDLERS: Final[dict[type[Event], Handler]] = {ExtractMoved: tell, ExtractClockRang: tell}
