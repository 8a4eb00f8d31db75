"""A verdict on screen: what, by which rule, why, who must approve, and the rules that counted."""

import json

from opssquad.cli.explaining import Explained
from opssquad.cli.reaching import Reached
from opssquad.cli.render.screen import BAD, GOOD, MUTED, STRONG, WARN, Screen
from opssquad.cli.text import visible

STYLES = {"allow": GOOD, "ask": WARN, "refuse": BAD}


def show_explained(screen: Screen, found: Explained) -> None:
    """The verdict first, then how it comes about."""
    verdict = found.verdict
    screen.line((verdict.outcome, STYLES[verdict.outcome]), "  ", (visible(verdict.rule), STRONG))
    if verdict.reason:
        screen.field("Reason", verdict.reason)
    if verdict.outcome == "ask":
        screen.field("Approve", _approve(found))
    if found.line and found.line != "refuse":
        screen.field("Line", found.line_reason)
    if found.tool:
        screen.field("Call", f"{found.tool} {json.dumps(found.args, ensure_ascii=False)}")
    screen.field("Judged", _judged(found), style=MUTED)
    for each in found.rules:
        unsure = "" if each.sure else ", as it may be meant"
        screen.field("Rule", f"{each.verdict}: {each.rule} ({each.layer}){unsure}", style=MUTED)
        screen.field("", each.place, style=MUTED)
    for note in found.notes:
        screen.field("Note", note)


def show_reached(screen: Screen, found: Reached) -> None:
    """The verdict on a destination first, then how it comes about."""
    verdict = found.verdict
    screen.line((verdict.outcome, STYLES[verdict.outcome]), "  ", (visible(verdict.rule), STRONG))
    if verdict.reason:
        screen.field("Reason", verdict.reason)
    port = f"port {found.port}" if found.port else "no port"
    screen.field("Judged", f"squad {found.squad}, host {found.host}, {port}", style=MUTED)
    for each in found.rules:
        unsure = "" if each.sure else ", by its address"
        screen.field("Rule", f"{each.verdict}: {each.rule} ({each.layer}){unsure}", style=MUTED)
        screen.field("", each.place, style=MUTED)
    for note in found.notes:
        screen.field("Note", note)


def _approve(found: Explained) -> str:
    needs = found.verdict.needs
    said = "1 person" if needs.approvers == 1 else f"{needs.approvers} people"
    if needs.roles:
        held = ", ".join(found.approvers) or "nobody"
        said += f" of the role {' or '.join(needs.roles)} ({held})"
    return said + ("" if needs.requester_may_approve else ", and not whoever asked for it")


def _judged(found: Explained) -> str:
    cluster = f"cluster {found.cluster}" if found.cluster else "no cluster named"
    namespace = f"namespace {found.namespace}" if found.namespace else "no namespace named"
    return f"squad {found.squad}, {cluster}, {namespace}, at {found.at}"
