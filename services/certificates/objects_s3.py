"""An object store that speaks S3, signed with AWS Signature Version 4: files of an installation on several servers.

One thing to remember: a file is gathered in a nameless temporary file first and put in one request with its length and
digest, so that the store has it whole or not at all, and what breaks off leaves nothing anywhere.
"""

import hashlib
import hmac
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Final
from urllib.parse import parse_qs, quote, urlsplit

import httpx2

from services.certificates.objects import KEY, PIECE, Objects
from shared.kit import clock
from shared.rules.refusals import Refused

EMPTY: Final = hashlib.sha256(b"").hexdigest()
SECONDS: Final = 60
SCHEMES: Final = {"s3+https": "https", "s3+http": "http"}


@dataclass(frozen=True)
class Place:
    """Where a bucket is, and who asks there."""

    bucket: str
    """Its whole address, without a slash at the end."""
    region: str
    access: str
    secret: str


def place_of(url: str, key_file: Path | None) -> Place:
    """The place of ``s3+https://host/bucket?region=…``; the file holds ``access:secret`` on one line."""
    parts = urlsplit(url)
    bucket = parts.path.strip("/")
    if parts.scheme not in SCHEMES or not parts.hostname or not bucket or "@" in parts.netloc:
        raise ValueError("OBJECTS_URL names no bucket: s3+https://host/bucket?region=…, without a password in it")
    if key_file is None:
        raise ValueError("OBJECTS_KEY_FILE is needed with a bucket: a file with access:secret on one line")
    access, colon, secret = key_file.read_text(encoding="utf-8").strip().partition(":")
    if not (access and colon and secret):
        raise ValueError("OBJECTS_KEY_FILE holds no access:secret")
    region = parse_qs(parts.query).get("region", ["us-east-1"])[0]
    return Place(f"{SCHEMES[parts.scheme]}://{parts.netloc}/{bucket}", region, access, secret)


class BucketObjects(Objects):
    """Files as objects of one bucket."""

    def __init__(
        self,
        place: Place,
        transport: httpx2.AsyncBaseTransport | None = None,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self._place, self._transport, self._now = place, transport, now
        self._trust = ssl.create_default_context()

    async def put(self, key: str, pieces: AsyncIterator[bytes]) -> None:
        address = self._address(key)
        with tempfile.TemporaryFile() as kept:
            digest, size = hashlib.sha256(), 0
            async for piece in pieces:
                kept.write(piece)
                digest.update(piece)
                size += len(piece)
            kept.seek(0)
            headers = {"content-length": str(size), "content-type": "application/octet-stream"}
            async with self._client() as client:
                answer = await self._asked(
                    client, "PUT", address, digest.hexdigest(), content=_read(kept), headers=headers
                )
        _refuse_unless(answer, 200, 201, 204)

    async def get(self, key: str) -> AsyncIterator[bytes]:
        address = self._address(key)
        async with self._client() as client:
            request = client.build_request("GET", address, headers=self._signed("GET", address, EMPTY))
            try:
                answer = await client.send(request, stream=True)
            except httpx2.HTTPError:
                raise Refused("unavailable") from None
            try:
                if answer.status_code == 404:
                    raise Refused("not_found")
                _refuse_unless(answer, 200)
                async for piece in answer.aiter_bytes(PIECE):
                    yield piece
            finally:
                await answer.aclose()

    async def remove(self, key: str) -> None:
        async with self._client() as client:
            answer = await self._asked(client, "DELETE", self._address(key), EMPTY)
        _refuse_unless(answer, 200, 204, 404)

    async def sweep(self, older: timedelta) -> int:
        return 0

    def _address(self, key: str) -> str:
        if not KEY.fullmatch(key):
            raise Refused("not_found")
        return f"{self._place.bucket}/{key}"

    def _client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=self._transport, verify=self._trust, timeout=SECONDS)

    async def _asked(
        self,
        client: httpx2.AsyncClient,
        method: str,
        address: str,
        digest: str,
        content: AsyncIterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx2.Response:
        signed = {**(headers or {}), **self._signed(method, address, digest)}
        try:
            return await client.request(method, address, content=content, headers=signed)
        except httpx2.HTTPError:
            raise Refused("unavailable") from None

    def _signed(self, method: str, address: str, digest: str) -> dict[str, str]:
        return signed(self._place, method, address, {}, digest, self._now())


async def _read(file: IO[bytes]) -> AsyncIterator[bytes]:
    while piece := file.read(PIECE):
        yield piece


def _refuse_unless(answer: httpx2.Response, *expected: int) -> None:
    if answer.status_code not in expected:
        raise Refused("unavailable")


def signed(
    place: Place, method: str, address: str, headers: Mapping[str, str], digest: str, now: datetime
) -> dict[str, str]:
    """The headers of a request with its signature (AWS Signature Version 4)."""
    parts = urlsplit(address)
    moment = f"{now:%Y%m%dT%H%M%SZ}"
    said = {**headers, "host": parts.netloc, "x-amz-content-sha256": digest, "x-amz-date": moment}
    names = ";".join(sorted(said))
    lines = [f"{name}:{said[name].strip()}" for name in sorted(said)]
    asked = "\n".join([method, quote(parts.path), parts.query, *lines, "", names, digest])
    scope = f"{now:%Y%m%d}/{place.region}/s3/aws4_request"
    told = "\n".join(["AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(asked.encode()).hexdigest()])
    key = f"AWS4{place.secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    seal = hmac.new(key, told.encode(), "sha256").hexdigest()
    authorization = f"AWS4-HMAC-SHA256 Credential={place.access}/{scope},SignedHeaders={names},Signature={seal}"
    return {**{name: value for name, value in said.items() if name != "host"}, "authorization": authorization}
