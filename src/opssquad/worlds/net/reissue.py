"""Certificates made anew under other names and at other dates, by keys that nobody keeps.

A certificate cannot be changed. The new one has what the old one had: names, dates and extensions, each as it
is after the change, and the new one of whoever issued the old issues it. Keys follow from a seed, so the
same certificates come out the same. A key that was too weak stays too weak, of another kind.
"""

import hashlib
from collections.abc import Callable, Iterable
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from opssquad.worlds.net.certificates import has_short_key, issued, read

Change = Callable[[str], str]


class Reissuer:
    """Makes certificates anew. `known` are the PEM texts of all that may have issued one another; `change`
    renames, `span` moves their dates."""

    def __init__(self, known: Iterable[str], change: Change, span: timedelta, seed: str) -> None:
        self._known = [each for text in known for each in x509.load_pem_x509_certificates(text.encode())]
        self._change, self._span, self._seed = change, span, seed
        self._made: dict[bytes, str] = {}

    def pem(self, text: str) -> str:
        """The certificates of a PEM text, made anew, in their order."""
        return "".join(map(self._one, x509.load_pem_x509_certificates(text.encode())))

    def told(self, said: dict[str, object]) -> dict[str, object]:
        """What an answer says of a certificate, as it says it of the new one; without its PEM it stays."""
        if not said.get("pem"):
            return said
        new = x509.load_pem_x509_certificate(self.pem(str(said["pem"])).encode())
        told = read(new.public_bytes(Encoding.DER)).model_dump(mode="json", exclude_defaults=True)
        return {key: told[key] for key in said if key in told}

    def _one(self, old: x509.Certificate) -> str:
        der = old.public_bytes(Encoding.DER)
        if der not in self._made:
            self._made[der] = self._issued(old).public_bytes(Encoding.PEM).decode()
        return self._made[der]

    def _issued(self, old: x509.Certificate) -> x509.Certificate:
        issuer = next((each for each in (old, *self._known) if issued(old, each)), None)
        key = self._key(issuer) if issuer else self._derived(f"unknown {old.issuer.rfc4514_string()}")
        builder = (
            x509.CertificateBuilder()
            .subject_name(self._name(old.subject))
            .issuer_name(self._name(old.issuer))
            .public_key(self._key(old).public_key())
            .serial_number(old.serial_number)
            .not_valid_before(old.not_valid_before_utc + self._span)
            .not_valid_after(old.not_valid_after_utc + self._span)
        )
        for each in old.extensions:
            if not isinstance(each.value, x509.SubjectKeyIdentifier | x509.AuthorityKeyIdentifier):
                builder = builder.add_extension(self._extension(each.value), each.critical)
        return builder.sign(key, hashes.SHA256(), ecdsa_deterministic=True)

    def _name(self, name: x509.Name) -> x509.Name:
        return x509.Name([x509.NameAttribute(each.oid, self._change(str(each.value))) for each in name])

    def _extension(self, value: x509.ExtensionType) -> x509.ExtensionType:
        if not isinstance(value, x509.SubjectAlternativeName):
            return value
        return x509.SubjectAlternativeName(
            [
                x509.DNSName(self._change(each.value)) if isinstance(each, x509.DNSName) else each
                for each in value
            ]
        )

    def _key(self, of: x509.Certificate) -> ec.EllipticCurvePrivateKey:
        about = of.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo).hex()
        return self._derived(about, ec.SECP192R1() if has_short_key(of) else ec.SECP256R1())

    def _derived(self, about: str, curve: ec.EllipticCurve | None = None) -> ec.EllipticCurvePrivateKey:
        drawn = hashlib.sha256(f"{self._seed} {about}".encode()).digest()
        # Less than the order of either curve, and not 0.
        return ec.derive_private_key(int.from_bytes(drawn[:20]) + 1, curve or ec.SECP256R1())
