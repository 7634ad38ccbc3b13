"""The secret questions of the classic registration form, all of the list the guides show (guides 003, 004).

One thing to remember: the answer is compared exactly as it was typed, and nobody but its owner ever reads it.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class SecretQuestion:
    """One question: its code, and the sentence that asks it."""

    code: str
    says: str


# fmt: off
SECRET_QUESTIONS: Final = (
    SecretQuestion("spouse",           "Where did you meet your wife or husband?"),
    SecretQuestion("grandparent",      "What does your grandfather or grandmother do?"),
    SecretQuestion("preferred_pet",    "Which pet do you prefer?"),
    SecretQuestion("middle_name",      "What is the middle name of your mother or father?"),
    SecretQuestion("birthplace",       "Where was your mother born?"),
    SecretQuestion("childhood_friend", "What is the name of your favourite childhood friend?"),
    SecretQuestion("pet_name",         "What is the name of your pet?"),
    SecretQuestion("first_school",     "What is the name of your first school?"),
    SecretQuestion("band",             "Which band is your favourite?"),
    SecretQuestion("hero",             "Who is your favourite hero?"),
    SecretQuestion("hobby",            "What is your favourite hobby?"),
    SecretQuestion("historical",       "Who is your favourite historical figure?"),
    SecretQuestion("team",             "Which sports team do you prefer?"),
    SecretQuestion("first_car",        "What was the make of your first car or of your first motorcycle?"),
)
# fmt: on
"""In the order of the guides; the picture there cuts the last one off after "or of your first"."""
QUESTION_CODES: Final = frozenset(row.code for row in SECRET_QUESTIONS)
