"""Checks an exported journal offline. Imports nothing of ours on purpose: it is the second opinion.

``bordereau verify FILE…`` or ``python verify.py FILE…``. It recomputes the hash of every line and the chain between
them, the fingerprint of every sealed document, and every signature against the public key in the file. Whoever could
write the whole file could write its keys too: ``--keys KEYS`` compares them with those published at ``/signing-keys``,
saved by you on another day.
"""

import base64
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "bordereau-journal-1"
ALGORITHM = "Ed25519"
FIELDS = {"format", "certificate_id", "number", "length", "head", "lines", "documents", "keys"}
KEY_FIELDS = {"id", "organisation_id", "algorithm", "public_key"}
SAID_TWICE = ("action", "form", "person", "person_id", "organisation_id", "at")
"""What a signature and its line both say."""


def canonical(value: Any) -> bytes:
    """Canonical JSON: keys sorted, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sha256(data: bytes) -> str:
    """SHA-256, hex."""
    return hashlib.sha256(data).hexdigest()


def read(text: str) -> Any:
    """JSON in which no name stands twice."""
    return json.loads(text, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a name stands twice")
    return dict(pairs)


def check(export: dict[str, Any], published: dict[str, Any] | None = None) -> list[str]:
    """Everything that is wrong with an exported journal, as sentences; empty when all is well."""
    if set(export) != FIELDS or export["format"] != FORMAT:
        return ["this is no exported journal of a kind known here"]
    wrong: list[str] = []
    lines: list[dict[str, Any]] = export["lines"]
    keys = {each["id"]: each for each in export["keys"]}
    previous, number = "", None
    for place, line in enumerate(lines, start=1):
        if line["seq"] != place:
            wrong.append(f"line {place}: it calls itself line {line['seq']}; lines were removed, added or swapped")
        if line["certificate_id"] != export["certificate_id"]:
            wrong.append(f"line {place}: it belongs to another certificate")
        if line["previous"] != previous:
            wrong.append(f"line {place}: it does not follow the line before it")
        body = {name: value for name, value in line.items() if name != "hash"}
        if sha256(canonical(body)) != line["hash"]:
            wrong.append(f"line {place}: its content was changed after it was written")
        previous = line["hash"]
        number = line["changes"].get("number", [None, number])[1]
        if line["seal"]:
            wrong += [f"line {place}: {fault}" for fault in _seal(line, export["documents"], keys)]
    if len(lines) != export["length"] or previous != export["head"]:
        wrong.append("the end: the journal does not end where the certificate says it ends")
    if export["number"] != number:
        wrong.append("the number is not the one the journal gave")
    seals = [line["seal"] for line in lines if line["seal"]]
    if set(export["documents"]) != {seal["statement"]["fingerprint"] for seal in seals}:
        wrong.append("the documents are not those that were signed")
    if len(export["keys"]) != len(keys) or set(keys) != {seal["key"] for seal in seals}:
        wrong.append("the keys are not those of the signatures")
    return wrong + [fault for key in export["keys"] for fault in _key(key, published)]


def _key(key: dict[str, Any], published: dict[str, Any] | None) -> list[str]:
    """What is wrong with one public key."""
    public = base64.b64decode(key["public_key"])
    plain = base64.b64encode(public).decode() == key["public_key"] and sha256(public)[:16] == key["id"]
    if set(key) != KEY_FIELDS or key["algorithm"] != ALGORITHM or not plain:
        return [f"key {key['id']}: it was changed"]
    if published is not None and key not in published["keys"]:
        return [f"key {key['id']}: it is not among the published keys"]
    return []


def _seal(line: dict[str, Any], documents: dict[str, str], keys: dict[str, Any]) -> list[str]:
    """What is wrong with one signature."""
    wrong = []
    seal, statement = line["seal"], line["seal"]["statement"]
    document = documents.get(statement["fingerprint"])
    if document is None:
        wrong.append("the sealed document is missing")
    elif sha256(document.encode()) != statement["fingerprint"]:
        wrong.append("the sealed document was changed")
    elif (read(document)["certificate"], read(document)["revision"]) != (line["certificate_id"], statement["revision"]):
        wrong.append("the signature names another certificate or revision than the document")
    if statement["journal"] != line["previous"]:
        wrong.append("the signature was made over another journal")
    if statement["certificate"] != line["certificate_id"] or any(statement[each] != line[each] for each in SAID_TWICE):
        wrong.append("the signature says something else than the line")
    key = keys.get(seal["key"])
    if key is None or key["organisation_id"] != statement["organisation_id"] or seal["algorithm"] != ALGORITHM:
        wrong.append("there is no key of this organisation for the signature")
        return wrong
    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(key["public_key"])).verify(
            base64.b64decode(seal["signature"]), canonical(statement)
        )
    except (InvalidSignature, ValueError):
        wrong.append("the signature does not fit")
    return wrong


def checked(text: str, published: dict[str, Any] | None = None) -> list[str]:
    """Everything that is wrong with the text of an exported journal, whatever it is."""
    try:
        return check(read(text), published)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as trouble:
        return [f"this is not an exported journal ({type(trouble).__name__})"]


def main(files: list[str], keys: str | None = None) -> int:
    """Check each file and say so; 0 when all are well, 1 otherwise."""
    published = read(Path(keys).read_text(encoding="utf-8")) if keys else None
    failed = 0
    for name in files:
        try:
            text = Path(name).read_bytes().decode("utf-8")
            wrong = checked(text, published)
        except (OSError, ValueError) as trouble:
            wrong = [f"this file cannot be read ({type(trouble).__name__})"]
        if wrong:
            failed += 1
            print(f"{name}: NOT in order")
            print(*(f"  {fault}" for fault in wrong), sep="\n")
        else:
            export = read(text)
            seals = sum(1 for line in export["lines"] if line["seal"])
            print(f"{name}: in order, {len(export['lines'])} lines, {seals} signatures, {export['number']}")
    return 1 if failed else 0


def _arguments(words: list[str]) -> tuple[list[str], str | None]:
    if "--keys" not in words:
        return words, None
    place = words.index("--keys")
    return words[:place] + words[place + 2 :], words[place + 1]


if __name__ == "__main__":
    sys.exit(main(*_arguments(sys.argv[1:])))
