"""What may be done in a database, by name: the statements of each act, with names and values quoted.

Whether it may be done now is decided before; nothing here runs.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from psycopg import sql

from opssquad.errors import ToolError
from opssquad.types import Json

Statement = sql.Composed
LOCK_WAIT = "3s"
"""How long an act waits for a lock: one that queues behind a lock makes all others queue behind itself."""


@dataclass(frozen=True)
class Act:
    """The statements of an act, run one after another outside of a transaction. `patient`: it may wait for
    locks as long as its deadline lets it. `calls`: it calls functions, which are built-in ones whatever the
    search path. `gone`: what it means that its statement gives no row, where that tells by a boolean whether
    it did anything; empty where its rows tell nothing."""

    statements: tuple[Statement, ...]
    patient: bool = False
    calls: bool = False
    gone: str = ""

    def text(self) -> str:
        """The statements as an engineer would type them."""
        return text_of(self.statements)


def text_of(statements: Sequence[Statement]) -> str:
    """Statements as an engineer would type them."""
    return "; ".join(each.as_string(None) for each in statements)


def act_of(name: str, args: Json) -> Act:
    """The act of that name with those arguments. Raises ToolError."""
    make = ACTS.get(name)
    if make is None:
        raise ToolError(f"no act {name!r}; there is: {', '.join(ACTS)}")
    for value in _texts(args.values()):
        if not value.isprintable():
            raise ToolError(f"{ascii(value)} would not be seen on a card as it is; do it by hand")
    return make(args)


def _texts(values: Iterable[object]) -> Iterator[str]:
    """What of the arguments is text: a card shows it as it is run."""
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, list | tuple):
            yield from _texts(value)


def _signal(function: str, args: Json) -> Act:
    # The pid alone may be another session's by now.
    statement = sql.SQL(
        "select {}({}) from pg_stat_activity where pid = {} and backend_start = {}::timestamptz"
    ).format(sql.SQL(function), args["pid"], args["pid"], args["started"])
    return Act((statement,), calls=True, gone=f"there is no session {args['pid']} of that start any more")


def _table(args: Json) -> sql.Identifier:
    return sql.Identifier(args["schema"], args["table"])


def _upkeep(words: str, args: Json) -> Act:
    return Act((sql.SQL(words).format(_table(args)),), patient=True)


def _create_index(args: Json) -> Act:
    columns = sql.SQL(", ").join(sql.Identifier(column) for column in args["columns"])
    statement = sql.SQL("create {}index concurrently {} on {} ({})").format(
        sql.SQL("unique " if args.get("unique") else ""), sql.Identifier(args["name"]), _table(args), columns
    )
    return Act((statement,), patient=True)


def _drop_index(args: Json) -> Act:
    name = sql.Identifier(args["schema"], args["name"])
    return Act((sql.SQL("drop index concurrently {}").format(name),), patient=True)


def _drop_slot(args: Json) -> Act:
    return Act((sql.SQL("select pg_drop_replication_slot({})").format(args["slot"]),), calls=True)


def _role_limit(args: Json) -> Act:
    role, limit = sql.Identifier(args["role"]), sql.Literal(int(args["limit"]))
    return Act((sql.SQL("alter role {} connection limit {}").format(role, limit),))


LISTS = ("search_path", "temp_tablespaces")
"""Settings whose value is a list of names: as one word, it would be one name with a comma in it."""


def _value(name: str, value: object) -> sql.Composable:
    if name.lower() not in LISTS:
        return sql.Literal(str(value))
    names = [part.strip().strip('"') for part in str(value).split(",")]
    return sql.SQL(", ").join(map(sql.Literal, names))


def _changed(whose: sql.Composable, args: Json) -> Statement:
    """The statement that sets a setting, or takes it back where no value is given."""
    name, value = sql.Identifier(args["name"]), args.get("value")
    if value is None:
        return sql.SQL("alter {} reset {}").format(whose, name)
    return sql.SQL("alter {} set {} = {}").format(whose, name, _value(args["name"], value))


def _setting(args: Json) -> Act:
    reload = sql.SQL("select pg_reload_conf()").format()
    return Act((_changed(sql.SQL("system"), args), reload), calls=True)


def _role_setting(args: Json) -> Act:
    return Act((_changed(sql.SQL("role {}").format(sql.Identifier(args["role"])), args),))


PRIVILEGES = frozenset(("select", "insert", "update", "delete", "truncate", "references", "trigger"))


def _privileges(words: str, args: Json) -> Act:
    named = [str(each).lower() for each in args["privileges"]]
    strange = sorted({*named} - PRIVILEGES)
    if strange or not named:
        said = f"no privilege {', '.join(strange)!r}" if strange else "no privilege is named"
        raise ToolError(f"{said}; of: {', '.join(sorted(PRIVILEGES))}")
    listed = sql.SQL(", ").join(map(sql.SQL, named))
    statement = sql.SQL(words).format(listed, _table(args), sql.Identifier(args["role"]))
    return Act((statement,))


ACTS: Mapping[str, Callable[[Json], Act]] = {
    "cancel": partial(_signal, "pg_cancel_backend"),
    "terminate": partial(_signal, "pg_terminate_backend"),
    "analyze": partial(_upkeep, "analyze {}"),
    "vacuum": partial(_upkeep, "vacuum (analyze) {}"),
    "create_index": _create_index,
    "drop_index": _drop_index,
    "drop_slot": _drop_slot,
    "role_limit": _role_limit,
    "setting": _setting,
    "role_setting": _role_setting,
    "grant": partial(_privileges, "grant {} on {} to {}"),
    "revoke": partial(_privileges, "revoke {} on {} from {}"),
}
