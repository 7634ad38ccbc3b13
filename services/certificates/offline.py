"""``bordereau verify FILE…``: printed copies, exported journals and square codes checked without network.

One thing to remember: what a file is, is told by what it begins with and not by its name. Whoever could write a whole
file could write its keys too: ``--keys`` compares them with those published (``/verify/keys.json`` of the portal).
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from services.certificates import verify, verify_pdf
from services.certificates.statements import STATEMENT, statement_said

UNCOMPARED: Final = "The keys came with the files. Compare them with the published ones: --keys keys.json"
STRANGE: Final = "this is no printed copy (PDF), no exported journal and no text of a square code"


def main(files: Iterable[str], keys: Path | None = None) -> int:
    """Check each and say so; 0 when all are well, 1 otherwise."""
    try:
        published = verify.read(keys.read_text(encoding="utf-8")) if keys else None
    except (OSError, ValueError):
        print(f"{keys}: these are no published keys that can be read")  # noqa: T201
        return 1
    failed = 0
    for name in files:
        wrong, said = checked(name, published)
        failed += bool(wrong)
        told = f"NOT in order{''.join(chr(10) + '  ' + fault for fault in wrong)}" if wrong else f"in order, {said}"
        print(f"{name[:80]}: {told}")  # noqa: T201
    if published is None and not failed:
        print(UNCOMPARED)  # noqa: T201
    return 1 if failed else 0


def checked(name: str, published: dict[str, Any] | None) -> tuple[list[str], str]:
    """What is wrong with a file, or the text of a square code; and in a few words what it is."""
    try:
        content = name.encode() if name.startswith(f"{STATEMENT}.") else Path(name).read_bytes()
        if b"%PDF-" in content[:1024]:
            return verify_pdf.examined(content, published)
        text = content.decode("utf-8")
    except FileNotFoundError:
        return ["there is no such file"], ""
    except (OSError, ValueError):
        return [STRANGE], ""
    if text.startswith(f"{STATEMENT}."):
        return _statement(text, published)
    if not text.lstrip().startswith("{"):
        return [STRANGE], ""
    wrong = verify.checked(text, published)
    return wrong, "" if wrong else _journal(text)


def _statement(text: str, published: dict[str, Any] | None) -> tuple[list[str], str]:
    if published is None:
        return ["a square code is checked against the published keys: give them with --keys"], ""
    try:
        said = statement_said(text, published)
        return [], f"{said['n']} was {said['s']} in revision {said['r']} on {said['at']}"
    except (ValueError, LookupError, TypeError) as trouble:
        return [str(trouble)], ""


def _journal(text: str) -> str:
    export = json.loads(text)
    seals = sum(1 for line in export["lines"] if line["seal"])
    return f"{len(export['lines'])} lines, {seals} signatures, {export['number']}"
