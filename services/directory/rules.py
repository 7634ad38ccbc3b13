"""Rules only the directory reads: how names and numbers are compared when somebody searches."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

_LIGATURES: Final = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})
_BETWEEN: Final = re.compile(r"[\W_]+")
LONGEST_WORD: Final = 100
MOST_WORDS: Final = 12


def folded(text: str) -> str:
    """A text as it is compared and sorted: without case, accents and ligatures."""
    if text.isascii():
        return text.casefold().replace("\0", "").strip()
    apart = unicodedata.normalize("NFKD", text.casefold().translate(_LIGATURES))
    kept = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return kept.casefold().replace("\0", "").strip()


def words(text: str) -> list[str]:
    """The words of a text, folded: ``L'Isle-Jourdain`` has three."""
    return [word[:LONGEST_WORD] for word in _BETWEEN.split(folded(text)) if word]


def number(text: str) -> str:
    """A code or identifier as it is compared: ``MA-BIO-154``, ``ma bio 154`` and ``MABIO154`` are one."""
    return "".join(words(text))[:LONGEST_WORD]


def numbers(code: str | None, identifiers: Iterable[Mapping[str, str]]) -> list[str]:
    """Every number by which an organisation may be found."""
    found = [number(each) for each in (code or "", *(row["value"] for row in identifiers))]
    return list(dict.fromkeys(each for each in found if each))


def sought(name: str, city: str, postal_code: str, code: str | None, identifiers: Iterable[Mapping[str, str]]) -> str:
    """What a search by text looks through: the words of name and town, the numbers whole and in their parts."""
    identifiers = list(identifiers)

    def told() -> Iterator[str]:
        for text in (name, city, postal_code, code or "", *(row["value"] for row in identifiers)):
            yield from words(text)
        yield from numbers(code, identifiers)

    return " ".join(f"'{word}'" for word in dict.fromkeys(told()))


def searching(text: str) -> str:
    """A search by text, as PostgreSQL understands it: the number as a whole, or all words, each from its beginning."""
    wanted = words(text)[:MOST_WORDS]
    if not wanted:
        return ""
    every = " & ".join(f"'{word}':*" for word in wanted)
    return every if len(wanted) == 1 else f"({every}) | '{number(text)}':*"


def has_number(text: str) -> bool:
    """Whether a search looks like one for a code or an identifier: then exact hits come first."""
    return any(letter.isdigit() for letter in text)


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Field -> what it was before, for each that changed."""
    return {field: value for field, value in before.items() if after[field] != value}
