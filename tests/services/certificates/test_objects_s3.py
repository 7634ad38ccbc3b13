"""Files in a bucket: the signature of the specification's own example, and a stand-in that keeps what it is sent."""

import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from services.certificates.objects_s3 import EMPTY, BucketObjects, Place, place_of, signed
from shared.rules.refusals import Refused

KEY = "8f14e45f-ceea-467f-9f1f-6f3a8c2b4d5e"
PLACE = Place("https://store.example:9000/files", "eu-west-3", "access", "secret")
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def test_a_request_is_signed_as_the_specification_shows() -> None:
    place = Place(
        "https://examplebucket.s3.amazonaws.com",
        "us-east-1",
        "AKIAIOSFODNN7EXAMPLE",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    )
    address, then = f"{place.bucket}/test.txt", datetime(2013, 5, 24, tzinfo=UTC)
    said = signed(place, "GET", address, {"range": "bytes=0-9"}, EMPTY, then)["authorization"]
    assert said.endswith("Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")


class Bucket(httpx2.AsyncBaseTransport):
    """A store in memory that refuses what is not signed, or not what was signed."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.shut = False

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if self.shut:
            raise httpx2.ConnectError("nobody answers")
        body = await request.aread()
        digest = hashlib.sha256(body).hexdigest()
        expected = signed(PLACE, request.method, str(request.url), {}, digest, NOON)
        if request.headers.get("authorization") != expected["authorization"]:
            return httpx2.Response(403)
        name = request.url.path
        if request.method == "PUT":
            assert "transfer-encoding" not in request.headers
            self.kept[name] = body
            return httpx2.Response(200)
        if request.method == "DELETE":
            self.kept.pop(name, None)
            return httpx2.Response(204)
        return httpx2.Response(200, content=self.kept[name]) if name in self.kept else httpx2.Response(404)


async def pieces(*parts: bytes, breaks: bool = False) -> AsyncIterator[bytes]:
    """A file as it comes in; it may break off."""
    for part in parts:
        yield part
    if breaks:
        raise ConnectionError


async def test_a_file_is_kept_whole_read_and_forgotten() -> None:
    bucket = Bucket()
    store = BucketObjects(PLACE, bucket, lambda: NOON)
    await store.put(KEY, pieces(b"%PDF-", b"x" * 300_000))
    assert len(bucket.kept[f"/files/{KEY}"]) == 300_005
    assert b"".join([piece async for piece in store.get(KEY)]) == bucket.kept[f"/files/{KEY}"]
    for _ in range(2):
        await store.remove(KEY)
    with pytest.raises(Refused, match="not_found"):
        await anext(store.get(KEY))
    for key in ("../secret", KEY.upper()):
        with pytest.raises(Refused, match="not_found"):
            await store.put(key, pieces(b"x"))


async def test_what_breaks_off_or_is_refused_leaves_nothing() -> None:
    bucket = Bucket()
    store = BucketObjects(PLACE, bucket, lambda: NOON)
    with pytest.raises(ConnectionError):
        await store.put(KEY, pieces(b"%PDF-", breaks=True))
    with pytest.raises(Refused, match="unavailable"):
        await BucketObjects(Place(PLACE.bucket, PLACE.region, "access", "wrong"), bucket).put(KEY, pieces(b"x"))
    bucket.shut = True
    with pytest.raises(Refused, match="unavailable"):
        await store.put(KEY, pieces(b"x"))
    assert bucket.kept == {}


def test_a_bucket_is_named_without_its_password(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("access:secret\n")
    place = place_of("s3+https://store.example:9000/files/?region=eu-west-3", keys)
    assert place == PLACE
    for url in ("s3+https://a:b@store.example/files", "s3+https://store.example", "s3://files"):
        with pytest.raises(ValueError, match="OBJECTS_URL"):
            place_of(url, keys)
    with pytest.raises(ValueError, match="OBJECTS_KEY_FILE"):
        place_of("s3+https://store.example/files", None)
