"""What portal and identity say to each other when somebody signs in to another tool with his account here, or here
with his account of another installation.

One thing to remember: the question comes as the browser brought it; identity alone reads it and decides where to go.
"""

from pydantic import Field

from shared.contracts.certificate_views import View


class ToolQuestion(View):
    """An authorization request, word for word, and what its person said to it, if he was asked."""

    query: str = Field(max_length=8000)
    consent: bool | None = None


class ToolAnswer(View):
    """What is to happen now: go back to the tool, sign in first, prove oneself, or say yes or no."""

    tool: str = ""
    """The tool's name, for the page that asks."""
    asks: list[str] = []
    """What it would learn: the scopes."""
    location: str = ""
    """Where the browser goes, with a code or with a reason why not; empty while something is missing."""
    sign_in: bool = False
    prove: bool = False


class HomeWish(View):
    """Somebody signs in with his account of another installation, or proves himself there once more."""

    again: bool = False


class HomeDoor(View):
    """Where his browser goes, and the ticket it brings back."""

    location: str
    ticket: str


class HomeReturn(View):
    """With what it comes back: its ticket, and what the other installation wrote into the address."""

    ticket: str = Field(max_length=400)
    said: dict[str, str]
    device: str | None = Field(default=None, max_length=200)
    agent: str = Field(default="", max_length=400)
