"""Who reads the pages, and what a browser would send with a form of theirs."""

import re
from typing import Any, Final

from tests.portal.routes import AUTHORITY, EXPORTER, OPS

__all__ = ["AUTHORITY", "BORDER", "CONSIGNEE", "CONTROL_BODY", "EXPORTER", "IMPORTER", "OPS", "fields", "hidden"]

CONTROL_BODY: Final = "inspector@ecocert.example"
BORDER: Final = "officer@perpignan.example"
CONSIGNEE: Final = "consignee@garonne.example"
IMPORTER: Final = "importer@pyrenees.example"


def fields(page: str, form: str = "sheet-form") -> dict[str, Any]:
    """What a browser would send with a form: every field with what stands in it."""
    start = page.index(f'id="{form}"')
    part = page[start : page.index("</form>", start)]
    sent: dict[str, Any] = {}

    def add(name: str, value: str) -> None:
        sent.setdefault(name, []).append(value)

    for tag in re.findall(r"<input\b[^>]*>", part):
        known = dict(re.findall(r'(\w[\w-]*)="([^"]*)"', tag))
        if "name" not in known or (known.get("type") in ("checkbox", "radio") and " checked" not in tag):
            continue
        add(known["name"], known.get("value", ""))
    for name, inner in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>([^<]*)</textarea>', part):
        add(name, inner)
    for name, inner in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', part, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', inner)
        add(name, chosen.group(1) if chosen else "")
    sent.pop("form_token", None)
    return sent


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a confirmation."""
    found = dict(re.findall(r'<input type="hidden" name="(key|revision|fingerprint)" value="([^"]+)">', page))
    return found
