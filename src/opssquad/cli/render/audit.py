"""Lines of the audit log on screen."""

from collections.abc import Sequence

from opssquad.cli.render.screen import BAD, GOOD, MUTED, STRONG, WARN, Screen
from opssquad.cli.text import visible
from opssquad.store.base import AuditRecord

_STATUS = {"ok": GOOD, "approved": GOOD, "started": "", "error": BAD, "unknown": WARN}


def show_records(screen: Screen, records: Sequence[AuditRecord]) -> None:
    """Each record: number, time, what, where, who, how it ended, and the beginning of its hash."""
    if not records:
        screen.line("the audit log is empty")
        return
    screen.line(("times in UTC", MUTED))
    for record in records:
        _show(screen, record)


def _show(screen: Screen, record: AuditRecord) -> None:
    place = f"{record.target.cluster}/{record.target.namespace or '*'}"
    screen.line(
        (f"{record.seq:>5}  {record.ts:%Y-%m-%d %H:%M:%S}  ", MUTED),
        (f"{visible(record.tool)} ", STRONG),
        (visible(record.status), _STATUS.get(record.status, WARN)),
        (f"  {visible(place)}", ""),
    )
    approval = f", {record.approval.decision} by {record.approval.by}" if record.approval else ""
    if record.kind == "decision" and record.status != "approved" and record.why:
        approval += f": {record.why}"
    text = f"{record.kind} of thread {record.thread} for {record.requested_by}{approval}"
    screen.flow(f"{text}; hash {record.hash[:12]}", indent=7, style=MUTED)
