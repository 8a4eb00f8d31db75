"""Certificates: what they say, and what is wrong with a chain of them at a moment, for a name. No sockets."""

import ipaddress
import ssl
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from OpenSSL import crypto

from opssquad.errors import ToolError
from opssquad.worlds.net.answers import Certificate, Verdict

ORDER: tuple[Verdict, ...] = (
    "broken", "expired", "not_yet_valid", "wrong_name", "self_signed", "unknown_issuer", "weak",
)  # fmt: skip
"""Verdicts as they are told: what stops every client comes first."""
SELF_SIGNED, UNKNOWN = 18, (2, 19, 20, 21)
"""OpenSSL's errors about the issuer: X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, and those that there is none, or
none that is trusted."""
DATES = {9, 10}
"""Its errors that a date is not reached yet, or is past."""
AT_ANY_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME, which pyOpenSSL has no name for."""
RSA_BITS, EC_BITS = 2048, 224
"""Shorter keys are refused by today's clients (112 bits of security, NIST SP 800-57)."""
WEAK_HASHES = ("md5", "sha1")
UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion)
"""What `cryptography` raises for bytes that are no certificate, or for parts of one that are wrong."""


E = TypeVar("E", bound=x509.ExtensionType)


@dataclass(frozen=True)
class Trust:
    """Who is trusted: certificates in PEM, and a file and a folder of them as OpenSSL keeps them."""

    pem: str = ""
    file: str | None = None
    folder: str | None = None


def system_trust(pem: str = "") -> Trust:
    """Those that this system trusts, and the ones given besides."""
    found = ssl.get_default_verify_paths()
    return Trust(pem, found.cafile, found.capath)


def read(der: bytes) -> Certificate:
    """What a certificate says; only the problem of one that cannot be read."""
    try:
        found = x509.load_der_x509_certificate(der)
        return Certificate(
            subject=_line(found.subject.rfc4514_string()),
            issuer=_line(found.issuer.rfc4514_string()),
            names=tuple(_line(str(each)) for each in (*_dns_names(found), *_ip_names(found))),
            not_before=found.not_valid_before_utc,
            not_after=found.not_valid_after_utc,
            serial=f"{found.serial_number:x}",
            self_signed=issued(found, found),
            key=_key(found),
            pem=found.public_bytes(serialization.Encoding.PEM).decode(),
        )
    except UNREADABLE as error:
        return Certificate(problem=_line(str(error))[:200] or type(error).__name__)


def _line(text: str) -> str:
    """On one line: whoever made the certificate chose the text."""
    return " ".join(text.split())


def faults(chain: Sequence[Certificate], name: str, at: datetime, trusted: Trust) -> tuple[Verdict, ...]:
    """What is wrong with a chain, the server's own certificate first, for whoever asks for that name or
    address at that moment and trusts those; pure but for the files of `trusted`."""
    sent = [parsed for each in chain if (parsed := _parsed(each)) is not None]
    if not sent or _parsed(chain[0]) is None:
        return ("broken",)
    found = set(_path(sent, at, trusted)) | set(_weak(sent))
    if not covers(sent[0], name):
        found.add("wrong_name")
    if len(sent) < len(chain) or not _for_servers(sent[0]):
        found.add("broken")
    return tuple(each for each in ORDER if each in found)


def _parsed(certificate: Certificate) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(certificate.pem.encode())
    except UNREADABLE:
        return None


def covers(certificate: x509.Certificate, name: str) -> bool:
    """Whether a certificate is for that name or address. Common names count for nothing, as in browsers, Go
    and curl; a wildcard stands for one whole label, the first."""
    bare = name.partition("%")[0] if ":" in name else name.rstrip(".").lower()
    with suppress(ValueError):
        return ipaddress.ip_address(bare) in _ip_names(certificate)
    return any(_matches(each.rstrip(".").lower(), bare) for each in _dns_names(certificate))


def _matches(pattern: str, name: str) -> bool:
    if not pattern.startswith("*."):
        return pattern == name
    _, dot, parent = name.partition(".")
    # As OpenSSL: a wildcard for a whole top-level domain is none.
    return bool(dot) and parent == pattern[2:] and "." in parent


def _dns_names(certificate: x509.Certificate) -> list[str]:
    found = _extension(certificate, x509.SubjectAlternativeName)
    return found.get_values_for_type(x509.DNSName) if found else []


def _ip_names(certificate: x509.Certificate) -> list[object]:
    found = _extension(certificate, x509.SubjectAlternativeName)
    return list(found.get_values_for_type(x509.IPAddress)) if found else []


def _extension(certificate: x509.Certificate, kind: type[E]) -> E | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def issued(certificate: x509.Certificate, by: x509.Certificate) -> bool:
    """Whether it was signed by the key of the other, under its name."""
    try:
        certificate.verify_directly_issued_by(by)
    except (*UNREADABLE, InvalidSignature):
        return False
    return True


def _key(certificate: x509.Certificate) -> str:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey | dsa.DSAPublicKey):
        return f"{'RSA' if isinstance(key, rsa.RSAPublicKey) else 'DSA'} {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {key.curve.name}"
    return type(key).__name__.lstrip("_").removesuffix("PublicKey")


def _path(sent: Sequence[x509.Certificate], at: datetime, trusted: Trust) -> Iterator[Verdict]:
    """What is wrong with the way to somebody who is trusted. OpenSSL tells its first error only: a date would
    hide the issuer, so it is asked once more without dates, which are then looked at one by one."""
    error, path = _verified(sent, at, trusted)
    if not error:
        return
    if error in DATES:
        error, path = _verified(sent, None, trusted)
    if error == SELF_SIGNED:
        yield "self_signed"
    elif error in UNKNOWN:
        yield "unknown_issuer"
    elif error:
        yield "broken"
    for each in path or sent:
        if at > each.not_valid_after_utc:
            yield "expired"
        if at < each.not_valid_before_utc:
            yield "not_yet_valid"


def _verified(
    sent: Sequence[x509.Certificate], at: datetime | None, trusted: Trust
) -> tuple[int, list[x509.Certificate]]:
    """OpenSSL's error, 0 for none, and the path that it found; at any time without a moment."""
    store = crypto.X509Store()
    for each in _trusted(trusted.pem):
        store.add_cert(each)
    if trusted.file or trusted.folder:
        try:
            store.load_locations(trusted.file, trusted.folder)
        except crypto.Error as error:
            where = trusted.file or trusted.folder
            raise ToolError(f"the certificates that this system trusts cannot be read: {where}") from error
    # Whoever put an intermediate into the store trusts it, as Go does.
    store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN | (0 if at else AT_ANY_TIME))
    if at:
        store.set_time(at.astimezone(UTC))
    own, *others = (crypto.X509.from_cryptography(each) for each in sent)
    try:
        path = crypto.X509StoreContext(store, own, others).get_verified_chain()
    except crypto.X509StoreContextError as error:
        return int(error.errors[0]), []
    return 0, [each.to_cryptography() for each in path]


def _trusted(pem: str) -> list[crypto.X509]:
    if not pem.strip():
        return []
    found = x509.load_pem_x509_certificates(pem.encode())
    return [crypto.X509.from_cryptography(each) for each in found]


def _weak(sent: Iterable[x509.Certificate]) -> Iterator[Verdict]:
    for each in sent:
        # Nobody checks the signature of a root: it is trusted for itself.
        hashed = each.subject != each.issuer and _hash(each) in WEAK_HASHES
        if hashed or has_short_key(each):
            yield "weak"


def has_short_key(certificate: x509.Certificate) -> bool:
    """Whether today's clients refuse its key."""
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey | dsa.DSAPublicKey):
        return key.key_size < RSA_BITS
    return isinstance(key, ec.EllipticCurvePublicKey) and key.key_size < EC_BITS


def _hash(certificate: x509.Certificate) -> str:
    try:
        found = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return ""
    return found.name if found else ""


def _for_servers(certificate: x509.Certificate) -> bool:
    usage = _extension(certificate, x509.ExtendedKeyUsage)
    allowed = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)
    return usage is None or any(each in usage for each in allowed)
