"""Checks an exported journal offline. Imports nothing of ours on purpose: it is the second opinion.

``bordereau verify FILE…`` or ``python verify.py FILE…``. It recomputes the hash of every line and the chain between
them, the fingerprint of every sealed document, and every signature against the public key in the file (which may be
compared with the published keys at ``/signing-keys``).
"""

import base64
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def canonical(value: Any) -> bytes:
    """Canonical JSON: keys sorted, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sha256(data: bytes) -> str:
    """SHA-256, hex."""
    return hashlib.sha256(data).hexdigest()


def check(export: dict[str, Any]) -> list[str]:
    """Everything that is wrong with an exported journal, as sentences; empty when all is well."""
    wrong: list[str] = []
    lines: list[dict[str, Any]] = export["lines"]
    keys = {each["id"]: each for each in export["keys"]}
    previous = ""
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
        if line["seal"]:
            wrong += [f"line {place}: {fault}" for fault in _seal(line, export["documents"], keys)]
    if len(lines) != export["length"] or previous != export["head"]:
        wrong.append("the end: the journal does not end where the certificate says it ends")
    return wrong


def _seal(line: dict[str, Any], documents: dict[str, str], keys: dict[str, Any]) -> list[str]:
    """What is wrong with one signature."""
    wrong = []
    seal, statement = line["seal"], line["seal"]["statement"]
    document = documents.get(statement["fingerprint"])
    if document is None:
        wrong.append("the sealed document is missing")
    elif sha256(document.encode()) != statement["fingerprint"]:
        wrong.append("the sealed document was changed")
    elif json.loads(document)["revision"] != statement["revision"]:
        wrong.append("the signature names another revision than the document")
    if statement["journal"] != line["previous"]:
        wrong.append("the signature was made over another journal")
    if (statement["organisation_id"], statement["person_id"]) != (line["organisation_id"], line["person_id"]):
        wrong.append("the signature is somebody else's")
    key = keys.get(seal["key"])
    if key is None or key["organisation_id"] != statement["organisation_id"]:
        wrong.append("there is no key of this organisation for the signature")
        return wrong
    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(key["public_key"])).verify(
            base64.b64decode(seal["signature"]), canonical(statement)
        )
    except (InvalidSignature, ValueError):
        wrong.append("the signature does not fit")
    return wrong


def main(files: list[str]) -> int:
    """Check each file and say so; 0 when all are well, 1 otherwise."""
    failed = 0
    for name in files:
        try:
            export = json.loads(Path(name).read_text(encoding="utf-8"))
            wrong = check(export)
        except (OSError, ValueError, KeyError, TypeError) as trouble:
            wrong = [f"this is not an exported journal ({type(trouble).__name__})"]
            export = {}
        if wrong:
            failed += 1
            print(f"{name}: NOT in order")
            print(*(f"  {fault}" for fault in wrong), sep="\n")
        else:
            seals = sum(1 for line in export["lines"] if line["seal"])
            print(f"{name}: in order, {len(export['lines'])} lines, {seals} signatures, {export['number']}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
