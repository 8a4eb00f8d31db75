"""The lists against what they speak of: a real server's catalogue and the parser's grammar."""

import psycopg
import pytest
from postgast import pg_query_pb2

from opssquad.gate.sql import SqlRefusal, prove
from opssquad.gate.sql.lists import functions, grammar

NEVER = (
    "pg_sleep", "pg_sleep_for", "pg_read_file", "pg_ls_waldir",
    "lo_get", "lowrite", "currval", "pg_terminate_backend",
    "pg_reload_conf", "pg_stat_reset_slru", "pg_try_advisory_lock", "nextval",
    "set_config", "dblink_exec", "query_to_xml", "database_to_xml",
    "pg_notify", "txid_current", "pg_logical_slot_peek_changes", "ts_stat",
    "pg_create_restore_point", "pg_drop_replication_slot", "pg_switch_wal", "pg_promote",
    "pg_stat_statements_reset",
)  # fmt: skip
JOINED = (
    "pg_operator o join pg_proc p on p.oid = o.oprcode",
    "pg_cast o join pg_proc p on p.oid = o.castfunc",
)
ATTRIBUTES = (
    "select ('abc'::text).length",
    "select f.length from lower('abc') f",
    "select lower.length from lower('abc')",
)
ROWS = ("record", "any", "anyelement", "anycompatible", "anynonarray")


@pytest.fixture(scope="module")
def procs(reader: psycopg.Connection) -> dict[str, str]:
    """Functions of pg_catalog, each with all its volatilities."""
    found = reader.execute(
        "select proname, string_agg(distinct provolatile::text, '') from pg_proc"
        " where pronamespace = 'pg_catalog'::regnamespace group by 1"
    )
    return dict(found.fetchall())


def test_every_function_on_the_list_is_a_built_in_one(procs: dict[str, str]) -> None:
    assert not functions().allowed - set(procs)


def test_no_volatile_function_is_allowed_without_a_reason_of_its_own(procs: dict[str, str]) -> None:
    volatile = {name for name, kinds in procs.items() if "v" in kinds}
    assert functions().allowed & volatile == set(functions().volatile)
    assert all(len(why) > 12 for why in functions().volatile.values())


def test_no_function_is_named_twice_or_both_allowed_and_refused() -> None:
    names = [name for group in functions().reads.values() for name in group.names]
    names += functions().volatile
    assert len(set(names)) == len(names)
    assert not [name for name in names if functions().against(name)]


@pytest.mark.parametrize("name", NEVER)
def test_what_must_never_be_called_has_a_reason(name: str) -> None:
    assert functions().against(name)
    assert name not in functions().allowed


def test_columns_are_those_of_functions_on_the_list(
    reader: psycopg.Connection, procs: dict[str, str]
) -> None:
    found = reader.execute(
        "select distinct proargnames[i] from pg_proc, generate_subscripts(proargmodes, 1) i"
        " where pronamespace = 'pg_catalog'::regnamespace and proname = any (%s)"
        " and proargmodes[i] in ('o', 't')",
        [list(functions().allowed)],
    )
    assert grammar().columns <= {name for (name,) in found.fetchall()} | {"ordinality"}
    assert grammar().columns & set(procs) <= functions().allowed


def test_no_function_of_a_whole_row_does_more_than_read(reader: psycopg.Connection) -> None:
    # `t.name` calls a function where the table t has no such column.
    found = reader.execute(
        "select proname from pg_proc where provolatile = 'v' and pronargs - pronargdefaults <= 1"
        " and prorettype <> 'trigger'::regtype and proargtypes[0] = any (%s::regtype[])",
        [[f'"{name}"' for name in ROWS]],
    )
    others = [name for (name,) in found.fetchall() if not functions().against(name)]
    assert not others


@pytest.mark.parametrize("text", ATTRIBUTES)
def test_a_name_behind_a_value_calls_a_function_and_is_refused(text: str, reader: psycopg.Connection) -> None:
    assert reader.execute(text).fetchone() == (3,)
    assert isinstance(prove(text), SqlRefusal)


@pytest.mark.parametrize("table", JOINED)
def test_no_built_in_operator_or_cast_is_volatile(reader: psycopg.Connection, table: str) -> None:
    assert not reader.execute(f"select o.oid from {table} where p.provolatile = 'v'").fetchall()


def test_types_are_built_in_ones(reader: psycopg.Connection) -> None:
    found = reader.execute(
        "select typname from pg_type"
        " where typnamespace = 'pg_catalog'::regnamespace and typtype in ('b', 'r', 'm')"
    )
    assert grammar().types <= {name for (name,) in found.fetchall()}


def test_nodes_are_those_of_the_grammar() -> None:
    known = set(pg_query_pb2.DESCRIPTOR.message_types_by_name)
    listed = grammar().nodes | grammar().explained
    assert listed <= known
    assert set(grammar().refused) <= known
    assert not listed & set(grammar().refused) - {"SetToDefault"}
    assert not [name for name in grammar().nodes if name.endswith("Stmt") and name != "SelectStmt"]
