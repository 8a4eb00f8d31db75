"""Where names of a statement are looked for: our own find built-in ones alone; one of somebody's also the
tables of the login, unless functions of others stand there that it could call for built-in ones.
"""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import psycopg
from psycopg import AsyncConnection, AsyncCursor, sql

from opssquad.worlds.sql.trouble import DatabaseError

BUILT_IN = sql.SQL("set local search_path = pg_catalog, pg_temp")
"""Only among the built-in ones: by any other path, who may create a function there has us call theirs."""
WIDEN = """
select row_to_json(q) from (select set_config('search_path',
  case when own.path like '%pg_catalog%' then 'pg_catalog, ' || own.path else own.path end, true)
from (select coalesce(s.reset_val, '') as path from pg_settings s where s.name = 'search_path') own) q
"""
"""Where the login finds its tables. Built-in names come first by themselves if they are not put elsewhere."""
FOREIGN = """
select q.what || ' of role ' || q.owner from (
with places as (
  select n.oid, n.nspname from pg_namespace n
  where n.nspname = any(%(schemas)s::name[]) and n.nspname <> 'pg_catalog'
), builtin as (select t.oid from pg_type t where t.typnamespace = 'pg_catalog'::regnamespace),
named as (select lower(%(text)s) as text)
select p.oid::regprocedure::text as what, pg_get_userbyid(p.proowner) as owner
from pg_proc p join places on places.oid = p.pronamespace, named
where (strpos(named.text, lower(p.proname)) > 0 or strpos(named.text, 'u&"') > 0)
  and not exists (select from unnest(p.proargtypes) a where a not in (select oid from builtin))
  and not (select r.rolsuper from pg_roles r where r.oid = p.proowner)
union all
select 'operator ' || o.oid::regoperator::text, pg_get_userbyid(o.oprowner)
from pg_operator o join places on places.oid = o.oprnamespace
where (o.oprleft = 0 or o.oprleft in (select oid from builtin)) and o.oprright in (select oid from builtin)
  and not (select r.rolsuper from pg_roles r where r.oid = o.oprowner)
limit 1) q
"""
"""What of others may be called where a built-in was proven: its arguments fit better, or this server has no
such built-in. What a superuser made, as extensions are, is trusted, and what takes a type of theirs, as views
are. An operator is called without being named, as = is by IN."""
UNKNOWN = ("42P01", "42883", "42704")
"""PostgreSQL's codes for a table, a function and a type that are not there."""


@contextlib.asynccontextmanager
async def naming(connection: AsyncConnection[Any], statement: str, where: str) -> AsyncIterator[None]:
    """A transaction in which only built-in names are looked for, for one statement of one's own. Raises
    DatabaseError that says why a table has to be named with its schema."""
    foreign = await _widened(connection, statement)
    try:
        yield
    except psycopg.Error as error:
        if not foreign or error.sqlstate not in UNKNOWN:
            raise
        said = f"{error.diag.message_primary}; {foreign} could be called for a built-in one, so"
        said += " only built-in names are looked for: write a table with its schema, as public.orders"
        raise DatabaseError(where, "wrong", said, error.sqlstate or "") from error


async def _widened(connection: AsyncConnection[Any], statement: str) -> str:
    """Look for names where the login does, and give nothing; or not, and say what of whom is against it."""
    await connection.execute(WIDEN)
    places = _first(await connection.execute("select pg_catalog.current_schemas(false)"))
    await connection.execute(BUILT_IN)
    foreign = _first(await connection.execute(FOREIGN, {"schemas": places, "text": statement}))
    if foreign:
        return foreign
    await connection.execute(WIDEN)
    return ""


def _first(cursor: AsyncCursor[Any]) -> str:
    """The first value of a result as text, whatever the encoding; empty for none."""
    result = cursor.pgresult
    value = result.get_value(0, 0) if result and result.ntuples else None
    return (value or b"").decode(errors="replace")
