"""Every node of a tree against the list. Generic: a kind of node that nobody thought of is refused."""

from collections.abc import Iterator, Mapping

from opssquad.gate.sql.lists import grammar
from opssquad.gate.sql.names import CHECKS, FREE, check_column
from opssquad.gate.sql.parse import Message
from opssquad.gate.sql.unproven import Unproven, place


def refusal(kind: str, where: str) -> Unproven:
    """What is told of a node that is not on the list."""
    unknown = f"{kind} is not on the list; write one SELECT, VALUES, TABLE, EXPLAIN or SHOW"
    return Unproven(f"not a read{where}: {grammar().refused.get(kind, unknown)}")


class Walk:
    """One look at one tree. `allowed`: the kinds of nodes that it may have."""

    def __init__(self, text: str, allowed: frozenset[str]) -> None:
        self.text = text
        self.allowed = allowed
        self.scalars: Mapping[str, frozenset[str]] = {}

    def check(self, root: Message) -> None:
        """Everything below a node. Raises Unproven at the first thing that is not allowed."""
        self.scalars = _scalars(root)
        self._below(root, -1)

    def _below(self, message: Message, at: int) -> None:
        at = _location(message, at)
        kind = message.DESCRIPTOR.name
        for field, value in message.ListFields():
            if field.message_type is None:
                continue
            parts = [value] if hasattr(value, "ListFields") else list(value)
            self._names(kind, field.name, parts, at)
            for part in parts:
                self._node(part, at)

    def _node(self, message: Message, at: int) -> None:
        kind = message.DESCRIPTOR.name
        if kind not in self.allowed:
            inside = (own for each in _every(message) if (own := _location(each, -1)) > 0)
            raise refusal(kind, place(self.text, next(inside, at)))
        if kind == "TypeName" and (message.setof or message.pct_type):
            raise Unproven(f"%TYPE and SETOF{place(self.text, at)} are for functions; name the type")
        self._below(message, at)

    def _names(self, kind: str, field: str, parts: list[Message], at: int) -> None:
        """The strings of a field, as the name that they are there."""
        names = [name for part in parts if (name := _string(part)) is not None]
        if not names or (kind, field) in FREE:
            return
        where = place(self.text, at)
        if (kind, field) == ("ColumnRef", "fields"):
            check_column(names, where, self.scalars)
        elif check := CHECKS.get((kind, field)):
            check(names, where)
        else:
            raise Unproven(f"a name{where} stands where none is known to be harmless ({kind}.{field})")


def _location(message: Message, known: int) -> int:
    """Where a node is, in bytes; nodes that do not say are where the one around them is."""
    own = getattr(message, "location", 0)
    # CREATE TABLESPACE has a folder by that name.
    return own if isinstance(own, int) and own > 0 else known


def _string(message: Message) -> str | None:
    """The text of a string, or of a node that is one."""
    if message.DESCRIPTOR.name == "String":
        return str(message.sval)
    is_string = message.DESCRIPTOR.name == "Node" and message.WhichOneof("node") == "string"
    return str(message.string.sval) if is_string else None


def _every(message: Message) -> Iterator[Message]:
    yield message
    for field, value in message.ListFields():
        if field.message_type is not None:
            for part in [value] if hasattr(value, "ListFields") else value:
                yield from _every(part)


def _scalars(root: Message) -> Mapping[str, frozenset[str]]:
    """The aliases that functions have in FROM, with the columns that the statement gives them."""
    found: dict[str, frozenset[str]] = {}
    for message in _every(root):
        if message.DESCRIPTOR.name != "RangeFunction":
            continue
        columns = [node.string.sval for node in message.alias.colnames]
        columns += [node.column_def.colname for node in message.coldeflist]
        for name in _aliases(message):
            own = frozenset((name, *columns))
            found[name] = found.get(name, own) & own
    return found


def _aliases(message: Message) -> list[str]:
    if message.alias.aliasname:
        return [message.alias.aliasname]
    calls = [node.list.items[0].func_call for node in message.functions]
    if any(not call.funcname for call in calls):
        raise Unproven("a value in FROM has no alias; give it one")
    return [call.funcname[-1].string.sval for call in calls]
