"""Which database is meant, as whom: a connection string of libpq, a service, or a Secret of the cluster.

A password never leaves this module but to the server: what is shown, stored and recorded has none.
"""

import base64
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import SecretStr

from opssquad.errors import UsageError
from opssquad.types import Json
from opssquad.worlds.sql.trouble import one_line

SECRET = re.compile(r"secret:(?P<namespace>[a-z0-9.-]+)/(?P<name>[a-z0-9.-]+)(?:/(?P<key>[\w.-]+))?")
HIDDEN = ("password", "sslpassword", "passfile", "sslkey", "oauth_client_secret")
URL_KEYS = (
    "dsn",
    "uri",
    "url",
    "database_url",
    "database-url",
    "connection",
    "connection-string",
    "jdbc-url",
)
"""Keys under which a Secret holds a whole address, best first; case does not matter."""
PARTS: dict[str, tuple[str, ...]] = {
    "host": ("host", "hostname", "pghost", "postgres_host", "db_host", "endpoint"),
    "port": ("port", "pgport", "postgres_port", "db_port"),
    "dbname": ("dbname", "database", "pgdatabase", "postgres_db", "postgresql_database", "db_name", "name"),
    "user": ("user", "username", "pguser", "postgres_user", "db_user", "login"),
    "password": ("password", "pgpassword", "postgres_password", "db_password", "pass"),
}
"""Keys under which operators and charts hold the parts of one."""

Reader = Callable[[str, str], Awaitable[dict[str, str]]]
"""Reads the data of a Secret, base64 as the API gives it: namespace, name."""


@dataclass(frozen=True)
class Dsn:
    """A database and a login. `conninfo` is for the server alone; `public` is the same without secrets."""

    conninfo: SecretStr
    public: str
    host: str
    port: str
    dbname: str
    user: str
    origin: str = field(default="--dsn")

    def described(self) -> Json:
        """For the record: where and as whom."""
        return {
            "server": f"{self.host}:{self.port}",
            "database": self.dbname,
            "user": self.user,
            "origin": self.origin,
        }


def parse(text: str, origin: str = "--dsn") -> Dsn:
    """Read a connection string: words `host=... dbname=...`, an address `postgresql://...`, or
    `service=NAME`. Raises UsageError, which never shows it."""
    text = text.strip()
    if text.startswith("jdbc:"):
        text = text.removeprefix("jdbc:")
    if not text:
        raise UsageError(
            f"{origin} is empty; give host=... dbname=... user=..., or postgresql://..., or service=NAME"
        )
    try:
        words = {name: str(value) for name, value in conninfo_to_dict(text).items() if value is not None}
    except ProgrammingError as error:
        said = one_line(str(error))
        raise UsageError(
            f"{origin} is no connection string of PostgreSQL: {_without(said, text)}; give host=..."
            " dbname=... user=..., or postgresql://user@host/dbname, or service=NAME"
        ) from None
    public = make_conninfo("", **{name: value for name, value in words.items() if name not in HIDDEN})
    return Dsn(
        conninfo=SecretStr(make_conninfo("", **words)),
        public=public,
        host=words.get("host")
        or words.get("hostaddr")
        or (words.get("service") and "service " + words["service"])
        or "local socket",
        port=words.get("port", "5432"),
        dbname=words.get("dbname") or words.get("user") or words.get("service") or "postgres",
        user=words.get("user", ""),
        origin=origin,
    )


def secret_of(text: str) -> re.Match[str] | None:
    """The parts of `secret:NAMESPACE/NAME[/KEY]`; None for any other text. Raises UsageError for a
    reference that is none."""
    if not text.startswith("secret:"):
        return None
    found = SECRET.fullmatch(text.strip())
    if found is None:
        raise UsageError(
            f"--dsn {text!r} refers to no Secret; write secret:NAMESPACE/NAME or secret:NAMESPACE/NAME/KEY"
        )
    return found


async def from_secret(found: re.Match[str], read: Reader) -> Dsn:
    """The database that a Secret tells of: by the key named, by a key that usually holds an address, or by
    its parts. Raises UsageError, ToolError."""
    place = f"Secret {found['namespace']}/{found['name']}"
    data = {key: _plain(value) for key, value in (await read(found["namespace"], found["name"])).items()}
    if key := found["key"]:
        if key not in data:
            raise UsageError(f"{place} has no key {key!r}; it has: {', '.join(sorted(data)) or 'none'}")
        return parse(data[key], f"{place}, key {key}")
    low = {key.lower(): value for key, value in data.items()}
    for key in URL_KEYS:
        if key in low:
            return parse(low[key], f"{place}, key {key}")
    words = {part: low[key] for part, keys in PARTS.items() for key in reversed(keys) if key in low}
    if "host" not in words:
        raise UsageError(
            f"{place} tells of no database; name the key, secret:NAMESPACE/NAME/KEY, of:"
            f" {', '.join(sorted(data)) or 'none'}"
        )
    return parse(make_conninfo("", **words), place)


def _plain(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode()
    except (ValueError, UnicodeDecodeError):
        return ""


def _without(said: str, text: str) -> str:
    """What was said without the words of the connection string, which may be a password."""
    for word in re.split(r"[\s='\":@/]+", text):
        if len(word) > 2:
            said = said.replace(word, "...")
    return said
