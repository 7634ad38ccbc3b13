"""The installation's secret and what hangs on it: purposes, rotation, the payload codec."""

import asyncio
import base64
import os
import secrets
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import pydantic_data_converter

from services.certificates.seal import Seals
from shared.contracts.certificates import Order
from shared.kit.codec import EncryptingCodec
from shared.kit.keys import keyring
from shared.kit.tokens import digest, mint
from tests.services.certificates.world import EXPORTER, person

ORDER = Order("submit", person(EXPORTER, name="Fatima Zahra Idrissi"), 1, {"remarks": "nobody's business"})


def rotate(file: Path) -> None:
    """A new key on top, as an operator would put it there."""
    line = f"k{secrets.token_hex(3)}:{base64.b64encode(secrets.token_bytes(32)).decode()}\n"
    file.write_text(line + file.read_text())


async def sealed(codec: EncryptingCodec, told: object) -> list[Payload]:
    """What the engine gets to keep."""
    return await codec.encode(pydantic_data_converter.payload_converter.to_payloads([told]))


async def opened(codec: EncryptingCodec, payloads: list[Payload]) -> Order:
    """What we get back from it."""
    (order,) = pydantic_data_converter.payload_converter.from_payloads(await codec.decode(payloads), [Order])
    assert isinstance(order, Order)
    return order


# ── the file ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_secret_is_made_at_the_first_start_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "var" / "codec.key"
    made = keyring(file, "codec")
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    assert len(made[made.current]) == 32
    assert keyring(file, "codec")[made.current] == made[made.current]
    assert [each.name for each in file.parent.iterdir()] == ["codec.key"]


def test_of_many_who_start_at_once_one_makes_it_and_all_read_it(tmp_path: Path) -> None:
    file = tmp_path / "codec.key"
    with ThreadPoolExecutor(8) as starts:
        made = list(starts.map(lambda _: keyring(file, "codec").values(), range(16)))
    assert all(each == made[0] for each in made)


def test_each_purpose_has_a_key_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "codec.key"
    kept = [keyring(file, purpose).values()[0] for purpose in ("codec", "seals", "services")]
    assert len(set(kept)) == 3
    assert all(key not in file.read_bytes() for key in kept)


def test_a_file_without_a_key_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "codec.key"
    file.write_text("\n")
    with pytest.raises(ValueError, match="holds no key"):
        keyring(file, "codec")


# ── the codec ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_engine_keeps_ciphertext_only(tmp_path: Path) -> None:
    codec = EncryptingCodec(keyring(tmp_path / "codec.key", "codec"))
    payloads = await sealed(codec, ORDER)
    clear = b"".join(each.SerializeToString() for each in payloads)
    for word in ("Fatima", "Idrissi", "business", "submit", EXPORTER):
        assert word.encode() not in clear
    assert await opened(codec, payloads) == ORDER
    again = await sealed(codec, ORDER)
    assert again[0].data != payloads[0].data  # the same twice does not look the same


async def test_after_rotation_the_old_is_still_read_and_the_new_key_writes(tmp_path: Path) -> None:
    file = tmp_path / "codec.key"
    before = EncryptingCodec(keyring(file, "codec"))
    old = await sealed(before, ORDER)
    rotate(file)
    after = EncryptingCodec(keyring(file, "codec"))
    assert await opened(after, old) == ORDER
    new = await sealed(after, ORDER)
    assert new[0].metadata["key-id"] != old[0].metadata["key-id"]
    with pytest.raises(KeyError):  # who has not been restarted yet knows it not
        await opened(before, new)
    file.write_text(file.read_text().splitlines()[0])
    with pytest.raises(KeyError):  # the old key is lost, and its histories with it
        await opened(EncryptingCodec(keyring(file, "codec")), old)


async def test_a_changed_payload_is_not_opened(tmp_path: Path) -> None:
    codec = EncryptingCodec(keyring(tmp_path / "codec.key", "codec"))
    (payload,) = await sealed(codec, ORDER)
    for place in (0, 12, len(payload.data) - 1):
        changed = bytearray(payload.data)
        changed[place] ^= 1
        with pytest.raises(InvalidTag):
            codec.open([Payload(metadata=payload.metadata, data=bytes(changed))])
    stranger = EncryptingCodec(keyring(tmp_path / "other.key", "codec"))
    with pytest.raises((KeyError, InvalidTag)):
        stranger.open([payload])


async def test_what_was_never_encrypted_stays_as_it_is(tmp_path: Path) -> None:
    codec = EncryptingCodec(keyring(tmp_path / "codec.key", "codec"))
    clear = Payload(metadata={"encoding": b"json/plain"}, data=b"1")
    assert await codec.decode([clear]) == [clear]


# ── what is wrapped or mailed ─────────────────────────────────────────────────────────────────────────────────────


def test_a_wrapped_key_survives_rotation_and_opens_with_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "codec.key"
    private = secrets.token_bytes(32)
    wrapped = Seals(keyring(file, "seals"))._wrap(private)
    rotate(file)
    assert Seals(keyring(file, "seals"))._unwrap(wrapped) == private
    assert Seals(keyring(file, "seals"))._wrap(private).split(":")[0] != wrapped.split(":")[0]
    with pytest.raises(InvalidTag):
        Seals(keyring(file, "codec"))._unwrap(wrapped)


def test_of_a_mailed_secret_only_the_digest_is_kept() -> None:
    token, kept = mint("link")
    assert token.startswith("link_")
    assert (kept, len(kept)) == (digest(token), 64)
    assert token not in kept
    assert len({mint("link")[0] for _ in range(100)}) == 100


async def test_the_codec_serves_many_at_once(tmp_path: Path) -> None:
    codec = EncryptingCodec(keyring(tmp_path / "codec.key", "codec"))
    many = await asyncio.gather(*(sealed(codec, ORDER) for _ in range(50)))
    assert len({each[0].data for each in many}) == 50
