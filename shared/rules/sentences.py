"""Every code that reaches a reader, with its English sentence: refusals and, one day, problems at boxes."""

from typing import Final

from shared.rules.refusals import REFUSALS

SENTENCES: Final[dict[str, str]] = {row.code: row.says for row in REFUSALS}
"""Code -> English sentence; the sentence is also the key of its translation."""
