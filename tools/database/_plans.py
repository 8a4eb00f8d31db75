"""Plans as EXPLAIN tells them in JSON, made into a tree of lines; pure."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from opssquad import Json

from ._statements import compared

CONDITIONS = (
    "Index Cond", "Recheck Cond", "Hash Cond", "Merge Cond", "Join Filter", "Filter", "TID Cond",
    "One-Time Filter", "Cache Key",
)  # fmt: skip
COERCED = re.compile(r'\(((?:"(?:[^"]|"")+"|[\w$.])+)\)::[\w ]+?(?=\s*=)')
"""A column that is compared as another type, as the server writes one of type varchar."""


class Step(NamedTuple):
    """A node of a plan with its depth, its lines in the tree, and the node above it."""

    node: Json
    depth: int
    lines: tuple[str, ...]
    above: Json | None

    @property
    def filtered(self) -> list[str]:
        """Columns that its filter compares with a value."""
        plain = COERCED.sub(r"\1", str(self.node.get("Filter", "")))
        return [column for _, column in compared(f"where {plain}")]


def read_plan(text: str) -> list[Step]:
    """The steps of a plan, outermost first. Raises ValueError for what is no plan in JSON."""
    found = json.loads(text)
    return list(_steps(found[0]["Plan"], 0, None))


def _steps(node: Json, depth: int, above: Json | None) -> Iterator[Step]:
    yield Step(node, depth, tuple(_lines(node, depth)), above)
    for below in node.get("Plans", ()):
        yield from _steps(below, depth + 1, node)


def _lines(node: Json, depth: int) -> Iterator[str]:
    indent = "  " * min(depth, 12)
    name = f"{node['Subplan Name']}: " if node.get("Subplan Name") else ""
    numbers = f"rows={node['Plan Rows']} cost={node['Total Cost']:.0f} width={node['Plan Width']}"
    yield f"{indent}{'-> ' if depth else ''}{name}{_kind(node)}{_target(node)}  ({numbers})"
    for each in CONDITIONS:
        if node.get(each):
            yield f"{indent}     {each}: {node[each]}"
    for each in ("Sort Key", "Group Key"):
        if node.get(each):
            yield f"{indent}     {each}: {', '.join(map(str, node[each]))}"


def _kind(node: Json) -> str:
    kind = str(node["Node Type"])
    if kind == "ModifyTable":
        kind = str(node.get("Operation", kind))
    if node.get("Strategy") in ("Hashed", "Sorted", "Mixed"):
        kind = f"{node['Strategy']} {kind}"
    join = node.get("Join Type")
    return f"{kind} {join}" if join and join != "Inner" else kind


def _target(node: Json) -> str:
    by = f" by {node['Index Name']}" if node.get("Index Name") else ""
    if node.get("Relation Name"):
        name = f"{node['Schema']}.{node['Relation Name']}" if node.get("Schema") else node["Relation Name"]
        alias = node.get("Alias")
        other = f" {alias}" if alias and alias != node["Relation Name"] else ""
        return f"{by} on {name}{other}"
    named = node.get("CTE Name") or node.get("Function Name") or ""
    return f"{by} on {named}" if named else by


def place(node: Json) -> tuple[str, str] | None:
    """Schema and name of the table that a node reads; None for one that reads none."""
    return (str(node["Schema"]), str(node["Relation Name"])) if node.get("Relation Name") else None


def loops_over(steps: Sequence[Step]) -> list[Step]:
    """Sequential scans that a nested loop may run again for each row of its outer side."""
    return [
        step
        for step in steps
        if step.node["Node Type"] == "Seq Scan"
        and step.above is not None
        and step.above["Node Type"] == "Nested Loop"
        and step.node.get("Parent Relationship") == "Inner"
    ]
