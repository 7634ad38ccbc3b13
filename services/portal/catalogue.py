"""The sentences the portal says, gathered from its code and pages: ``python -m services.portal.catalogue``.

It brings locale/<language>/LC_MESSAGES/messages.po up to date: new sentences come in untranslated, unused ones go.
"""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_python
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

from services.portal.words import LANGUAGES

HERE: Final = Path(__file__).parent
KEYWORDS: Final[dict[str, Any]] = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2), "plural": (1, 2)}
OPTIONS: Final = {"extensions": "jinja2.ext.i18n,jinja2.ext.do", "trim_blocks": "true", "lstrip_blocks": "true"}

Message = str | tuple[str, str]


def messages() -> dict[Message, list[str]]:
    """Every sentence, with the places that say it."""
    found: dict[Message, list[str]] = {}
    for place, message in _said():
        found.setdefault(message, []).append(place)
    return found


def _said() -> Iterator[tuple[str, Message]]:
    for file in sorted([*HERE.rglob("*.py"), *HERE.rglob("templates/**/*.html")]):
        place = file.relative_to(HERE).as_posix()
        with file.open("rb") as source:
            rows = (
                extract_python(source, KEYWORDS, [], {})
                if file.suffix == ".py"
                else babel_extract(source, list(KEYWORDS), [], OPTIONS)
            )
            for line, function, said, _comments in rows:
                pair = tuple(said)[:2] if isinstance(said, (tuple, list)) else (said,)
                if (
                    function in ("ngettext", "plural")
                    and len(pair) == 2
                    and all(isinstance(each, str) for each in pair)
                ):
                    yield f"{place}:{line}", (str(pair[0]), str(pair[1]))
                elif isinstance(pair[0], str) and pair[0] and function not in ("ngettext", "plural"):
                    yield f"{place}:{line}", pair[0]


def po(language: str) -> Path:
    """The catalogue of a language."""
    return HERE / "locale" / language / "LC_MESSAGES" / "messages.po"


def read(language: str) -> Catalog:
    """All that is said in a language: messages.po and the catalogues of single areas beside it."""
    whole = Catalog(locale=language)
    for file in sorted(po(language).parent.glob("*.po")):
        for message in _one(file, language):
            if message.id:
                whole.add(message.id, message.string, flags=message.flags)
    return whole


def _one(file: Path, language: str) -> Catalog:
    with file.open("rb") as source:
        return read_po(source, locale=language)


def refresh(language: str) -> Catalog:
    """messages.po with exactly the sentences that are said today and that no other catalogue beside it translates."""
    file = po(language)
    old = _one(file, language) if file.exists() else Catalog(locale=language)
    elsewhere = {message.id for other in file.parent.glob("*.po") if other != file for message in _one(other, language)}
    new = Catalog(locale=language)
    for message in sorted(messages(), key=lambda each: each if isinstance(each, str) else each[0]):
        if message in elsewhere:
            continue
        before = old.get(message)
        new.add(message, before.string if before else ("" if isinstance(message, str) else ("", "")))
    return new


def write(language: str, catalogue: Catalog) -> None:
    """Keep a catalogue, with a head that says no more than is true."""
    file = po(language)
    file.parent.mkdir(parents=True, exist_ok=True)
    out = BytesIO()
    catalogue.fuzzy = False
    write_po(out, catalogue, width=120, omit_header=True)
    file.write_text(HEAD.format(language=language, plural=catalogue.plural_forms) + out.getvalue().decode())


HEAD: Final = """\
# The portal's words. The msgid is the English sentence; python -m services.portal.catalogue brings this up to date.
msgid ""
msgstr ""
"Language: {language}\\n"
"Plural-Forms: {plural}\\n"
"Content-Type: text/plain; charset=utf-8\\n"

"""


def main() -> None:
    """Bring the catalogues up to date: English is the key of all of them and needs none."""
    for language in LANGUAGES:
        if language != "en":
            write(language, refresh(language))


if __name__ == "__main__":
    main()
