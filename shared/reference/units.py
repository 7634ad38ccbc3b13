"""Units of measure (UN/ECE Recommendation 20) and package types (UN/ECE Recommendation 21).

The one thing to remember: weights are kept as typed, with their unit; `in_base` compares two of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Final

from shared.reference.table import Named, read

DEFAULT_UNIT: Final = "KGM"


@dataclass(frozen=True, slots=True)
class Unit(Named):
    """A unit; `factor` leads to kilogram, litre or piece, by `kind` (mass, volume, count)."""

    symbol: str
    kind: str
    factor: Decimal


@dataclass(frozen=True, slots=True)
class PackageType(Named):
    """A package type; goods in `bulk` have no number of packages."""

    bulk: bool


@cache
def units() -> Mapping[str, Unit]:
    """All units by code, the default first."""
    return {
        row["code"]: Unit(
            row["code"], row["name_en"], row["name_fr"], row["symbol"], row["kind"], Decimal(row["factor"])
        )
        for row in read("units.csv")
    }


@cache
def package_types() -> Mapping[str, PackageType]:
    """All package types by code."""
    return {
        row["code"]: PackageType(row["code"], row["name_en"], row["name_fr"], row["bulk"] == "1")
        for row in read("package_types.csv")
    }


def in_base(value: Decimal, unit: str) -> tuple[Decimal, str]:
    """The value in kilogram, litre or piece, and which of mass, volume, count it is."""
    known = units()[unit]
    return value * known.factor, known.kind
