"""Signals about plans: a large table read whole for a few of its rows, estimates far from what is there."""

from collections.abc import Iterator, Mapping, Sequence

from opssquad import Json, Quote, Signal

from .._common import table as table_ref
from .._plans import Step, place
from .tables import LARGE

FEW = 0.1
"""The share of rows below which an index would be quicker than reading all of them."""
OFF_BY, OFF = 4, 1000
"""How many times as many rows, or as few, and how many of them, make an estimate wrong."""
CONDITIONS = ("Filter", "Index Cond", "Recheck Cond", "TID Cond")


def plan_signals(
    name: str, steps: Sequence[Step], tables: Mapping[tuple[str, str], Json]
) -> Iterator[Signal]:
    """What stands out of a plan. `tables`: rows of the look by schema and table."""
    for step in steps:
        key = place(step.node)
        row = tables.get(key) if key else None
        if row is not None:
            yield from _whole(name, step, row)
            yield from _estimate(name, step, row)


def quoted(name: str, *lines: str) -> Quote:
    """Lines of the plan as a place that can be quoted."""
    return Quote(locator=f"rows {name}/plan", text="\n".join(lines))


def _whole(name: str, step: Step, row: Json) -> Iterator[Signal]:
    """A read without a filter needs all rows: no index would help it."""
    live, wanted = int(row["n_live_tup"] or 0), int(step.node["Plan Rows"])
    if step.node["Node Type"] != "Seq Scan" or live < LARGE or not step.node.get("Filter"):
        return
    ref, few = table_ref(name, row), wanted < FEW * live
    yield Signal(
        id="plan.sequential_scan",
        entity=ref,
        text=f"the plan reads all {live} rows of {ref.name} for about {wanted} of them, by "
        f"{', '.join(step.filtered) or 'a filter that no plain index serves'}",
        severity="warning" if few else "info",
        data={
            "table": ref.name,
            "columns": step.filtered,
            "rows": live,
            "wanted": wanted,
            "filter": str(step.node["Filter"])[:300],
        },
        quotes=(quoted(name, *step.lines),),
    )


def _estimate(name: str, step: Step, row: Json) -> Iterator[Signal]:
    """Only a read of all rows is told without running it: their number is known."""
    live, planned = int(row["n_live_tup"] or 0), int(step.node["Plan Rows"])
    small, large = sorted((max(live, 1), max(planned, 1)))
    if not live or any(step.node.get(each) for each in CONDITIONS) or step.node.get("Parallel Aware"):
        return
    if step.node["Node Type"] not in ("Seq Scan", "Index Scan", "Index Only Scan"):
        return
    if large < OFF_BY * small or large - small < OFF:
        return
    ref = table_ref(name, row)
    yield Signal(
        id="plan.row_estimate",
        entity=ref,
        text=f"the plan counts on {planned} rows of {ref.name}, which has {live}",
        data={"table": ref.name, "planned": planned, "rows": live},
        quotes=(quoted(name, step.lines[0]),),
    )
