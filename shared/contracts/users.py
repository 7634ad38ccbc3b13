"""Classic accounts on the wire: the registration form, its confirmation, and the users an authority looks after.

One thing to remember: an address is never changed here, a password and an answer are never shown.
"""

from datetime import datetime

from pydantic import Field

from shared.contracts.certificate_views import View
from shared.contracts.identity import Opened


class Establishment(View):
    """The organisation block of the classic form."""

    name: str = Field(default="", max_length=400)
    address: str = Field(default="", max_length=400)
    postal_code: str = Field(default="", max_length=40)
    city: str = Field(default="", max_length=200)
    country: str = Field(default="", max_length=8)
    organisation_id: str | None = Field(default=None, max_length=36)
    """Where it was picked from the directory."""


class Reach(View):
    """How a user is reached, and what he wants to add."""

    phone: str = Field(default="", max_length=100)
    fax: str = Field(default="", max_length=100)
    information: str = Field(default="", max_length=4000)


class ClassicRegistration(View):
    """The form [Enregistrer un nouveau compte d'utilisateur] (guides 003, 004)."""

    email: str = Field(max_length=400)
    password: str = Field(max_length=1024)
    password_again: str = Field(max_length=1024)
    question: str = Field(max_length=30)
    answer: str = Field(max_length=400)
    organisation: Establishment
    first_name: str = Field(max_length=400)
    last_name: str = Field(max_length=400)
    language: str = Field(max_length=8)
    html: bool = True
    reach: Reach = Reach()
    privacy: bool
    proof: str = Field(max_length=8000)


class ClassicTaken(View):
    """A classic request was taken: the same for a known and an unknown address."""

    id: str
    days: int
    """How long the link in the letter is good."""


class AuthorityView(View):
    """Who validates a request."""

    id: str
    name: str
    code: str | None = None
    address: str = ""
    contacts: list[dict[str, str]] = Field(default_factory=list)
    """How it is reached, where the directory could be asked."""


class Asked(Opened):
    """The link of a confirmation request was opened: what is to be confirmed."""

    organisation: Establishment
    authority: AuthorityView | None = None


class Answered(View):
    """Whether a request is confirmed, or was none of the person's who got the letter."""

    form: str = Field(max_length=400)
    mine: bool = True


class Confirmed(View):
    """How a request stands after the letter was answered."""

    state: str
    authority: AuthorityView | None = None


class TemporarySignIn(View):
    """A sign-in with the temporary password of a letter."""

    email: str = Field(max_length=400)
    password: str = Field(max_length=40)


class OwnPasswordForm(Opened):
    """A temporary password was right: the user's own one is to be chosen at once."""

    asks: str
    """``answer`` to the secret question, a ``new`` question with its answer, or ``none`` of this."""


class OwnPassword(View):
    """A password in the place of a temporary one, with the secret question."""

    form: str = Field(max_length=400)
    password: str = Field(max_length=1024)
    password_again: str = Field(max_length=1024)
    question: str = Field(default="", max_length=30)
    answer: str = Field(default="", max_length=400)


class UserRow(View):
    """One user as a list shows him."""

    id: str
    revision: int
    status: str
    """NEW, CONFIRMED, VALID, BLOCKED, REFUSED, EXPIRED, DELETED."""
    first_name: str
    last_name: str
    email: str
    organisation: Establishment
    since: datetime
    due_at: datetime | None = None
    """Until when a confirmed request is to be answered."""
    late: bool = False
    may: list[str] = Field(default_factory=list)


class UserLine(View):
    """One line of a user's journal."""

    at: datetime
    action: str
    person: str = ""
    organisation: str = ""
    reason: str = ""


class UserView(UserRow):
    """One user, opened."""

    language: str
    html: bool
    reach: Reach
    question: str | None = None
    authority: AuthorityView | None = None
    signed_in_at: datetime | None = None
    block_reason: str | None = None
    lines: list[UserLine] = Field(default_factory=list)
    keeps_question: bool = False
    """Whether his secret question stays when his password is reset."""
    foreign: bool = False
    """Whether the reader is a platform administrator, who sees no more than he needs."""


class UserPage(View):
    """One page of users; ``next`` is the cursor of the following one."""

    items: list[UserRow]
    next: str | None = None
    waiting: int = 0
    """How many confirmed requests wait for the authority."""


class UserEdit(View):
    """Corrections to a user; what is not given stays."""

    revision: int
    first_name: str = Field(max_length=400)
    last_name: str = Field(max_length=400)
    language: str = Field(max_length=8)
    html: bool
    organisation: Establishment
    reach: Reach


class UserStep(View):
    """One decision about a user."""

    action: str = Field(max_length=30)
    revision: int
    reason: str = Field(default="", max_length=2000)


class ChosenUser(View):
    """One ticked user and what was seen of him."""

    id: str = Field(max_length=36)
    revision: int


class UserSteps(View):
    """The same decision about several users."""

    action: str = Field(max_length=30)
    reason: str = Field(default="", max_length=2000)
    chosen: list[ChosenUser] = Field(min_length=1, max_length=100)


class UserResult(View):
    """What came of one of several decisions."""

    id: str
    code: str = ""
    """Empty when it was carried out; otherwise why not."""
    message: str = ""


class NewQuestion(View):
    """A new secret question, set by a platform administrator on request."""

    revision: int
    question: str = Field(max_length=30)
    answer: str = Field(max_length=400)
    reason: str = Field(default="", max_length=2000)
