"""Granting and revoking on real tables: only what changes, the way back, and what a grant does not help."""

from collections.abc import Iterator

import pytest
from tools.database.granting import grant, revoke

from opssquad import DatabaseError, ToolError
from tests.postgres.server import Server, running
from tests.tools.database.acted import acting
from tests.tools.database.looked import value


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        server.run(
            "create schema shop", "create table shop.orders (id int)",
            "create view shop.open as select 1 as id",
            "create role web login", "create role readers", "create role half login",
            "grant readers to web", "grant select on shop.orders to readers",
            "grant usage on schema shop to half",
            "grant select on shop.orders to half with grant option",
        )  # fmt: skip
        yield server


def may(server: Server, privilege: str, table: str = "shop.orders") -> object:
    return value(server, f"select has_table_privilege('web', '{table}', '{privilege}')")


async def test_only_what_changes_is_granted_and_its_undo_takes_back_no_more(server: Server) -> None:
    server.run("grant insert on shop.orders to web")
    args = {"table": "orders", "role": "web", "privileges": ["INSERT", "update", "update"]}
    async with acting(server) as act:
        preview, undo, check = await act.carry_out(grant, **args)
        assert preview.command == 'grant update on "shop"."orders" to "web"'
        assert "may not use schema shop" in preview.impact
        assert (preview.risk, check.outcome) == ("medium", "better")
        assert check.text == "role web has insert, update on shop.orders"
        assert may(server, "update")
        assert (undo.tool, undo.args["privileges"]) == ("revoke", ["update"])
        with pytest.raises(ToolError, match="has INSERT, update, update on shop.orders already"):
            await act.foresee(grant, **args)
        _, again, check = await act.carry_out(revoke, **undo.args)
        assert (check.outcome, again.args["privileges"]) == ("better", ["update"])
    assert (may(server, "insert"), may(server, "update")) == (True, False)


async def test_what_a_role_keeps_from_others_is_said(server: Server) -> None:
    server.run("grant select on shop.orders to web")
    async with acting(server) as act:
        preview, _, check = await act.carry_out(revoke, table="orders", role="web", privileges=["select"])
    assert "it has some of that from readers too, and keeps it" in preview.impact
    assert check.outcome == "better"
    assert may(server, "select")


async def test_a_view_is_granted_too(server: Server) -> None:
    async with acting(server) as act:
        preview, _, check = await act.carry_out(grant, table="shop.open", role="web", privileges=["select"])
    assert (preview.risk, check.outcome) == ("low", "better")
    assert may(server, "select", "shop.open")


async def test_a_card_is_void_once_the_privileges_are_others(server: Server) -> None:
    args = {"table": "orders", "role": "web", "privileges": ["truncate"]}
    async with acting(server) as act:
        preview, _ = await act.foresee(grant, **args)
        server.run("grant delete on shop.orders to web")
        assert await grant.observed(args, act.handles) != preview.binding


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"role": "wep"}, "no role 'wep'; nearest: web"),
        ({"table": "order"}, r"no table 'order'.*nearest: shop\.orders"),
        ({"privileges": ["select", "fly"]}, "no privilege 'fly'"),
        ({"privileges": []}, "no privilege"),
        ({"role": "public"}, "no role 'public'"),
    ],
)
async def test_what_is_not_known_is_said_with_what_is(
    server: Server, args: dict[str, object], said: str
) -> None:
    given = {"table": "orders", "role": "web", "privileges": ["trigger"], **args}
    async with acting(server) as act:
        with pytest.raises(ToolError, match=said):
            await act.foresee(grant, **given)


async def test_who_may_not_is_told_and_what_was_left_out_is_seen(server: Server) -> None:
    async with acting(server, "web") as act:
        with pytest.raises(DatabaseError, match="permission denied for") as raised:
            await act.run(grant, table="orders", role="half", privileges=["delete"])
        assert raised.value.kind == "denied"
    async with acting(server, "half") as act:
        args = {"table": "orders", "role": "web", "privileges": ["references", "select"]}
        preview, _ = await act.foresee(grant, **args)
        result = await act.run(grant, **args)
        check = await act.check(grant, preview, **args)
    assert "not all privileges were granted" in result.text
    assert check.outcome == "same"
    assert "references did not change: half may not grant that here" in check.text
