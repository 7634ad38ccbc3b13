"""Who is told what of questions on a certificate: the step, what was wanted, the letter. The other side is told, alone.

One thing to remember: such a letter repeats the beginning of what was written and leads to the page where one answers.
"""

from dataclasses import dataclass
from typing import Any, Final

from sqlmodel.ext.asyncio.session import AsyncSession

from services.notifications import store
from services.notifications.letters import Notice
from shared.events.base import Event
from shared.events.certificates import QuestionWritten
from shared.kit.bus import Handler
from shared.rules.questions import Ask


@dataclass(frozen=True)
class QuestionLetter:
    """One row: what somebody did, what was asked, the letter."""

    step: str
    kind: Ask
    letter: str
    mail: bool = True


# fmt: off
QUESTION_LETTERS: Final = (
    #              step        what was asked  letter
    QuestionLetter("asked",    Ask.QUESTION,   "question-asked"),
    QuestionLetter("asked",    Ask.CORRECTION, "correction-asked"),
    QuestionLetter("answered", Ask.QUESTION,   "question-answered"),
    QuestionLetter("answered", Ask.CORRECTION, "question-answered"),
    QuestionLetter("settled",  Ask.QUESTION,   "question-settled", mail=False),
    QuestionLetter("settled",  Ask.CORRECTION, "question-settled", mail=False),
)
# fmt: on
ABOUT_QUESTIONS: Final = frozenset(row.letter for row in QUESTION_LETTERS)
"""The letters about questions."""
_LETTER: Final = {(row.step, row.kind): row for row in QUESTION_LETTERS}


def question_notice(event: QuestionWritten) -> Notice:
    """What the other side is told."""
    row = _LETTER[event.step, event.kind]
    facts: dict[str, Any] = {
        "number": event.number,
        "by": event.by,
        "parties": dict(event.parties),
        "ties": sorted(tie for tie, ids in event.parties.items() if event.to in ids),
        "path": f"/certificates/{event.certificate_id}/questions#question-{event.question}",
        "form_model": event.form_model,
        "field": event.field,
        "said": event.text,
    }
    return Notice(event.id, event.at, event.to, row.letter, row.mail, event.certificate_id, facts)


async def tell(session: AsyncSession, event: QuestionWritten) -> None:
    """Tell the other side."""
    await store.tell(session, [question_notice(event)])


HANDLERS: Final[dict[type[Event], Handler]] = {QuestionWritten: tell}
