"""Certificates of every kind, good and bad, made on the spot by an authority of the test's own."""

import ipaddress
import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AT = datetime(2026, 3, 8, 14, 37, tzinfo=UTC)
"""When all of it is judged, unless a test says otherwise."""
DAY = timedelta(days=1)
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def named(name: str) -> x509.Name:
    """A subject."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@cache
def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    """A key of that length; making one takes a moment."""
    return rsa.generate_private_key(65537, bits)


@dataclass(frozen=True)
class Issued:
    """A certificate with its key, and who issued it (itself for a root)."""

    certificate: x509.Certificate
    key: Key
    by: "Issued | None" = None

    @classmethod
    def root(cls, name: str = "test root", after: datetime = AT + 3650 * DAY) -> Self:
        """An authority that signed itself."""
        return cls._make(name, None, (), AT - 3650 * DAY, after, is_ca=True)

    @property
    def pem(self) -> str:
        """The certificate alone."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def der(self) -> bytes:
        """The same in DER."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def intermediate(self, name: str = "test intermediate") -> "Issued":
        """An authority under this one."""
        return self._make(name, self, (), AT - 1000 * DAY, AT + 1000 * DAY, is_ca=True)

    def issue(
        self,
        *names: str,
        before: datetime = AT - 30 * DAY,
        after: datetime = AT + 60 * DAY,
        key: Key | None = None,
        usage: x509.ObjectIdentifier | None = ExtendedKeyUsageOID.SERVER_AUTH,
    ) -> "Issued":
        """A certificate for names and addresses."""
        return self._make(names[0] if names else "nobody", self, names, before, after, key=key, usage=usage)

    @classmethod
    def alone(
        cls, *names: str, before: datetime = AT - 30 * DAY, after: datetime = AT + 60 * DAY, name: str = ""
    ) -> "Issued":
        """A certificate that nobody signed but its holder."""
        return cls._make(name or names[0], None, names, before, after)

    @classmethod
    def _make(
        cls, name: str, by: "Issued | None", names: tuple[str, ...], before: datetime, after: datetime,
        is_ca: bool = False, key: Key | None = None, usage: x509.ObjectIdentifier | None = None,
    ) -> Self:  # fmt: skip
        own = key or ec.generate_private_key(ec.SECP256R1())
        builder = (
            x509.CertificateBuilder()
            .subject_name(named(name))
            .issuer_name(by.certificate.subject if by else named(name))
            .public_key(own.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(before)
            .not_valid_after(after)
            .add_extension(x509.BasicConstraints(is_ca, None), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(list(map(_name, names))), False)
        if usage:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), False)
        return cls(builder.sign(by.key if by else own, hashes.SHA256()), own, by)

    def chain(self) -> str:
        """What a server sends: its own certificate and those of issuers that are no roots, in PEM."""
        above = self.by.chain() if self.by and self.by.by else ""
        return self.pem + above

    def context(self, extra: str = "") -> ssl.SSLContext:
        """A TLS server with this certificate; `extra` certificates are sent besides."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        secret = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        # The standard library loads a server's certificate from a file alone.
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "server.pem")
            file.write_text(secret.decode() + self.chain() + extra)
            made.load_cert_chain(file)
        return made


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)
