"""The words of the law in the reader's language: codes come in, sentences go out. English is the message id."""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel.messages.pofile import read_po

LANGUAGES = ("fr", "en")
FOLDER = Path(__file__).parent


def catalogue(*files: Path) -> dict[str, str]:
    """The translated sentences of some .po files, later files last."""
    found: dict[str, str] = {}
    for file in files:
        with file.open("rb") as source:
            for message in read_po(source):
                if message.id and message.string and not message.fuzzy and isinstance(message.id, str):
                    found[message.id] = str(message.string)
    return found


@lru_cache
def _law(language: str) -> dict[str, str]:
    file = FOLDER / f"{language}.po"
    return catalogue(file) if file.exists() else {}


def say(sentence: str, language: str, **params: Any) -> str:
    """One sentence in a language (``fr`` or ``en``; anything else is English), its {params} filled in."""
    words = _law(language).get(sentence, sentence)
    if "label" in params:  # the name of a box or of a question is itself a sentence of the law
        params["label"] = say(str(params["label"]), language)
    return words.format_map(_Filled(params)) if params else words


def best_language(accept: str | None, known: Iterable[str] = LANGUAGES) -> str:
    """The reader's language from an Accept-Language header; French where nothing fits, as in the guides."""
    wishes = []
    for position, part in enumerate((accept or "").split(",")):
        tag, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality or 1)
        except ValueError:
            weight = 0.0
        wishes.append((-weight, position, tag.split("-")[0].lower()))
    for _, _, language in sorted(wishes):
        if language in known:
            return language
    return "fr"


class _Filled(dict[str, Any]):
    """A parameter nobody gave stays visible instead of failing the page."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"
