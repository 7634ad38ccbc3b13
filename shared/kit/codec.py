"""The payload codec: Temporal keeps ciphertext only (AES-256-GCM, key named by its id in the payload's metadata)."""

import secrets
from collections.abc import Iterable, Sequence

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

from shared.kit.keys import Keyring

ENCODING = b"binary/encrypted"
NONCE = 12


class EncryptingCodec(PayloadCodec):
    """Encrypts every payload on its way to the engine and opens it on its way back."""

    def __init__(self, keys: Keyring) -> None:
        self._keys = keys
        self._ciphers = {key_id: AESGCM(keys[key_id]) for key_id in keys._keys}

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self._seal(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return self.open(payloads)

    def open(self, payloads: Iterable[Payload]) -> list[Payload]:
        """The payloads in clear; one that was never encrypted stays as it is."""
        return [self._open(payload) for payload in payloads]

    def _seal(self, payload: Payload) -> Payload:
        nonce = secrets.token_bytes(NONCE)
        key_id = self._keys.current
        data = nonce + self._ciphers[key_id].encrypt(nonce, payload.SerializeToString(), key_id.encode())
        return Payload(metadata={"encoding": ENCODING, "key-id": key_id.encode()}, data=data)

    def _open(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCODING:
            return payload
        key_id = payload.metadata["key-id"].decode()
        clear = self._ciphers[key_id].decrypt(payload.data[:NONCE], payload.data[NONCE:], key_id.encode())
        return Payload.FromString(clear)
