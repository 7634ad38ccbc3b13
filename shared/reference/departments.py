"""French departments: whose postal codes begin how, and which authority is competent there (guides 003, 004).

The one thing to remember: the authority stands here by its code in the directory; whether there is such an
organisation, and who works there, only the directory knows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from shared.reference.table import Named, read


@dataclass(frozen=True, slots=True)
class Department(Named):
    """A department; `authority` is the code of its DD(CS)PP in the directory."""

    postal: tuple[str, ...]
    authority: str


@cache
def departments() -> Mapping[str, Department]:
    """All departments by code."""
    return {
        row["code"]: Department(
            row["code"], row["name_en"], row["name_fr"], tuple(row["postal"].split()), row["authority"]
        )
        for row in read("departments.csv")
    }


def department_of(postal_code: str) -> Department | None:
    """The department of a French postal code; None when it has not five digits or begins like none of them."""
    digits = postal_code.replace(" ", "")
    if len(digits) != 5 or not (digits.isascii() and digits.isdigit()):
        return None
    return next((each for each in departments().values() if digits.startswith(each.postal)), None)
