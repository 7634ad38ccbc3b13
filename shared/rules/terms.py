"""How long links, passwords, accounts and entries in the registers stay as they are, and how often one may be wrong.

One thing to remember: a row is what the law foresees. Whoever needs a length asks `shared/rules/lengths.py`, which knows
what this installation has set.
"""

from dataclasses import dataclass
from typing import Final

from shared.rules.deadlines import Length, days, hours, minutes, months, times


@dataclass(frozen=True)
class Term:
    """One row: so long, or so often, and what it is for in one English sentence."""

    name: str
    number: str
    """D1: the row's name in our documents."""
    after: Length
    what: str


# fmt: off
TERMS: Final = (
    #    name                        no.   length       what for
    Term("link",                     "D1", minutes(90), "To click a link that sets a password or confirms new details (guides 000, 001, 002)."),
    Term("link_form",                "D1", minutes(15), "To fill in the form such a link has opened."),
    Term("registration",             "D2", days(7),     "To complete a registration before it is forgotten."),
    Term("confirmation_reminder",    "D3", days(2),     "To confirm a classic registration, before a second letter goes out."),
    Term("confirmation",             "D3", days(7),     "To confirm a classic registration before it is forgotten."),
    Term("request_kept",             "D3", days(30),    "A classic registration refused or expired stays for the authority to see."),
    Term("wrong_passwords",          "D5", times(5),    "Wrong passwords in a row that block an account (guides 003, 004)."),
    Term("inactivity",               "D6", months(3),   "Without signing in, until the account is blocked (guides 003, 004)."),
    Term("inactivity_first_warning", "D6", days(-14),   "Its owner is warned."),
    Term("inactivity_last_warning",  "D6", days(-3),    "Its owner is warned for the last time."),
    Term("temporary_password",       "D7", hours(24),   "To sign in with a temporary password (guide 004)."),
    Term("record_first_warning",     "D9", days(-30),   "The operator and who certifies him are warned of an activity's end."),
    Term("record_last_warning",      "D9", days(-7),    "They are warned for the last time."),
)
# fmt: on
