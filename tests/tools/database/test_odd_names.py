"""Names that would be read as others: what a card says is what is run, on what was meant."""

from collections.abc import Iterator

import pytest
from tools.database.dropping import drop_index
from tools.database.granting import grant
from tools.database.indexing import create_index
from tools.database.upkeep import analyze_table

from opssquad import ToolError
from tests.postgres.server import Server, running
from tests.tools.database.acted import acting
from tests.tools.database.looked import value


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        server.run(
            'create role "Dr. O\'Neil" login',
            'create schema "a.b"',
            'create table "a.b"."c" (id int)',
            "create table c (id int)",
            'create table "b.c" (id int)',
            'create table "we""ird  two" (id int, "O.k" int)',
            'create table "a\nb" (id int)',
        )
        yield server


@pytest.mark.parametrize(
    ("given", "command"),
    [
        ("c", None),
        ("public.c", 'analyze "public"."c"'),
        ("b.c", 'analyze "public"."b.c"'),
        ("public.b.c", 'analyze "public"."b.c"'),
        ('"b.c"', 'analyze "public"."b.c"'),
        ("a.b.c", 'analyze "a.b"."c"'),
        ('"a.b".c', 'analyze "a.b"."c"'),
        ('we"ird  two', 'analyze "public"."we""ird  two"'),
        ('"we""ird  two"', 'analyze "public"."we""ird  two"'),
    ],
)
async def test_the_table_that_was_meant_is_the_one_of_the_card(
    server: Server, given: str, command: str | None
) -> None:
    async with acting(server) as act:
        if command is None:
            with pytest.raises(ToolError, match="2 tables are called 'c'"):
                await act.foresee(analyze_table, table=given)
        else:
            preview, _, check = await act.carry_out(analyze_table, table=given)
            assert (preview.command, check.outcome) == (command, "better")


async def test_a_table_with_a_schema_is_no_table_of_another_one(server: Server) -> None:
    async with acting(server) as act:
        with pytest.raises(ToolError, match="no table 'public.x.c'"):
            await act.foresee(analyze_table, table="public.x.c")


async def test_what_would_not_be_seen_on_a_card_is_left_to_a_hand(server: Server) -> None:
    async with acting(server) as act:
        with pytest.raises(ToolError, match=r"'a\\nb' would not be seen"):
            await act.foresee(analyze_table, table="a\nb")


async def test_what_is_undone_is_what_was_done(server: Server) -> None:
    async with acting(server) as act:
        args = {"table": 'we"ird  two', "columns": ["O.k"]}
        _, undo, _ = await act.carry_out(create_index, **args)
        index = value(server, "select indexrelid::regclass::text from pg_index where indrelid ="
                      " 'public.\"we\"\"ird  two\"'::regclass")  # fmt: skip
        assert undo.tool == "drop_index"
        preview, _, check = await act.carry_out(drop_index, **undo.args)
        assert preview.command == f'drop index concurrently "public".{index}'
        assert check.outcome == "better"


async def test_a_role_is_granted_as_it_is_called(server: Server) -> None:
    async with acting(server) as act:
        args = {"table": "public.b.c", "role": "Dr. O'Neil", "privileges": ["select"]}
        preview, undo, _ = await act.carry_out(grant, **args)
        assert preview.command == 'grant select on "public"."b.c" to "Dr. O\'Neil"'
        assert undo.args["table"] == 'public."b.c"'


async def test_a_table_that_took_the_place_of_the_one_on_the_card_is_another_one(server: Server) -> None:
    server.run("create table old (id int)", "create table new (id int)")
    async with acting(server) as act:
        args = {"table": "old", "role": "Dr. O'Neil", "privileges": ["select"]}
        preview, _ = await act.foresee(grant, **args)
        server.run("alter table old rename to older", "alter table new rename to old")
        assert await grant.observed(args, act.handles) != preview.binding
