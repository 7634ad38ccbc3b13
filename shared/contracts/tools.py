"""What portal and identity say to each other when somebody signs in to another tool with his account here.

One thing to remember: the question comes as the browser brought it; identity alone reads it and decides where to go.
"""

from pydantic import Field

from shared.contracts.certificates import View


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
