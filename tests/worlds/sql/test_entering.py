"""What keeps us out of a real server, each said in one clear line."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from opssquad.worlds.sql import connections
from opssquad.worlds.sql.trouble import Kind
from tests.postgres.binaries import as_server
from tests.postgres.server import Server, running
from tests.worlds.sql.opened import opened, refused

PASSWORD = "correct-horse"
RULES = (
    "host all walled 127.0.0.1/32 reject",
    "hostssl all armed 127.0.0.1/32 trust",
    "host all armed 127.0.0.1/32 reject",
    "host all locked 127.0.0.1/32 scram-sha-256",
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        server.run(
            f"create role locked login password '{PASSWORD}'", "create role walled login",
            "create role armed login", "create role group_of_some",
            "create database closed", "alter database closed allow_connections false",
            "create role late login password 'x' valid until '2001-01-01'",
        )  # fmt: skip
        server.hba(*RULES)
        yield server


@pytest.mark.parametrize(
    ("user", "more", "kind", "said"),
    [
        ("locked", {"password": "wrong-horse"}, "login", 'password authentication failed for user "locked"'),
        ("locked", {}, "login", "no password supplied"),
        ("walled", {}, "login", "pg_hba.conf rejects connection"),
        ("nobody", {}, "login", 'role "nobody" does not exist'),
        ("group_of_some", {}, "login", "is not permitted to log in"),
        ("postgres", {"dbname": "nowhere"}, "name", 'database "nowhere" does not exist'),
        ("postgres", {"dbname": "closed"}, "name", "is not currently accepting connections"),
        ("postgres", {"sslmode": "require"}, "tls", "server does not support SSL"),
        ("armed", {"sslmode": "disable"}, "login", "no encryption"),
        ("postgres", {"host": "nosuch.invalid"}, "name", "failed to resolve host"),
        ("postgres", {"port": "many"}, "name", "invalid integer value .*many"),
        ("postgres", {"port": "70000"}, "name", "invalid port number"),
        ("postgres", {"sslmode": "perhaps"}, "name", "invalid sslmode value"),
        ("postgres", {"service": "nosuch"}, "name", "nosuch"),
    ],
)
async def test_what_keeps_us_out_is_said_in_one_line(
    server: Server, user: str, more: dict[str, str], kind: Kind, said: str
) -> None:
    error = await refused(server.dsn(user, **more), kind, said)
    assert "horse" not in f"{error!s}{error!r}"
    assert "check" in str(error)


async def test_the_right_password_lets_in_and_is_nowhere_to_be_read(server: Server) -> None:
    async with opened(server.dsn("locked", password=PASSWORD)) as database:
        assert (await database.facts())["role"] == "locked"
        told = f"{database.login()}{database.name}{database.server}{await database.identity()}"
    assert PASSWORD not in told


async def test_a_port_where_nobody_listens_is_said_to_be_one() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    error = await refused(f"host=127.0.0.1 port={port} dbname=x user=y", "away", "Connection refused")
    assert f"at 127.0.0.1:{port}" in str(error)
    await refused(f"host=/nosuch port={port} dbname=x user=y", "away", "No such file")


async def test_who_listens_and_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "CONNECTING", 2)
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        await refused(f"host=127.0.0.1 port={sock.getsockname()[1]} dbname=x user=y", "away", "timeout")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate with")
async def test_certificates_are_checked_as_the_dsn_asks(tmp_path: Path) -> None:
    own, other = certificate(tmp_path, "own"), certificate(tmp_path, "other")
    nosuch = tmp_path / "nosuch"
    # Debian's server: that of the wheel is built without TLS.
    with running("15") as server:
        encrypted(server, own)
        for root, host, said in (
            (other, "localhost", "certificate verify failed"),
            (own, "127.0.0.1", 'server certificate for "localhost" does not match host name'),
            (nosuch, "localhost", "root certificate file .* does not exist"),
        ):
            words = {"sslmode": "verify-full", "sslrootcert": str(root.with_suffix(".crt")), "host": host}
            await refused(server.dsn(**words), "tls", said)
        words = {"sslmode": "verify-full", "sslrootcert": str(own.with_suffix(".crt")), "host": "localhost"}
        async with opened(server.dsn(**words)) as database:
            assert (
                await database.select("select ssl::text from pg_stat_ssl where pid = pg_backend_pid()")
            ).rows


def encrypted(server: Server, own: Path) -> None:
    """Have a server speak TLS with that certificate."""
    for suffix in ("crt", "key"):
        shutil.copy(own.with_suffix(f".{suffix}"), server.data / f"own.{suffix}")
        if user := as_server():
            shutil.chown(server.data / f"own.{suffix}", user["user"], user["group"])
    server.settings |= {"ssl": "on", "ssl_cert_file": "own.crt", "ssl_key_file": "own.key"}
    server.restart()


def certificate(folder: Path, name: str) -> Path:
    """A certificate of localhost, signed by itself: two files of that name."""
    path = folder / name
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-keyout", path.with_suffix(".key"), "-out", path.with_suffix(".crt"), "-days", "2",
         "-subj", "/CN=localhost", "-addext", "basicConstraints=critical,CA:TRUE"],
        check=True, capture_output=True,
    )  # fmt: skip
    path.with_suffix(".key").chmod(0o600)
    return path
