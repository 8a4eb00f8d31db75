"""Changing settings of a real server and of its roles, and what is not changed from here."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tools.database._barred import BARRED, HARM
from tools.database._values import compared
from tools.database.changing import set_setting

from opssquad import DatabaseError, Json, ToolError
from tests.postgres.server import Server, running
from tests.tools.database.acted import acting
from tests.tools.database.looked import value


@pytest.fixture(scope="module", params=["15", ""], ids=["15", "newest"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with running(request.param) as server:
        server.run(
            "create role web login", "create role plain login", "grant pg_monitor to plain",
            "create database other", "create schema app",
        )  # fmt: skip
        with (server.data / "postgresql.conf").open("a") as file:
            file.write("\nmaintenance_work_mem = '32MB'\n")
        server.run("select pg_reload_conf()")
        yield server


def others(server: Server, name: str, user: str = "postgres") -> str:
    """What a new session of that role has."""
    with server.connect(user) as connection:
        row = connection.execute(f"show {name}").fetchone()
        assert row
        return str(row[0])


@pytest.mark.parametrize(
    ("name", "new", "was"),
    [
        ("work_mem", "64MB", "4096kB"),
        ("statement_timeout", "1min", "0"),
        ("checkpoint_timeout", "10min", "300s"),
        ("random_page_cost", "1.1", "4"),
        ("log_statement", "ddl", "none"),
        ("default_transaction_read_only", "on", "off"),
        ("pg_stat_statements.track", "all", "top"),
        ("DateStyle", "German", "ISO, MDY"),
    ],
)
async def test_a_setting_is_changed_seen_and_taken_back(
    server: Server, name: str, new: str, was: str
) -> None:
    before = others(server, name)
    async with acting(server) as act:
        preview, undo, check = await act.carry_out(set_setting, name=name, value=new)
        changed = others(server, name)
        if name != "DateStyle":
            with pytest.raises(ToolError, match="already: nothing would change"):
                await act.foresee(set_setting, name=name, value=new)
        _, _, again = await act.carry_out(set_setting, **undo.args)
    assert preview.command.startswith(f"alter system set \"{name}\" = '{new}'; select pg_reload_conf()")
    assert f"and is {was}; for the whole server at once" in preview.impact
    assert preview.risk == ("high" if name in HARM else "medium")
    assert (check.outcome, again.outcome, undo.args["value"]) == ("better", "better", "")
    assert changed != before
    assert others(server, name) == before


async def test_the_way_back_is_the_value_that_was_set_before_or_that_of_their_file(server: Server) -> None:
    async with acting(server) as act:
        _, undo, _ = await act.carry_out(set_setting, name="maintenance_work_mem", value="96MB")
        assert undo.args["value"] == ""
        _, undo, _ = await act.carry_out(set_setting, name="maintenance_work_mem", value="128MB")
        assert undo.note == "set it back to 98304kB"
        await act.carry_out(set_setting, **undo.args)
        assert others(server, "maintenance_work_mem") == "96MB"
        _, undo, check = await act.carry_out(set_setting, name="maintenance_work_mem", value="")
    assert check.outcome == "better"
    assert undo.args["value"] == "98304"
    assert others(server, "maintenance_work_mem") == "32MB"


async def test_a_setting_of_a_role_is_for_its_new_sessions(server: Server) -> None:
    async with acting(server) as act:
        args = {"name": "search_path", "value": 'app, "public"', "role": "web"}
        preview, undo, check = await act.carry_out(set_setting, **args)
        assert preview.command == "alter role \"web\" set \"search_path\" = 'app', 'public'"
        assert "for new sessions of role web" in preview.impact
        assert (preview.risk, check.outcome) == ("low", "better")
        assert others(server, "search_path", "web") == "app, public"
        assert others(server, "search_path") != "app, public"
        whole, _ = await act.foresee(set_setting, name="search_path", value="public")
        assert "not for those with a value of their own (web)" in whole.impact
        _, _, again = await act.carry_out(set_setting, **undo.args)
    assert again.outcome == "better"
    assert others(server, "search_path", "web") == others(server, "search_path")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"name": "max_connections", "value": "500"}, r"counts only after a restart: all \d+ sessions end"),
        ({"name": "block_size", "value": "1"}, "how the server was built"),
        ({"name": "work_men", "value": "1MB"}, "no setting 'work_men'; nearest: work_mem"),
        ({"name": "x'; drop", "value": "1"}, "is no name of a setting"),
        ({"name": "work_mem", "value": "64 apples"}, "is a number with a unit, as 64MB, not '64 apples'"),
        ({"name": "work_mem", "value": "1kB"}, "is from 64 to 2147483647 .kB., not 1kB"),
        ({"name": "statement_timeout", "value": "1MB"}, "with a unit, as 30s"),
        ({"name": "autovacuum", "value": "perhaps"}, "is on or off"),
        ({"name": "log_statement", "value": "some"}, "is one of none, ddl, mod, all"),
        ({"name": "autovacuum", "value": "off", "role": "web"}, "for the whole server, not for a role"),
        ({"name": "work_mem", "value": "1MB", "role": "wep"}, "no role 'wep'; nearest: web"),
        ({"name": "deadlock_timeout", "value": "2s"}, "set by the command line of the server"),
        ({"name": "work_mem", "value": ""}, "already: nothing would change"),
    ],
)
async def test_what_cannot_be_set_is_said_before_a_card(
    server: Server, args: dict[str, object], said: str
) -> None:
    async with acting(server) as act:
        with pytest.raises(ToolError, match=said):
            await act.foresee(set_setting, **args)
        if args["value"]:
            with pytest.raises(ToolError, match=said):
                await act.run(set_setting, **args)


@pytest.mark.parametrize("name", [*BARRED, "ssl", "SSL_ca_file", "krb_server_keyfile", "Fsync"])
async def test_dangerous_settings_are_barred_with_a_reason(server: Server, name: str) -> None:
    async with acting(server) as act:
        for call in (act.foresee, act.run):
            with pytest.raises(ToolError, match="is not changed from here: "):
                await call(set_setting, name=name, value="on")


async def test_what_an_application_keeps_secret_in_a_setting_stays_off_cards(server: Server) -> None:
    server.run("alter database postgres set shop.api_key = 'Zq7-hidden'")
    async with acting(server) as act:
        with pytest.raises(ToolError, match="its value may be a secret"):
            await act.foresee(set_setting, name="shop.api_key", value="x")
    server.run("alter database postgres reset shop.api_key")


async def test_a_card_is_void_once_the_setting_is_another(server: Server) -> None:
    async with acting(server) as act:
        args = {"name": "work_mem", "value": "64MB", "role": "web"}
        preview, _ = await act.foresee(set_setting, **args)
        server.run("alter role web set work_mem = '8MB'")
        assert await set_setting.observed(args, act.handles) != preview.binding
        server.run("alter role web reset work_mem")


async def test_who_may_not_is_told_in_one_line(server: Server) -> None:
    async with acting(server, "plain") as act:
        for role in ("", "web"):
            with pytest.raises(
                DatabaseError, match="permission denied|must be superuser|must have"
            ) as raised:
                await act.run(set_setting, name="work_mem", value="64MB", role=role)
            assert raised.value.kind == "denied"
    assert value(server, "select count(*) from pg_db_role_setting") == 0


ROWS: Json = {"name": "x", "vartype": "integer", "unit": "8kB", "min_val": "0", "max_val": "1073741823"}


@given(st.integers(0, 10**9))
def test_a_number_without_a_unit_is_in_the_settings_own(number: int) -> None:
    assert compared(ROWS, str(number)) == str(number)
    assert compared(ROWS, f"{number * 8}kB") == str(number)


@given(st.text(), st.sampled_from(["integer", "real", "bool", "enum", "string", None]))
def test_any_text_is_a_value_or_refused_in_words(text: str, kind: str | None) -> None:
    row = {**ROWS, "vartype": kind, "enumvals": ["a"]}
    said = "x is "
    try:
        compared(row, text)
    except ToolError as error:
        said = str(error)
    assert said.startswith("x is ")
