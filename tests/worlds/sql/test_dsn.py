"""Which database is meant: words, addresses, services and Secrets; and that no password is to be read."""

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

from opssquad.errors import ToolError, UsageError
from opssquad.types import Json
from opssquad.worlds.sql.dsn import Dsn, Referred, parse, secret_of
from tests.postgres.server import running
from tests.worlds.sql.opened import opened

PASSWORD = "Zq7-hidden"
SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=382), min_size=3, max_size=30).map(
    "Zq7{}".format
)


@pytest.mark.parametrize(
    "text", [f"postgresql://web:p@{PASSWORD}@db/shop", f"postgresql://web:p@h,x@{PASSWORD}@db/shop"]
)
def test_a_password_with_an_at_sign_is_not_taken_for_a_host(text: str) -> None:
    with pytest.raises(UsageError, match="write it as %40") as raised:
        parse(text)
    assert PASSWORD not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "host", "port", "dbname", "user"),
    [
        (
            f"host=db.example port=5433 dbname=shop user=web password={PASSWORD}",
            "db.example",
            "5433",
            "shop",
            "web",
        ),
        (f"postgresql://web:{PASSWORD}@db.example:5433/shop", "db.example", "5433", "shop", "web"),
        (f"postgres://web:{PASSWORD}@db.example/shop?sslmode=require", "db.example", "5432", "shop", "web"),
        (
            f"jdbc:postgresql://db.example:6432/shop?user=web&password={PASSWORD}",
            "db.example",
            "6432",
            "shop",
            "web",
        ),
        ("  host=db.example user=web  ", "db.example", "5432", "web", "web"),
        ("hostaddr=10.0.0.7 dbname=shop", "10.0.0.7", "5432", "shop", ""),
        ("host=a,b port=1,2 dbname=shop", "a,b", "1,2", "shop", ""),
        ("dbname=shop", "local socket", "5432", "shop", ""),
        ("service=prod", "service prod", "5432", "prod", ""),
        ("postgresql://[::1]:5433/shop", "::1", "5433", "shop", ""),
    ],
)
def test_a_connection_string_is_read(text: str, host: str, port: str, dbname: str, user: str) -> None:
    found = parse(text)
    assert (found.host, found.port, found.dbname, found.user) == (host, port, dbname, user)
    assert PASSWORD not in f"{found!r}{found!s}{found.public}{found.described()}{found.where}"


@pytest.mark.parametrize(
    "text",
    ["", "   ", "shop", "host=a b", "mysql://web@db/shop", "host='a", "nosuch=1",
     "postgresql://%zz@db/shop", "jdbc:mysql://db/shop"],
)  # fmt: skip
def test_what_is_none_is_said_in_one_line_with_the_forms(text: str) -> None:
    with pytest.raises(UsageError, match="host=") as raised:
        parse(text)
    assert "\n" not in str(raised.value)


FORMS = (
    "host=db user=web password={}", "host=db password='{}", "password={} nosuch=1", "postgresql://web:{}@db/shop",
    "postgresql://web:{}@db:port/shop", "postgresql://web:{}%zz@db/shop", "jdbc:postgresql://db/shop?password={}",
    "postgresql://db/shop?nosuch={}", "host=db password={} {}", "{}", "{}=1", "host=db sslpassword={}",
    "postgres://{}", "host=db port={}",
)  # fmt: skip


@given(SECRETS, st.sampled_from(FORMS))
def test_no_text_of_ours_holds_the_password(secret: str, form: str) -> None:
    text = form.format(secret, secret)
    try:
        found = parse(text)
    except UsageError as error:
        told = f"{error!s}{error!r}{error.__cause__}"
        assert secret not in told
        return
    words = conninfo_to_dict(found.conninfo.get_secret_value())
    hidden = {str(words[name]) for name in ("password", "sslpassword") if words.get(name)}
    shown = f"{found!r}{found!s}{found.public}{found.described()}{found.where}"
    assert not [each for each in hidden if each in shown]


async def test_a_service_file_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running() as server:
        server.run(f"create role web login password '{PASSWORD}'", "create database shop")
        server.hba("host all web 127.0.0.1/32 scram-sha-256")
        file = tmp_path / "services"
        file.write_text(
            f"[shop]\nhost=127.0.0.1\nport={server.port}\ndbname=shop\nuser=web\npassword={PASSWORD}\n"
        )
        monkeypatch.setenv("PGSERVICEFILE", str(file))
        async with opened("service=shop") as database:
            facts = await database.facts()
            assert (facts["database"], facts["role"]) == ("shop", "web")
            assert PASSWORD not in str(database.login())
        monkeypatch.setenv("PGPASSWORD", PASSWORD)
        async with opened(server.dsn("web", "shop")) as database:
            assert (await database.facts())["role"] == "web"


CNPG = {
    "username": "app", "user": "app", "password": PASSWORD, "dbname": "shop",
    "host": "shop-rw", "port": "5432",
    "uri": f"postgresql://app:{PASSWORD}@shop-rw.prod:5432/shop",
    "pgpass": f"shop-rw:5432:shop:app:{PASSWORD}",
    "jdbc-uri": f"jdbc:postgresql://shop-rw.prod:5432/shop?password={PASSWORD}&user=app",
}  # fmt: skip
CRUNCHY = {
    "dbname": "shop", "host": "shop-primary.prod.svc", "port": "5432", "user": "app", "password": PASSWORD,
    "verifier": "SCRAM-SHA-256$4096:abc", "uri": f"postgresql://app:{PASSWORD}@shop-primary.prod.svc:5432/shop",
}  # fmt: skip
BINDING = {
    "provider": "bitnami", "type": "postgresql", "host": "shop-postgresql", "port": "5432", "username": "app",
    "database": "shop", "password": PASSWORD,
}  # fmt: skip
ENVIRONMENT = {
    "POSTGRES_HOST": "db",
    "POSTGRES_USER": "app",
    "POSTGRES_DB": "shop",
    "POSTGRES_PASSWORD": PASSWORD,
}
ZALANDO = {"username": "app", "password": PASSWORD}


def referred(name: str, data: dict[str, str], key: str = "") -> Referred:
    """What a Secret of that name in `prod` tells of, its data as the API gives it."""

    async def read(namespace: str, asked: str) -> dict[str, str]:
        assert (namespace, asked) == ("prod", name)
        return {each: base64.b64encode(value.encode()).decode() for each, value in data.items()}

    found = secret_of(f"secret:prod/{name}{f'/{key}' if key else ''}")
    assert found
    return Referred(found, read)


@pytest.mark.parametrize(
    ("name", "data", "key", "server", "dbname"),
    [
        ("shop-app", CNPG, "", "shop-rw.prod:5432", "shop"),
        ("shop-app", CNPG, "jdbc-uri", "shop-rw.prod:5432", "shop"),
        ("shop-pguser-app", CRUNCHY, "", "shop-primary.prod.svc:5432", "shop"),
        ("shop-svcbind-postgres", BINDING, "", "shop-postgresql:5432", "shop"),
        ("env", ENVIRONMENT, "", "db:5432", "shop"),
        ("app.shop-db.credentials.postgresql.acid.zalan.do", ZALANDO, "", "shop-db.prod:5432", "postgres"),
        ("web", {"DATABASE_URL": f"postgres://app:{PASSWORD}@db/shop"}, "", "db:5432", "shop"),
    ],
)
async def test_secrets_of_common_operators_and_charts_tell_of_their_database(
    name: str, data: dict[str, str], key: str, server: str, dbname: str
) -> None:
    meant = referred(name, data, key)
    assert meant.described() == {"origin": f"Secret prod/{name}"}
    found = await meant.resolve()
    words: Json = conninfo_to_dict(found.conninfo.get_secret_value())
    assert (f"{found.host}:{found.port}", found.dbname, found.user) == (server, dbname, "app")
    assert words["password"] == PASSWORD
    assert PASSWORD not in f"{found!r}{meant.described()}{meant.where}"
    assert isinstance(found, Dsn)


@pytest.mark.parametrize(
    ("data", "key", "said"),
    [
        (
            {"postgres-password": PASSWORD, "password": PASSWORD},
            "",
            "tells of no database; name the key.*password",
        ),
        ({}, "", "tells of no database.*none"),
        (CNPG, "nosuch", "has no key 'nosuch'; it has: dbname, host"),
        ({"uri": PASSWORD}, "", "key uri is no connection string"),
        ({"uri": ""}, "", "key uri is empty"),
    ],
)
async def test_a_secret_that_tells_of_none_is_said_to_without_its_values(
    data: dict[str, str], key: str, said: str
) -> None:
    with pytest.raises(ToolError, match=said) as raised:
        await referred("x", data, key).resolve()
    assert PASSWORD not in f"{raised.value}{raised.value.__cause__}"


@pytest.mark.parametrize("text", ["secret:", "secret:shop", "secret:a/b/c/d", "secret:A/b", "secret:a/b/"])
def test_a_reference_to_no_secret_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="write secret:NAMESPACE/NAME"):
        secret_of(text)
    assert secret_of("host=db") is None
