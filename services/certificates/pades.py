"""The electronic seal (advanced) on a printed copy: PAdES with a second key per organisation (ECDSA P-256).

One thing to remember: it is never called "qualified". Keys, certificates and the local authority are derived from the
installation's secret, so every replica seals alike and nothing is kept in the database; a provider of real seals
takes the place of ``LocalSeals`` by fulfilling ``SealProvider``.
"""

import asyncio
import hashlib
import hmac
import io
import logging
from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any, Final

from asn1crypto import algos, cms, core, keys, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import signers
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.timestamps import TimeStamper
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from services.certificates.remote_clock import RemoteClock, remote_clock
from services.certificates.settings import Settings
from shared.kit.keys import Keyring, keyring

ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""The order of the curve P-256."""
BEGINS: Final = datetime(2020, 1, 1, tzinfo=UTC)
ENDS: Final = datetime(2050, 1, 1, tzinfo=UTC)
POLICY: Final = "1.3.6.1.4.1.4146.2.2"
logging.getLogger("pyhanko.sign.signers.pdf_signer").setLevel(logging.ERROR)  # it need not fetch: we bring all
KEPT: Final = 64
"""Sealed files remembered, so that the same copy asked for twice is the same file."""


class SealProvider(ABC):
    """Whoever seals files for organisations."""

    @abstractmethod
    async def seal(self, pdf: bytes, organisation: str, name: str, country: str) -> bytes:
        """The file with a PAdES seal of this organisation."""

    @abstractmethod
    def authorities(self) -> list[bytes]:
        """The certificates (DER) of the authorities whose seals count as ours."""

    def clocks(self) -> list[bytes]:
        """The certificates (DER) of the authorities whose time stamps count."""
        return self.authorities()


class LocalSeals(SealProvider):
    """Seals with keys of an authority made by this installation, and stamps the time itself."""

    def __init__(self, ring: Keyring, clock: RemoteClock | None = None) -> None:
        self._ring, self._remote = ring, clock
        self._authority = _Authority(ring[ring.current])
        self._clock = clock or LocalClock(self._authority)  # kept: it is asked only once how long a stamp is
        self._made: dict[str, bytes] = {}

    async def seal(self, pdf: bytes, organisation: str, name: str, country: str) -> bytes:
        mark = hashlib.sha256(f"{organisation}\n{name}\n{country}\n".encode() + pdf).hexdigest()
        if mark not in self._made:
            made = await asyncio.to_thread(lambda: asyncio.run(self._sealed(pdf, organisation, name, country)))
            while len(self._made) >= KEPT:
                self._made.pop(next(iter(self._made)))
            self._made[mark] = made
        return self._made[mark]

    async def _sealed(self, pdf: bytes, organisation: str, name: str, country: str) -> bytes:
        root = self._authority
        key = _key(root.secret, f"organisation/{organisation}")
        certificate = root.issue(key, name, country, organisation)
        roots, lists = [_asn1(root.certificate)], [root.revocations(_now())]
        if self._remote:
            roots, lists = roots + self._remote.roots, lists + await self._remote.revocations()
        trust = ValidationContext(
            trust_roots=roots,
            crls=lists,
            allow_fetching=False,
            revocation_mode="require",
        )
        signer = _signer(certificate, key, root)
        wishes = signers.PdfSignatureMetadata(
            field_name="Seal",
            md_algorithm="sha256",
            name=name,
            reason="Electronic seal (advanced)",
            subfilter=SigSeedSubFilter.PADES,
            embed_validation_info=True,
            use_pades_lta=True,
            validation_context=trust,
            signer_key_usage={"non_repudiation"},
        )
        out = await signers.PdfSigner(wishes, signer, timestamper=self._clock).async_sign_pdf(
            IncrementalPdfFileWriter(io.BytesIO(pdf))
        )
        return _to_the_last_stamp(bytes(out.getbuffer()))

    def authorities(self) -> list[bytes]:
        return [_der(_Authority(secret).certificate) for secret in self._ring.values()]

    def clocks(self) -> list[bytes]:
        return self.authorities() + [each.dump() for each in (self._remote.roots if self._remote else [])]


def _to_the_last_stamp(pdf: bytes) -> bytes:
    """The file up to the end of what its last time stamp covers; its validation material stands before that already."""
    _, _, start, length = PdfFileReader(io.BytesIO(pdf)).embedded_timestamp_signatures[-1].byte_range
    return pdf[: int(start) + int(length)]


def seals_of(settings: Settings) -> SealProvider:
    """Who seals files here: the provider that the settings name, or keys of this installation."""
    if settings.seal_provider:
        module, _, name = settings.seal_provider.partition(":")
        named = getattr(import_module(module), name)(settings)
        if not isinstance(named, SealProvider):
            raise TypeError(f"SEAL_PROVIDER names no provider of seals: {settings.seal_provider}")
        return named
    clock = remote_clock(settings.time_stamp_url, settings.time_stamp_authorities, settings.time_stamp_revocations)
    return LocalSeals(keyring(settings.codec_key_file, "file-seals"), clock)


class _Authority:
    """The installation's own certificate authority, under one key of the ring."""

    def __init__(self, secret: bytes) -> None:
        self.secret = secret
        self.key = _key(secret, "authority")
        self.subject = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Bordereau"),
                x509.NameAttribute(NameOID.COMMON_NAME, f"Bordereau seals {self._mark()}"),
            ]
        )
        self.certificate = (
            self._begun(self.subject, self.key.public_key(), "authority")
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(certificates=True), critical=True)
            .sign(self.key, hashes.SHA256(), ecdsa_deterministic=True)
        )

    def issue(self, key: ec.EllipticCurvePrivateKey, name: str, country: str, organisation: str) -> x509.Certificate:
        """The certificate of an organisation's sealing key; its id stands in it as a URI."""
        shown = name[:64] or organisation
        subject = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, shown), x509.NameAttribute(NameOID.COMMON_NAME, shown)]
        if len(country) == 2 and country.isascii() and country.isalpha():
            subject.insert(0, x509.NameAttribute(NameOID.COUNTRY_NAME, country))
        said = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(f"urn:uuid:{organisation}")])
        return (
            self._begun(x509.Name(subject), key.public_key(), f"{organisation}/{shown}/{country}")
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(), critical=True)
            .add_extension(said, critical=False)
            .sign(self.key, hashes.SHA256(), ecdsa_deterministic=True)
        )

    def clock(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        """Certificate and key of the local time-stamp authority."""
        key = _key(self.secret, "clock")
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Bordereau time stamps {self._mark()}")])
        made = (
            self._begun(subject, key.public_key(), "clock")
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
            .sign(self.key, hashes.SHA256(), ecdsa_deterministic=True)
        )
        return made, key

    def revocations(self, now: datetime) -> bytes:
        """The list of revoked certificates as of now: none."""
        made = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.subject)
            .last_update(now - timedelta(minutes=1))
            .next_update(now + timedelta(days=30))
            .add_extension(x509.CRLNumber(int(now.timestamp())), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        return made.public_bytes(serialization.Encoding.DER)

    def _mark(self) -> str:
        return hashlib.sha256(self.secret).hexdigest()[:8]

    def _begun(self, subject: x509.Name, public: ec.EllipticCurvePublicKey, said: str) -> x509.CertificateBuilder:
        serial = int.from_bytes(hmac.digest(self.secret, f"serial/{said}".encode(), "sha256")[:16]) >> 1 or 1
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.subject)
            .public_key(public)
            .serial_number(serial)
            .not_valid_before(BEGINS)
            .not_valid_after(ENDS)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
        )


class LocalClock(TimeStamper):
    """A time-stamp authority (RFC 3161) in this process."""

    def __init__(self, authority: _Authority) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        certificate, key = authority.clock()
        self._subject = _asn1(certificate).subject
        self._signer = _signer(certificate, key, authority)

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """One time stamp over what is asked."""
        info: dict[str, Any] = {
            "version": "v1",
            "policy": tsp.ObjectIdentifier(POLICY),
            "message_imprint": req["message_imprint"],
            "serial_number": int.from_bytes(hashlib.sha256(req.dump()).digest()[:15]),
            "gen_time": datetime.now(UTC).replace(microsecond=0),
            "tsa": asn1_x509.GeneralName(name="directory_name", value=self._subject),
        }
        if req["nonce"].native is not None:
            info["nonce"] = req["nonce"]
        content = cms.EncapsulatedContentInfo(
            {"content_type": "tst_info", "content": core.ParsableOctetString(tsp.TSTInfo(info).dump())}
        )
        token = await self._signer.async_sign_general_data(content, "sha256", detached=False)
        return tsp.TimeStampResp(
            {"status": tsp.PKIStatusInfo({"status": tsp.PKIStatus("granted")}), "time_stamp_token": token}
        )


# ---- keys and certificates --------------------------------------------------------------------------------------


def _now() -> datetime:
    return datetime.now(UTC)


def _key(secret: bytes, purpose: str) -> ec.EllipticCurvePrivateKey:
    """The P-256 key of one purpose; twice the length of the order, so that no value is likelier than another."""
    drawn = hmac.digest(secret, f"p256/1/{purpose}".encode(), "sha512")
    return ec.derive_private_key(int.from_bytes(drawn) % (ORDER - 1) + 1, ec.SECP256R1())


def _usage(certificates: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        content_commitment=not certificates,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _signer(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey, authority: _Authority) -> signers.Signer:
    private = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return signers.SimpleSigner(
        signing_cert=_asn1(certificate),
        signing_key=keys.PrivateKeyInfo.load(private),
        cert_registry=SimpleCertificateStore.from_certs(  # type: ignore[no-untyped-call]
            [_asn1(authority.certificate)]
        ),
        signature_mechanism=algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
    )


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def _asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(_der(certificate))
