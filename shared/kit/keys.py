"""The installation's secret, kept in a file and never in a database; every purpose derives a key of its own from it.

A line is ``key id:base64 of 32 bytes``. The first line is used for what is written now, the others still open what
was written before: to rotate, put a new line on top.
"""

import base64
import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class Keyring:
    """The keys of one purpose, by key id."""

    def __init__(self, roots: dict[str, bytes], purpose: str) -> None:
        self._keys = {
            key_id: HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=f"bordereau/{purpose}".encode()).derive(
                root
            )
            for key_id, root in roots.items()
        }
        self.current = next(iter(self._keys))

    def __getitem__(self, key_id: str) -> bytes:
        return self._keys[key_id]

    def __contains__(self, key_id: str) -> bool:
        return key_id in self._keys

    def wrap(self, secret: bytes) -> str:
        """A secret as it may lie in a database: encrypted with the current key."""
        nonce = secrets.token_bytes(12)
        sealed = AESGCM(self._keys[self.current]).encrypt(nonce, secret, self.current.encode())
        return f"{self.current}:{base64.b64encode(nonce + sealed).decode()}"

    def unwrap(self, wrapped: str) -> bytes:
        """The secret again, whichever of our keys has wrapped it."""
        key_id, _, text = wrapped.partition(":")
        sealed = base64.b64decode(text)
        return AESGCM(self._keys[key_id]).decrypt(sealed[:12], sealed[12:], key_id.encode())

    def values(self) -> list[bytes]:
        """Every key of this purpose, the current one first."""
        return list(self._keys.values())


def keyring(file: Path, purpose: str) -> Keyring:
    """The keys of one purpose from the installation's secret, which is made at the first start (mode 0600)."""
    if not file.exists():
        _make(file)
    roots = {}
    for line in file.read_text().splitlines():
        if line.strip():
            key_id, _, value = line.strip().partition(":")
            roots[key_id] = base64.b64decode(value)
    if not roots:
        raise ValueError(f"{file} holds no key")
    return Keyring(roots, purpose)


def _make(file: Path) -> None:
    """Write a new secret; whoever comes first wins, the others read his."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    line = f"k{secrets.token_hex(3)}:{base64.b64encode(secrets.token_bytes(32)).decode()}\n"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(line)
        out.flush()
        os.fsync(out.fileno())
    try:
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
