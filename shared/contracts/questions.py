"""What is asked and answered about a certificate between two of its parties."""

from datetime import datetime

from pydantic import Field

from shared.contracts.certificate_views import View
from shared.contracts.documents import FileView
from shared.rules.questions import LONGEST, Ask


class NewQuestion(View):
    """A question to one of the parties, about a named box or about the whole; a correction always names its box."""

    kind: Ask = Ask.QUESTION
    field: str | None = Field(default=None, max_length=60)
    asked_of: str
    text: str = Field(max_length=LONGEST)
    upload: str | None = None
    """The id of a file sent before."""


class NewMessage(View):
    """An answer, or one more word to a question."""

    text: str = Field(max_length=LONGEST)
    upload: str | None = None


class MessageView(View):
    """One message of a question: the first asks."""

    number: int
    at: datetime
    person: str
    organisation_id: str
    organisation: str
    text: str
    file: FileView | None = None


class QuestionView(View):
    """A question with all that was written to it."""

    id: str
    number: int
    kind: Ask
    field: str | None
    asked_by: str
    asked_by_name: str
    asked_of: str
    asked_of_name: str
    at: datetime
    settled_at: datetime | None = None
    waits_for: str | None = None
    """The organisation whose turn it is; None once it is settled."""
    messages: list[MessageView]
    may_write: bool = False
    may_settle: bool = False


class AskableView(View):
    """Something that may be asked of somebody."""

    kind: Ask
    organisation_id: str
    organisation: str


class QuestionsView(View):
    """The questions of a certificate, newest first, for its parties."""

    items: list[QuestionView]
    may_ask: list[AskableView]
