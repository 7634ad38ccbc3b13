"""A time-stamp authority elsewhere (RFC 3161 over HTTP), for installations that name one in their settings.

One thing to remember: what it sends is believed only when its certificate leads to one of those the settings name, and
is on none of its lists of revoked certificates; without it nothing is sealed, and whoever asked may ask again.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import httpx2
from asn1crypto import pem, tsp
from asn1crypto import x509 as asn1_x509
from pyhanko.sign.timestamps import TimeStamper

from shared.rules.refusals import Refused

PATIENCE: Final = 10.0
FRESH: Final = 3600.0
"""Seconds for which a list of revoked certificates is used again."""
LARGEST: Final = 5_000_000


class RemoteClock(TimeStamper):
    """Stamps of an authority that answers at an address."""

    def __init__(self, url: str, roots: Sequence[asn1_x509.Certificate], revocations: Sequence[str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.roots = list(roots)
        self._url, self._lists = url, tuple(revocations)
        self._read: dict[str, tuple[float, bytes]] = {}

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """One time stamp over what is asked."""
        said = await _answer("POST", self._url, req.dump())
        try:
            found = tsp.TimeStampResp.load(said)
            _ = found.native
        except ValueError as trouble:
            raise Refused("unavailable") from trouble
        return found

    async def revocations(self) -> list[bytes]:
        """Its lists of revoked certificates, read anew each hour."""
        return [await self._list(each) for each in self._lists]

    async def _list(self, url: str) -> bytes:
        at, known = self._read.get(url, (0.0, b""))
        if not known or time.monotonic() - at > FRESH:
            known = await _answer("GET", url)
            self._read[url] = (time.monotonic(), known)
        return known


async def _answer(method: str, url: str, body: bytes | None = None) -> bytes:
    headers = {"Content-Type": "application/timestamp-query"} if body else {}
    try:
        async with httpx2.AsyncClient(timeout=PATIENCE) as client:
            said = await client.request(method, url, content=body, headers=headers)
    except httpx2.HTTPError as trouble:
        raise Refused("unavailable") from trouble
    if said.is_error or len(said.content) > LARGEST:
        raise Refused("unavailable")
    return said.content


def remote_clock(url: str, authorities: Path | None, revocations: str) -> RemoteClock | None:
    """The authority that the settings name; None when they name none."""
    if not url:
        return None
    if authorities is None:
        raise ValueError("TIME_STAMP_URL needs TIME_STAMP_AUTHORITIES: the certificates its own leads to")
    found = [asn1_x509.Certificate.load(der) for _, _, der in pem.unarmor(authorities.read_bytes(), multiple=True)]
    return RemoteClock(url, found, [each.strip() for each in revocations.split(",") if each.strip()])
