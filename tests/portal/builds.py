"""How a page is built: which elements stand where, without words, ids and values.

One thing to remember: a page whose every element was seen before at its place, and its headings in their order, shows
axe nothing new; so a browser need not open it again.
"""

from html.parser import HTMLParser

VOID = frozenset({"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
SAID = frozenset({"class", "type", "role", "hidden", "disabled", "tabindex", "lang", "style"})
"""Attributes that count with what they say; ``aria-…`` and these count only by being there."""
THERE = frozenset({"id", "for", "alt", "title", "name", "href", "required", "checked", "open", "scope", "placeholder"})


class Build(HTMLParser):
    """Reads one page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[int] = set()
        self.twice: list[str] = []
        self._ids: set[str] = set()
        self._headings: list[str] = []
        self._open: list[tuple[str, int, list[bool]]] = [("", 0, [])]
        self.feed(page)
        self.close()
        self.found.add(hash(tuple(self._headings)))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element, by its place and by what it is."""
        place = hash((self._open[-1][1], tag, dict(attrs).get("class")))
        bones = [(name, value if name in SAID else "") for name, value in attrs if _counts(name)]
        self.found.add(hash((place, *sorted((name, value or "") for name, value in bones))))
        for name, value in attrs:
            if name == "id" and value is not None:
                (self.twice.append if value in self._ids else self._ids.add)(value)
        if tag in HEADINGS:
            self._headings.append(tag)
        if tag not in VOID:
            self._open.append((tag, place, []))

    def handle_data(self, data: str) -> None:
        """Whether an element says something."""
        if data.strip():
            self._open[-1][2].append(True)

    def handle_endtag(self, tag: str) -> None:
        """Its end, and that of all that was left open within."""
        while len(self._open) > 1:
            name, place, said = self._open.pop()
            self.found.add(hash((place, bool(said))))
            self._open[-1][2].extend(said[:1])
            if name == tag:
                break


def _counts(name: str) -> bool:
    return name in SAID or name in THERE or name.startswith("aria-")
