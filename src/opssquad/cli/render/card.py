"""The approval card: everything a human decides on, nothing cut, nothing interpreted."""

from collections.abc import Sequence
from datetime import datetime

from opssquad.cli import text as plain
from opssquad.cli.render.conclusion import show_evidence
from opssquad.cli.render.scope import where
from opssquad.cli.render.screen import BAD, GOOD, MARK, MUTED, STRONG, WARN, Screen, chop
from opssquad.findings import Evidence
from opssquad.store.consent import missing
from opssquad.times import duration
from opssquad.types import Approval, Decision, Needs, Risk, called

ANSWERS = "y approve · n [reason] refuse · edit [what] · explain · later"
ANSWERS_READ = "y approve · s session · n [reason] refuse · edit [what] · explain · later"
_RISK: dict[Risk, str] = {"low": GOOD, "medium": WARN, "high": f"{STRONG} {BAD}"}
_MARGIN = 13
DIFF_LINES = 24


def answers(card: Approval) -> str:
    """How the card may be answered; only a read may be remembered."""
    return ANSWERS_READ if card.effect == "read" else ANSWERS


def show_card(
    screen: Screen,
    card: Approval,
    *,
    squad: str,
    model: str,
    now: datetime,
    given: Sequence[Decision] = (),
) -> None:
    """Draw the card. `now` is the real time, from which its expiry is counted; `given` are the yeses of those
    whose yes is needed, so far."""
    preview = card.preview
    screen.gap()
    what = "suggestion" if card.suggestion else "approval"
    screen.rule(f"{what} {plain.visible(card.id)}", f"{STRONG} {WARN}")
    screen.field("Why", _with_marks(card.why, card.evidence))
    screen.field("Effect", preview.impact)
    screen.field("Risk", f"{preview.risk}: {preview.risk_rule}", style=_RISK[preview.risk])
    show_diff(screen, preview.diff, most=DIFF_LINES)
    screen.field("Undo", card.undo.note)
    if card.undo.command:
        _command(screen, "", card.undo.command, "")
    if preview.verify_plan:
        screen.field("Check", preview.verify_plan)
    through = f"squad {card.squad or squad}, model {model}; rule {card.rule}"
    screen.field("Asked by", f"{card.requested_by} through {through}")
    if card.suggestion:
        screen.field("Not run", "--suggest-only: copy the command to run it yourself; nobody can approve it")
    else:
        _conditions(screen, card, now, given)
    # The command stands last, next to the answer: a long diff cannot scroll it out of sight.
    screen.field("Where", where(card.call.target), style=STRONG)
    if card.effect == "read":
        # A call of ours is no line for a shell.
        screen.field("Call", preview.command, style=STRONG)
    else:
        _command(screen, "Command", preview.command, STRONG)
    screen.rule(style=WARN)


def _conditions(screen: Screen, card: Approval, now: datetime, given: Sequence[Decision]) -> None:
    """Who must say yes, and as long as what stays as it is the yes holds."""
    if needs := needed(card, given):
        said = f"; yes so far: {', '.join(each.by for each in given)}" if given else ""
        screen.field("Needs", needs + said, style=WARN)
    bound = [f"{ref} at {seen}" for ref, seen in sorted(card.preview.binding.items())]
    cluster = [f"cluster {card.cluster_id}"] if card.cluster_id else []
    screen.field("Bound to", f"{'; '.join([*cluster, *bound]) or 'nothing'}; void if that changes")
    screen.field("Expires", expiry(card, now))


def needed(card: Approval, given: Sequence[Decision]) -> str:
    """Who has to say yes yet, in words; empty where one yes of anybody will do."""
    return "" if card.needs == Needs() else missing(card, given)


def explain_card(screen: Screen, card: Approval, evidence: Sequence[Evidence]) -> None:
    """Everything the card rests on, whole: evidence word by word, the diff, the call as it will be made."""
    for each in evidence:
        show_evidence(screen, each)
    if card.preview.diff:
        show_diff(screen, card.preview.diff)
    call = card.call
    screen.field("Call", f"{called(call.tool, call.args)}, id {call.id}")
    screen.field("sha256", call.digest)
    screen.field("", "An approval holds for exactly this call, once.")
    screen.field("Rule", card.rule)


def expiry(card: Approval, now: datetime) -> str:
    """`in 9 min 40 s (14:47:10 UTC)`, or that it is over."""
    if now >= card.expires_at:
        return f"expired at {card.expires_at:%H:%M:%S} UTC; ask again"
    return f"in {duration(card.expires_at - now)} ({card.expires_at:%H:%M:%S} UTC)"


def said_of(card: Approval, decision: Decision) -> str:
    """What became of a card: `a-1 approved by ada`, `a-1 is void: ...`."""
    why = f": {decision.reason}" if decision.reason else ""
    match decision.outcome:
        case "expired":
            return f"{card.id} expired at {card.expires_at:%H:%M:%S} UTC{why}"
        case "voided":
            return f"{card.id} is void{why}"
        case "consented":
            return f"{card.id}: {decision.by} said yes{why}"
        case outcome:
            session = ", reads like it for this session" if decision.session else ""
            return f"{card.id} {outcome} by {decision.by}{session}{why}"


def show_diff(screen: Screen, diff: str, most: int = 0) -> None:
    """A diff, its lines marked + and - and coloured where there is colour; past `most` lines (0: no end) it
    says how many more there are."""
    styles = {"+": GOOD, "-": BAD, "@": MARK}
    lines = plain.lines(diff.rstrip()) if diff.strip() else []
    shown = lines[:most] if most else lines
    label = "Diff"
    for line in shown:
        for number, piece in enumerate(chop(line, screen.width - _MARGIN)):
            # What goes on is indented: no long value begins a line that looks like one of the diff's own.
            goes_on = "  " if number else ""
            screen.line((f"  {label:<9}  {goes_on}", MUTED), (piece, styles.get(line[:1], "")))
            label = ""
    if rest := len(lines) - len(shown):
        screen.line((f"{' ' * _MARGIN}… {rest} more lines; `explain` shows them all", WARN))


def _command(screen: Screen, label: str, command: str, style: str) -> None:
    head = f"  {label:<9}  "
    for number, line in enumerate(plain.fold_command(command, screen.width - _MARGIN - 2)):
        screen.line((head, MUTED), ("  " if number else "$ ", MUTED), (line, style))
        head = " " * _MARGIN


def _with_marks(text: str, evidence: tuple[str, ...]) -> str:
    return f"{text} [{' '.join(evidence)}]" if evidence else text
