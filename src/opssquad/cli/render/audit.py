"""Lines of the audit log on screen."""

from collections.abc import Sequence

from opssquad.cli.render.screen import BAD, GOOD, MUTED, STRONG, WARN, Screen
from opssquad.cli.text import visible
from opssquad.store.base import AuditRecord

_STATUS = {
    "ok": GOOD,
    "approved": GOOD,
    "better": GOOD,
    "fits": GOOD,
    "error": BAD,
    "misfit": BAD,
    "allow": "",
    "started": "",
    "opened": "",
    "first": "",
    "same": "",
}


def show_records(screen: Screen, records: Sequence[AuditRecord], *, some: bool = False) -> None:
    """Each record: number, time, what, where, who, how it ended, and the beginning of its hash; `some`: the
    rest of the log was left out."""
    if not records:
        screen.line("no line of the audit log is one of these" if some else "the audit log is empty")
        return
    screen.line(("times in UTC", MUTED))
    for record in records:
        _show(screen, record)


def _show(screen: Screen, record: AuditRecord) -> None:
    target = record.target
    where = f"{target.cluster}/{target.namespace or '*'}" if target.cluster else target.database
    screen.line(
        (f"{record.seq:>5}  {record.ts:%Y-%m-%d %H:%M:%S}  ", MUTED),
        (f"{visible(record.tool)} ", STRONG),
        (visible(record.status), _STATUS.get(record.status, WARN)),
        (f"  {visible(where)}", ""),
    )
    thread = f" of thread {record.thread}" if record.thread else ""
    said = f": {more}" if (more := _more(record)) else ""
    text = f"{record.kind}{thread} for {record.requested_by}{said}"
    screen.flow(f"{text}; hash {record.hash[:12]}", indent=7, style=MUTED)


def _more(record: AuditRecord) -> str:
    """What tells this line from others of its kind."""
    by = f"{record.approval.decision} by {record.approval.by}" if record.approval else ""
    match record.kind:
        case "decision" if record.status != "approved" and record.why:
            return f"{by}: {record.why}"
        case "verdict":
            return f"rule {record.policy_rule}"
        case "check" | "configuration" | "policy":
            return record.why
        case "connection":
            told = ", ".join(f"{name} {value}" for name, value in record.args.items() if value)
            return f"{told}; {record.why}" if record.status == "error" else told
        case "checkpoint":
            return record.why or f"records from {record.args.get('since')} on fit"
        case _:
            return by
