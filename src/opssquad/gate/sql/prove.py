"""The proof that one SQL statement only reads, or the reason why there is none. Pure; nothing is run."""

from opssquad.gate.sql.lists import grammar
from opssquad.gate.sql.parse import Message, parse
from opssquad.gate.sql.unproven import Unproven, place, short
from opssquad.gate.sql.walk import Walk, refusal
from opssquad.types import Value

CHANGES = ("insert_stmt", "update_stmt", "delete_stmt")
"""Statements that may be explained, though not run: the plan says what they would do, and nothing does it."""


BOUND = frozenset({"ParamRef"})
"""A parameter: where it has no value, there is no run of the statement."""


class SqlRead(Value):
    """One statement that only reads. `text` is what was proved, to be run as it is."""

    text: str


class SqlRefusal(Value):
    """A statement that is not run, and why: one line."""

    reason: str


def prove(text: str, *, binds: bool = False) -> SqlRead | SqlRefusal:
    """Whether the text is one statement that only reads. Never raises, whatever the text. With `binds` it may
    have parameters (`$1`), whose values go to the server beside it."""
    try:
        _check(text, BOUND if binds else frozenset())
    except Unproven as error:
        return SqlRefusal(reason=str(error))
    return SqlRead(text=text)


def _check(text: str, bound: frozenset[str]) -> None:
    statements = parse(text).stmts
    if not statements:
        raise Unproven("there is no statement here; write one SELECT, VALUES, TABLE, EXPLAIN or SHOW")
    if len(statements) > 1:
        where = place(text, _start(text, statements[1].stmt_location))
        raise Unproven(f"a second statement begins{where}; one statement a call, make two calls")
    statement = statements[0].stmt
    match kind := statement.WhichOneof("node"):
        case "select_stmt":
            Walk(text, grammar().nodes | bound).check(statement)
        case "explain_stmt":
            _explain(text, statement.explain_stmt, bound)
        case "variable_show_stmt":
            # There is nothing in it but the name of a setting.
            pass
        case _:
            raise refusal(getattr(statement, kind).DESCRIPTOR.name, place(text, _start(text, 0)))


def _explain(text: str, statement: Message, bound: frozenset[str]) -> None:
    allowed = grammar().nodes | bound
    for option in statement.options:
        element = option.def_elem
        if element.defname not in grammar().options:
            raise Unproven(_option(element.defname, place(text, element.location)))
        if element.defname == "generic_plan":
            allowed |= BOUND
    kind = statement.query.WhichOneof("node")
    if kind in CHANGES:
        # Below the change itself, so that a second one inside it stays refused.
        Walk(text, allowed | grammar().explained).check(getattr(statement.query, kind))
    else:
        Walk(text, allowed).check(statement.query)


def _option(name: str, where: str) -> str:
    if name in ("analyze", "analyse"):
        return f"EXPLAIN ANALYZE{where} runs the statement; leave ANALYZE out, even where it is off"
    options = ", ".join(sorted(grammar().options)).upper()
    return f"EXPLAIN option {short(name).upper()}{where} is for EXPLAIN ANALYZE or unknown; known: {options}"


def _start(text: str, offset: int) -> int:
    """The first byte from an offset on that is no blank."""
    rest = text.encode()[offset:]
    return offset + len(rest) - len(rest.lstrip())
