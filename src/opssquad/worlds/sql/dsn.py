"""Which database is meant, as whom: a connection string of libpq, a service, or a Secret of the cluster.

A password never leaves this module but to the server: what is shown, stored and recorded has none.
"""

import base64
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import SecretStr

from opssquad.errors import ToolError, UsageError
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

ZALANDO = re.compile(
    r"Secret (?P<namespace>[^/]+)/.+?\.(?P<cluster>[a-z0-9-]+)\.credentials\.postgresql\.acid\.zalan\.do"
)
"""The name of a login of Zalando's operator, which tells of the server in its name alone."""

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
    origin: str

    @property
    def server(self) -> str:
        """Where it is served: `host:port`."""
        return f"{self.host}:{self.port}"

    @property
    def where(self) -> str:
        """The database and its server, as messages name them."""
        return f"database {self.dbname!r} at {self.server}"

    async def resolve(self) -> "Dsn":
        """Itself: nothing is left to be found out."""
        return self

    def described(self) -> Json:
        """For the record: where and as whom."""
        return {
            "server": self.server,
            "database": self.dbname,
            "user": self.user,
            "origin": self.origin,
        }


def parse(text: str, origin: str = "--dsn") -> Dsn:
    """Read a connection string: words `host=... dbname=...`, an address `postgresql://...`, or
    `service=NAME`. Raises UsageError, which never shows it."""
    text = text.strip().removeprefix("jdbc:")
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
    if any("@" in host[1:] for host in words.get("host", "").split(",")):
        # The rest of a password would be taken for the host, and shown as such.
        raise UsageError(
            f"{origin} has an @ in its password or user; write it as %40, or give words: host=..."
        )
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


class Referred:
    """The database that a Secret of the cluster tells of. The Secret is read when the database is first asked
    for something: that we come for it is on record by then."""

    def __init__(self, reference: re.Match[str], read: Reader) -> None:
        self._reference, self._read = reference, read
        self._found: Dsn | None = None
        self.origin = f"Secret {reference['namespace']}/{reference['name']}"

    @property
    def dbname(self) -> str:
        """The database's name, once it is known."""
        return self._found.dbname if self._found else self.origin

    @property
    def server(self) -> str:
        """Where it is served, once it is known."""
        return self._found.server if self._found else "(not asked yet)"

    @property
    def where(self) -> str:
        """The database and its server, as messages name them."""
        return self._found.where if self._found else f"the database of {self.origin}"

    def described(self) -> Json:
        """For the record: where the login is from, and where and as whom once that is known."""
        return self._found.described() if self._found else {"origin": self.origin}

    async def resolve(self) -> Dsn:
        """By the key named, by a key that usually holds an address, or by parts. Raises ToolError."""
        if self._found is None:
            namespace, name, key = self._reference.group("namespace", "name", "key")
            data = {each: _plain(value) for each, value in (await self._read(namespace, name)).items()}
            try:
                self._found = of_secret(self.origin, data, key or "")
            except UsageError as error:
                raise ToolError(str(error)) from error
        return self._found


Meant = Dsn | Referred
"""A database that is meant: with its login, or with where that is kept."""


def of_secret(place: str, data: dict[str, str], key: str = "") -> Dsn:
    """The database that the data of a Secret tells of, its values decoded. Raises UsageError."""
    if key:
        if key not in data:
            raise UsageError(f"{place} has no key {key!r}; it has: {', '.join(sorted(data)) or 'none'}")
        return parse(data[key], f"{place}, key {key}")
    low = {each.lower(): value for each, value in data.items()}
    if address := next((each for each in URL_KEYS if each in low), ""):
        return parse(low[address], f"{place}, key {address}")
    words = {part: low[each] for part, keys in PARTS.items() for each in reversed(keys) if each in low}
    if "host" not in words and (named := ZALANDO.fullmatch(place)):
        words = {"host": f"{named['cluster']}.{named['namespace']}", "dbname": "postgres", **words}
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
