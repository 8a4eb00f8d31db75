"""Recorded networks for the tests: folders as people write them, with certificates that were just made."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from opssquad.worlds.net.network import Network
from opssquad.worlds.net.recorded import ReadObject, RecordedNetwork

CLOCK = datetime(2028, 4, 3, 9, 30, tzinfo=UTC)
ZONE = """\
$ORIGIN tern.example.
@ 300 IN SOA ns.tern.example. admin.tern.example. 1 3600 600 86400 60
@ 300 IN NS ns
ns 300 IN A 192.0.2.53
www 60 IN CNAME edge
edge 60 IN A 192.0.2.80
edge 60 IN AAAA 2001:db8::80
far 60 IN CNAME cdn.elsewhere.example.
*.apps 60 IN A 192.0.2.81
deep.tree.apps2 60 IN A 192.0.2.82
"""
ORIGINS = """\
origins:
  - name: ""
    says: a pod in namespace shop
    resolvers: [192.0.2.53]
    search: [shop.tern.example, tern.example]
    ndots: 2
  - {name: node/k2, says: node k2, resolvers: [192.0.2.99, 192.0.2.53], clock_ahead: 3456000}
"""
SERVER = "servers:\n  - {address: 192.0.2.53, zones: [tern], ms: 2, authoritative: true}\n"


def written(folder: Path, text: str, **files: str) -> Path:
    """A recording's folder with that network.yaml, after the usual origins; other files by their path, `/`
    written as two underlines and `.` as one."""
    network = folder / "network"
    (network / "zones").mkdir(parents=True)
    (network / "certificates").mkdir()
    (network / "network.yaml").write_text(ORIGINS + dedent(text))
    (network / "zones" / "tern.zone").write_text(ZONE)
    for name, content in files.items():
        (network / name.replace("__", "/").replace("_", ".")).write_text(content)
    return folder


def network(folder: Path, read: ReadObject | None = None) -> Network:
    """The handle on a recorded network, at its clock."""
    return Network(RecordedNetwork(folder, lambda: CLOCK, read))


def pem(name: str, begins: timedelta, ends: timedelta) -> str:
    """A certificate that signs itself, for that name, from and until so long after the clock."""
    key = ec.generate_private_key(ec.SECP256R1())
    called = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(called)
        .issuer_name(called)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(CLOCK + begins)
        .not_valid_after(CLOCK + ends)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM).decode()
