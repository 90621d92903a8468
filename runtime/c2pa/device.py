"""The identity of this device: a key that never leaves it, and a certificate that nobody but the device vouches for.

It is made when a picture is first signed. C2PA takes no certificate that signed itself, so an authority is made for
this one signature, and its own key thrown away. No host or user name stands in either, only a hash of the key, by
which it can be told that two pictures come from one device.
"""

import datetime
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import OutputError
from ..files import beside, home, remove_folder, written_to
from .library import library

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

ORGANISATION: Final = "EdgeVLo, self-signed"
_KEY, _CHAIN = "key.pem", "certificates.pem"
# A board without a battery starts in 1970 and signs all the same; RFC 5280's date of certificates that do not end.
_FROM: Final = datetime.datetime(2026, 1, 1)
_UNTIL: Final = datetime.datetime(9999, 12, 31, 23, 59, 59)
_END: Final = "-----END CERTIFICATE-----\n"


@dataclass(frozen=True, slots=True, repr=False)
class Device:
    """A private key (PKCS #8) and its certificate with that of the authority behind it, all in PEM."""

    key: bytes
    chain: str

    @property
    def authority(self) -> str:
        """The certificate that vouches for the other one."""
        return self.chain.split(_END)[1] + _END


def folder() -> Path:
    """Return where the identity is kept: `$EDGEVLO_HOME/identity`, or `~/.edgevlo/identity`."""
    return home("identity")


def existing() -> Device | None:
    """Return this device's identity, None where it has none yet; raise `OutputError` for one that is damaged."""
    place = folder()
    try:
        device = Device((place / _KEY).read_bytes(), (place / _CHAIN).read_text(encoding="ascii"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise OutputError(
            f"{place} cannot be read ({error}); it holds the key that pictures are signed with."
        ) from error
    if not device.key.startswith(b"-----BEGIN PRIVATE KEY") or device.chain.count(_END) != 2:
        raise OutputError(f"{place} is damaged; remove it, and the next signature makes a new identity.")
    return device


def identity() -> Device:
    """Return this device's identity, made now where it has none; the first of several processes wins."""
    if (found := existing()) is not None:
        return found
    library()  # it brings the package that makes certificates
    place = folder()
    fresh = beside(place)
    try:
        with written_to(place):
            fresh.mkdir(mode=0o700, parents=True)
            _write(fresh, _made())
            _name(fresh, place)
    finally:
        remove_folder(fresh)
    if (device := existing()) is None:
        raise OutputError(f"{place} cannot be written; set EDGEVLO_HOME to a folder that keeps its files.")
    return device


def _name(fresh: Path, place: Path) -> None:
    try:
        fresh.rename(place)
    except OSError:
        if not place.is_dir():  # another process was faster
            raise


def _write(place: Path, device: Device) -> None:
    for name, content in ((_KEY, device.key), (_CHAIN, device.chain.encode())):
        descriptor = os.open(place / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())


def _made() -> Device:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, authority = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )  # fmt: skip
    name = f"EdgeVLo device {hashlib.sha256(public).hexdigest()[:8]}"
    certificates = (
        _certificate(name, key.public_key(), f"{name} authority", authority, is_authority=False),
        _certificate(f"{name} authority", authority.public_key(), f"{name} authority", authority, is_authority=True),
    )
    pem = serialization.Encoding.PEM
    return Device(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        "".join(one.public_bytes(pem).decode() for one in certificates),
    )


def _certificate(
    name: str, public: "EllipticCurvePublicKey", issuer: str, signer: "EllipticCurvePrivateKey", *, is_authority: bool
) -> "x509.Certificate":
    """Return a certificate with what C2PA 2.x asks of one (section 14.5), for a signer or the authority behind it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    def named(common: str) -> x509.Name:
        organisation = x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION)
        return x509.Name([organisation, x509.NameAttribute(NameOID.COMMON_NAME, common)])

    usage = x509.KeyUsage(
        digital_signature=not is_authority, key_cert_sign=is_authority, crl_sign=is_authority,
        content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    key_of_issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    builder = (
        x509.CertificateBuilder(named(issuer), named(name), public, x509.random_serial_number(), _FROM, _UNTIL)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=0 if is_authority else None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(key_of_issuer, critical=False)
        .add_extension(usage, critical=True)
    )
    if not is_authority:
        email = x509.ExtendedKeyUsage(
            [ExtendedKeyUsageOID.EMAIL_PROTECTION]
        )  # of those that C2PA takes, any may have it
        builder = builder.add_extension(email, critical=False)
    return builder.sign(signer, hashes.SHA256())
