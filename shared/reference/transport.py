"""Modes of transport (UN/ECE Recommendation 19) and accompanying documents (UN/EDIFACT 1001).

The one thing to remember: a document type says itself which of its fields are required.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from shared.reference.table import Named, read


@dataclass(frozen=True, slots=True)
class Mode(Named):
    """A mode of transport, what identifies the means, and its usual document."""

    identification_en: str
    identification_fr: str
    document: str

    def identification(self, language: str) -> str:
        """What to write as identification of the means of transport."""
        return self.identification_fr if language[:2].lower() == "fr" else self.identification_en


@dataclass(frozen=True, slots=True)
class DocumentType(Named):
    """A type of accompanying document; `list` is EDIFACT or LOCAL."""

    list: str
    required: tuple[str, ...]


@cache
def modes() -> Mapping[str, Mode]:
    """All modes of transport by code."""
    return {
        row["code"]: Mode(
            row["code"],
            row["name_en"],
            row["name_fr"],
            row["identification_en"],
            row["identification_fr"],
            row["document"],
        )
        for row in read("transport_modes.csv")
    }


@cache
def document_types() -> Mapping[str, DocumentType]:
    """All document types by code."""
    return {
        row["code"]: DocumentType(
            row["code"], row["name_en"], row["name_fr"], row["list"], tuple(row["required"].split())
        )
        for row in read("document_types.csv")
    }
