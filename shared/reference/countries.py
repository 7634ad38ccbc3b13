"""Countries: ISO 3166-1 alpha-2, with XI (Northern Ireland) and XK (Kosovo).

The one thing to remember: organic goods of a third country need a certificate of inspection, those of the Union, the
European Economic Area and Switzerland do not (guide 002 §1).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from shared.reference.table import Named, read


@dataclass(frozen=True, slots=True)
class Country(Named):
    """A country; `membership` is EU, EEA, CH, XI or nothing."""

    membership: str

    @property
    def in_union(self) -> bool:
        """A member state, or Northern Ireland, whose goods follow Union law."""
        return self.membership in ("EU", "XI")

    @property
    def is_third_country(self) -> bool:
        """Whether its organic goods need a certificate of inspection."""
        return not self.membership


@cache
def countries() -> Mapping[str, Country]:
    """All countries by code."""
    return {
        row["code"]: Country(row["code"], row["name_en"], row["name_fr"], row["membership"])
        for row in read("countries.csv")
    }
