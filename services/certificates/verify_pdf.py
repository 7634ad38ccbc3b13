"""Checks a printed copy offline: its seal, and the record within it with every signature under the organisations' keys.

Whoever could write the whole file could write its keys too: ``--keys`` compares them with those published.
"""

import asyncio
import base64
import logging
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from services.certificates.seal_check import check
from services.certificates.verify import canonical, read, sha256

SAYS = {
    "not_a_pdf": "this is no PDF that can be read",
    "no_seal": "it bears no seal",
    "seal_broken": "its seal does not fit: the file was changed",
    "changed_after": "something was added or changed after it was sealed",
    "no_time": "the time of its seal is not stamped",
}


def wrong_with(pdf: bytes, published: dict[str, Any] | None = None) -> list[str]:
    """Everything that is wrong with a printed copy, as sentences; empty when all is well."""
    return examined(pdf, published)[0]


def examined(pdf: bytes, published: dict[str, Any] | None = None) -> tuple[list[str], str]:
    """Everything that is wrong with a printed copy, as sentences; and in a few words what it is."""
    logging.getLogger("pyhanko").setLevel(logging.CRITICAL)  # an issuer nobody named is no fault here
    checked = asyncio.run(check(pdf, []))
    wrong, said = [SAYS[code] for code in checked.wrong if code in SAYS], ""
    if "not_a_pdf" in checked.wrong:
        return wrong, said
    try:
        record = read((checked.record or b"").decode())
        keys = {each["id"]: each for each in record["keys"]}
        for seal in record["signatures"]:
            wrong += _seal(seal, keys, checked.files)
        if published is not None:
            strange = [each["id"] for each in record["keys"] if each not in published["keys"]]
            wrong += [f"key {each}: it is not among the published keys" for each in strange]
        document = record["document"]
        said = f"{document['number']} in revision {document['revision']}, {len(record['signatures'])} signatures"
        said += f", sealed by {checked.by}" + (f" on {checked.at.isoformat()}" if checked.at else "")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as trouble:
        wrong.append(f"it holds no record that can be read ({type(trouble).__name__})")
    return wrong, said


def _seal(seal: dict[str, Any], keys: dict[str, Any], files: dict[str, bytes]) -> list[str]:
    """What is wrong with one signature of the record."""
    mark = seal["statement"]["fingerprint"]
    document, key = files.get(f"sealed-{mark}.json"), keys.get(seal["key"])
    if document is None or sha256(document) != mark:
        return [f"the document under the signature of box {seal['statement']['box']} is missing or was changed"]
    if key is None or key["organisation_id"] != seal["statement"]["organisation_id"]:
        return ["there is no key of this organisation for a signature"]
    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(key["public_key"])).verify(
            base64.b64decode(seal["signature"]), canonical(seal["statement"])
        )
    except (InvalidSignature, ValueError):
        return [f"the signature of box {seal['statement']['box']} does not fit"]
    return []
