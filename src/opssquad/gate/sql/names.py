"""What the names in a tree may be: functions, types, operators and the like. Only those of pg_catalog pass.

A name without a schema is taken for a built-in one; what else it may mean in a database is not known here.
"""

import difflib
from collections.abc import Callable, Mapping, Sequence

from opssquad.gate.sql.lists import functions, grammar
from opssquad.gate.sql.unproven import Unproven, short

SYSTEM = "pg_catalog"
Names = Sequence[str]
Check = Callable[[Names, str], None]
"""Takes the parts of a name and where it is; raises Unproven."""


def check_function(names: Names, where: str) -> None:
    """A function that is called by its name."""
    name = _of_system("function", names, where, "SELECT from the tables that it reads")
    if name in functions().allowed:
        return
    if reason := functions().against(name):
        raise Unproven(f"function {short(name)}{where} is never called: {reason}")
    near = difflib.get_close_matches(name, functions().allowed, n=1, cutoff=0.7)
    hint = f"did you mean {near[0]}?" if near else "do without it, and compute from the rows"
    raise Unproven(f"function {short(name)}{where} is not on the list of those that only read; {hint}")


def check_type(names: Names, where: str) -> None:
    """A type that something is cast to."""
    name = _of_system("type", names, where, "compare as ::text")
    if name not in grammar().types:
        raise Unproven(f"type {short(name)}{where} is not a plain built-in one; compare as ::text")


def check_operator(names: Names, where: str) -> None:
    """An operator, which may be written OPERATOR(schema.+)."""
    _of_system("operator", names, where, "write the plain operator")


def check_collation(names: Names, where: str) -> None:
    """A collation or an operator class."""
    _of_system("collation or operator class", names, where, "leave it out")


def check_sample(names: Names, where: str) -> None:
    """A method of TABLESAMPLE."""
    name = _of_system("sample method", names, where, "take SYSTEM or BERNOULLI")
    if name not in grammar().samples:
        raise Unproven(f"sample method {short(name)}{where} is an extension's; take SYSTEM or BERNOULLI")


def check_field(names: Names, where: str) -> None:
    """The name behind a bracket, `(value).name`: a function, if the value is no row with such a column."""
    for name in names:
        if name not in grammar().columns:
            raise Unproven(
                f"(...).{short(name)}{where} may call a function of that name;"
                " put the value into FROM, with an alias for its columns"
            )


def check_column(names: Names, where: str, scalars: Mapping[str, frozenset[str]]) -> None:
    """A column, `alias.name`: a function, if the alias has no such column. `scalars`: the aliases of
    functions in FROM, with the columns that they have. A table's rows fit hardly a built-in function."""
    if len(names) < 2:
        return
    alias, name = names[-2:]
    if name.startswith("pg_") and (reason := functions().against(name)):
        raise Unproven(f"{short(f'{alias}.{name}')}{where} may call the function of that name: {reason}")
    if alias in scalars and name not in scalars[alias] | grammar().columns:
        raise Unproven(
            f"{short(f'{alias}.{name}')}{where} may call a function of that name;"
            f" name the columns in FROM, as in {short(alias)}({short(name)})"
        )


def _of_system(what: str, names: Names, where: str, instead: str) -> str:
    """The last part of a name that has no schema or that of the built-ins."""
    if len(names) not in (1, 2) or len(names) == 2 and names[0] != SYSTEM:
        raise Unproven(f"{what} {short('.'.join(names))}{where} is not one of pg_catalog; {instead}")
    return names[-1]


CHECKS: Mapping[tuple[str, str], Check] = {
    ("FuncCall", "funcname"): check_function,
    ("TypeName", "names"): check_type,
    ("A_Expr", "name"): check_operator,
    ("SubLink", "oper_name"): check_operator,
    ("SortBy", "use_op"): check_operator,
    ("CollateClause", "collname"): check_collation,
    ("IndexElem", "collation"): check_collation,
    ("IndexElem", "opclass"): check_collation,
    ("RangeTableSample", "method"): check_sample,
    ("A_Indirection", "indirection"): check_field,
}
"""By node and field: how a name that stands there is checked."""
FREE = frozenset({
    ("Node", "string"),
    ("A_Const", "sval"),
    ("Alias", "colnames"),
    ("JoinExpr", "using_clause"),
    ("CommonTableExpr", "aliascolnames"),
    ("CTESearchClause", "search_col_list"),
    ("CTECycleClause", "cycle_col_list"),
    ("ResTarget", "indirection"),
})  # fmt: skip
"""Where a string is only a string or names a column, or the field around it is what is checked."""
