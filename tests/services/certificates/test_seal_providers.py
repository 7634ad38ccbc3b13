"""Seals whose time is told elsewhere, or that others set: a small time-stamp authority over HTTP, and a provider."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asn1crypto import pem, tsp

from services.certificates import pades
from services.certificates.pades import LocalClock, LocalSeals, SealProvider, seals_of
from services.certificates.seal_check import check
from services.certificates.settings import Settings
from shared.kit.keys import Keyring
from shared.rules.status import Status
from tests.services.certificates.conftest import House
from tests.services.certificates.test_pdf import copy
from tests.services.certificates.world import EXPORTER


@dataclass
class Elsewhere:
    """A time-stamp authority of somebody else's: it stamps, and says who of it was revoked."""

    ring: Keyring = field(default_factory=lambda: Keyring({"a": b"e" * 32}, "file-seals"))
    port: int = 0
    silent: bool = False
    asked: list[str] = field(default_factory=list)

    @property
    def authority(self) -> pades._Authority:
        """What its certificates lead to."""
        return pades._Authority(self.ring[self.ring.current])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = next((int(row.partition(":")[2]) for row in head.splitlines() if row.startswith("content-length:")), 0)
        body = await reader.readexactly(length)
        self.asked.append(head.split()[0])
        said = self.authority.revocations(datetime.now(UTC))
        if body:
            assert "application/timestamp-query" in head
            stamp = await LocalClock(self.authority).async_request_tsa_response(tsp.TimeStampReq.load(body))
            said = stamp.dump()
        status = "503 Away" if self.silent else "200 OK"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(said)}\r\nConnection: close\r\n\r\n".encode() + said)
        await writer.drain()
        writer.close()

    def settings(self, folder: Path) -> Settings:
        """Settings that name this authority."""
        known = folder / "elsewhere.pem"
        known.write_bytes(pem.armor("CERTIFICATE", pades._der(self.authority.certificate)))
        return Settings(
            codec_key_file=folder / "codec.key",
            time_stamp_url=f"http://127.0.0.1:{self.port}/stamp",
            time_stamp_authorities=known,
            time_stamp_revocations=f"http://127.0.0.1:{self.port}/revoked",
        )


@pytest.fixture
async def elsewhere() -> AsyncIterator[Elsewhere]:
    made = Elsewhere()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()


async def test_the_time_of_a_seal_is_told_by_the_authority_that_the_settings_name(
    house: House, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    certificate = await house.at(Status.ISSUED)
    ours = seals_of(house.around.settings)
    house.app.state.file_seals = theirs = seals_of(elsewhere.settings(tmp_path))
    file = await copy(house, certificate)
    assert elsewhere.asked.count("post") == 3  # one to learn how long a stamp is, one on the seal, one on all of it
    assert elsewhere.asked.count("get") == 1
    checked = await check(file, theirs.authorities(), theirs.clocks())
    assert (checked.intact, checked.trusted, checked.wrong, checked.by) == (True, True, (), "ECOCERT SA")
    assert b"Bordereau time stamps" in file
    assert (await check(file, ours.authorities(), ours.clocks())).wrong == ("not_ours",)

    elsewhere.silent = True
    answer = await house.door(EXPORTER).get(f"/certificates/{certificate}/pdf?language=fr")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


async def test_whoever_stamps_our_time_may_not_seal_in_our_name(
    house: House, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    ours = seals_of(elsewhere.settings(tmp_path))
    draft = await copy(house, await house.draft())
    forged = await LocalSeals(elsewhere.ring).seal(draft, "o", "ECOCERT SA", "FR")
    checked = await check(forged, ours.authorities(), ours.clocks())
    assert (checked.intact, checked.trusted, checked.wrong) == (True, False, ("not_ours",))


class Notary(SealProvider):
    """A provider of somebody else's: it writes its name under the file."""

    async def seal(self, pdf: bytes, organisation: str, name: str, country: str) -> bytes:
        return pdf + f"% sealed for {name}".encode()

    def authorities(self) -> list[bytes]:
        return []


def notary(settings: Settings) -> SealProvider:
    """The provider, as it is named in the settings."""
    return Notary()


async def test_another_provider_takes_the_place_of_our_keys(house: House) -> None:
    certificate = await house.at(Status.ISSUED)
    named = house.around.settings.model_copy(update={"seal_provider": f"{__name__}:notary"})
    house.app.state.file_seals = seals_of(named)
    assert (await copy(house, certificate)).endswith(b"% sealed for ECOCERT SA")
    with pytest.raises(TypeError, match="SEAL_PROVIDER"):
        seals_of(named.model_copy(update={"seal_provider": "builtins:repr"}))


def test_an_authority_without_certificates_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="TIME_STAMP_AUTHORITIES"):
        seals_of(Settings(time_stamp_url="http://127.0.0.1:9/"))
