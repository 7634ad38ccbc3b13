"""The check that a person sits there: a proof of work done by his browser, without a picture to be read.

One thing to remember: a proof counts once (the registration keeps its digest), and for as long as the form is good.
"""

import asyncio
import base64
import json
import time
from typing import Any, Final

from altcha import create_challenge, verify_solution

from shared.kit import tokens
from shared.kit.keys import Keyring
from shared.rules.refusals import Refused

ALGORITHM: Final = "SHA-256"
PREFIX: Final = "00"
GOOD_FOR: Final = 3600
"""Seconds from the page to the form."""


class PersonCheck:
    """Makes challenges and checks what browsers made of them."""

    def __init__(self, ring: Keyring, cost: int) -> None:
        self._ring, self._cost = ring, cost

    def challenge(self) -> dict[str, Any]:
        """A challenge for one form."""
        made = create_challenge(
            ALGORITHM,
            self._cost,
            key_prefix=PREFIX,
            expires_at=int(time.time()) + GOOD_FOR,
            hmac_secret=self._ring[self._ring.current],
        )
        return made.to_dict()

    async def proved(self, payload: str) -> str:
        """The digest under which this proof is spent; refused when it proves nothing."""
        if not await asyncio.to_thread(self._verified, payload):
            raise Refused("incomplete", problems=[{"field": "proof", "code": "person_unproved"}])
        return tokens.digest(json.loads(base64.b64decode(payload))["challenge"]["signature"])

    def _verified(self, payload: str) -> bool:
        try:
            said = json.loads(base64.b64decode(payload))["challenge"]["parameters"]
            if (said["algorithm"], said["cost"], said["keyPrefix"]) != (ALGORITHM, self._cost, PREFIX):
                return False
            return any(verify_solution(payload, key).verified for key in self._ring.values())
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return False
