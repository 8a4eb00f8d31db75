"""Starts PostgreSQL servers for tests: on loopback and a socket, with an archive of nothing and no fsync.

`OPSSQUAD_TEST_DSN` names one that runs already, for the tests in `tests/tools/database/test_any_server.py`.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests.postgres.binaries import as_server, folder

SUPERUSER = "postgres"
STARTING = 30.0
"""Seconds until a server must answer."""
ROOMY = 4 * 2**30
"""Bytes that must be free in memory for servers to be there."""
SETTINGS: Mapping[str, str] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "listen_addresses": "127.0.0.1",
    "wal_level": "logical",
    "max_wal_senders": "6",
    "max_replication_slots": "6",
    "shared_preload_libraries": "pg_stat_statements",
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "postgresql.log",
    "log_line_prefix": "%m [%p] %q%u@%d %a ",
    "log_lock_waits": "on",
    "deadlock_timeout": "200ms",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
}


@dataclass
class Server:
    """A server that runs. `home` is its folder, `data` inside it its cluster; `password` is the
    superuser's, and asked for over TCP only where `pg_hba` says so."""

    bin: Path
    home: Path
    port: int
    settings: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        """The folder of the database cluster."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.data / "log" / "postgresql.log"

    def dsn(self, user: str = SUPERUSER, dbname: str = "postgres", **more: str) -> str:
        """A connection string over TCP."""
        parts: dict[str, str] = {
            "host": "127.0.0.1", "port": str(self.port), "user": user, "dbname": dbname, **more,
        }  # fmt: skip
        return psycopg.conninfo.make_conninfo("", **parts)

    def connect(self, user: str = SUPERUSER, dbname: str = "postgres", **more: str) -> psycopg.Connection:
        """A connection in autocommit."""
        return psycopg.connect(self.dsn(user, dbname, **more), autocommit=True)

    def run(self, *statements: str, dbname: str = "postgres", user: str = SUPERUSER) -> None:
        """Run statements one after another, each on its own."""
        with self.connect(user, dbname) as connection:
            for statement in statements:
                connection.execute(statement)

    def start(self) -> None:
        """Start it and wait until it answers. Raises RuntimeError with the end of its log."""
        options = [f"-c{name}={value}" for name, value in {**SETTINGS, **self.settings}.items()]
        said = (self.home / "stderr").open("ab")
        self.process = subprocess.Popen(
            [self.bin / "postgres", "-D", self.data, "-p", str(self.port), "-k", self.home, *options],
            stdout=said,
            stderr=said,
            cwd=self.home,
            env={"LC_ALL": "C", "PATH": "/usr/bin:/bin", "TZ": "UTC"},
            **as_server(),
        )
        said.close()
        until = time.monotonic() + STARTING
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"PostgreSQL did not start: {self._end()}")
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT ends sessions, SIGTERM waits for them, SIGQUIT is a crash."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            self.process.wait(STARTING)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(STARTING)
        self.process = None

    def restart(self) -> None:
        """Stop and start."""
        self.stop()
        self.start()

    def hba(self, *lines: str) -> None:
        """Put rules before those of pg_hba.conf, and have them read."""
        path = self.data / "pg_hba.conf"
        path.write_text("\n".join([*lines, path.read_text(encoding="utf-8")]), encoding="utf-8")
        self.run("select pg_reload_conf()")
        time.sleep(0.1)

    def _answers(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(self.dsn(connect_timeout="2")).close()
            return True
        return False

    def _end(self) -> str:
        paths = [self.home / "stderr", self.log]
        return "\n".join(path.read_text(errors="replace")[-2000:] for path in paths if path.exists())


@contextlib.contextmanager
def running(want: str = "", like: Path | None = None, **settings: str) -> Iterator[Server]:
    """A new server with those settings besides, gone at the end. `want`: a major version; `like`: the data
    of a server of that version that was stopped, to begin with."""
    with _home() as home:
        binaries = folder(want)
        if like:
            shutil.copytree(like, home / "data", ignore=shutil.ignore_patterns("log"))
            _owned(home / "data")
        else:
            _initdb(binaries, home / "data")
        server = Server(binaries, home, _free_port(), settings)
        try:
            server.start()
            yield server
        finally:
            server.stop()


@contextlib.contextmanager
def replica_of(primary: Server, slot: str = "", name: str = "replica", **settings: str) -> Iterator[Server]:
    """A streaming replica of a server, by a slot of that name if one is given; `name` is its
    application_name at the primary."""
    with _home() as home:
        given = ["-C", "-S", slot] if slot else []
        given += ["-X", "stream", "-c", "fast"]
        _run(primary.bin / "pg_basebackup", "-D", home / "data", "-d", primary.dsn(), *given)
        line = f"primary_conninfo = '{primary.dsn(application_name=name)}'\n"
        line += f"primary_slot_name = '{slot}'\n" if slot else ""
        (home / "data" / "standby.signal").touch()
        with (home / "data" / "postgresql.auto.conf").open("a") as conf:
            conf.write(line)
        _owned(home / "data")
        server = Server(primary.bin, home, _free_port(), {**primary.settings, **settings})
        try:
            server.start()
            yield server
        finally:
            server.stop()


@contextlib.contextmanager
def _home() -> Iterator[Path]:
    # A socket's path may have 107 characters: the folder is short.
    home = Path(tempfile.mkdtemp(prefix="pg-", dir=_quick()))
    try:
        _owned(home)
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _quick() -> str:
    """Memory, if there is enough of it for many servers: a cluster is a thousand files."""
    memory = Path("/dev/shm")
    enough = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOMY
    return str(memory) if enough else "/tmp"


def _owned(path: Path) -> None:
    if user := as_server():
        for each in (path, *path.rglob("*")):
            os.chown(each, user["user"], user["group"])


def _initdb(binaries: Path, data: Path) -> None:
    flags = ["-U", SUPERUSER, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
    _run(binaries / "initdb", "-D", data, *flags)


def _run(*command: str | Path) -> None:
    made = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, cwd="/tmp", env={"LC_ALL": "C"},
        **as_server(),
    )  # fmt: skip
    if made.returncode:
        raise RuntimeError(f"{command[0]} failed: {made.stderr[-2000:]}")


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
