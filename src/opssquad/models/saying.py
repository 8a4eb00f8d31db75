"""The offline model's words: what was looked at, what it means, and the draft of a conclusion.

Facts come from the case; nothing is computed or guessed here.
"""

from collections.abc import Iterator, Sequence

from opssquad.findings import Choice, Hypothesis, Option
from opssquad.models.base import Case, PastCall, SeenSignal
from opssquad.types import Json

GRAVITY = {"critical": 0, "warning": 1, "info": 2}
CHECKED = {"better": "better", "same": "same, it did not help", "worse": "worse", "unknown": "unknown"}
SURE = 0.45
"""The score from which a further, independent hypothesis is named as a cause of its own."""
OUTSIDE = "Host"
OVER = 0.3
"""The score from which nothing being wrong is believed, where no fault is likely."""


def told(case: Case, made: Sequence[PastCall]) -> str:
    """What the calls showed, whether an act helped, and what the signals they brought mean."""
    parts = [_outcome(call) for call in made]
    calls = {c.call for c in made}
    shown = " ".join(" ".join(f"{c.text} {c.check.text if c.check else ''}" for c in made).split())
    fresh = [s for s in case.signals if s.call in calls and s.signal.until is None and not _shown(s, shown)]
    if meaning := list(_meaning(fresh)):
        parts.append("What it means:\n" + "\n".join(meaning))
    leading = next((h for h in case.differential if not h.no_fault), None)
    if leading and leading.score >= SURE and made[-1].tool != "timeline":
        parts.append(f"Most likely so far ({leading.confidence}): {leading.root_cause}")
    return "\n\n".join(parts)


def left_to_you(choice: Choice) -> str:
    """A step that takes a value or a decision that is not in the cluster: the line to type, and what then."""
    return (
        f"{choice.label}: this takes a value or a decision that the cluster does not hold, "
        "so it is yours to do.\n\n"
        f"  $ {choice.by_hand}\n\nSay when it is done, and I look whether it helped."
    )


def not_offered(steps: Sequence[str]) -> str:
    """That something cannot be done in this conversation."""
    return f"That is not done here: {' and '.join(steps)} is not among the tools of this conversation."


def _outcome(call: PastCall) -> str:
    match call.status:
        case "ok":
            text = call.text
        case "refused" if call.data.get("declined") == "voided":
            # Somebody else did change something: that is not to sound as if nothing had happened.
            text = f"Not done: {call.text}. Nothing was changed by this approval."
        case "refused" if call.data.get("declined") == "suggested":
            where = "The command is on the card above, for you to run or not"
            return f"Suggested, not done. {where}; say when it is done, and I look whether it helped."
        case "refused":
            text = f"Not done: {call.text}. Nothing was changed."
        case "unknown":
            text = f"It is not known whether this was done. {call.text}"
        case _:
            text = f"That did not work: {call.text}"
    return f"{text}\n\nVerified: {CHECKED[call.check.outcome]}. {call.check.text}" if call.check else text


def _shown(seen: SeenSignal, shown: str) -> bool:
    """Whether the tool's own text says it already, for this object or for one alike."""
    alike = seen.signal.text.partition(": ")[2][:40]
    return seen.signal.text in shown or bool(alike and alike in shown)


def _meaning(seen: Sequence[SeenSignal]) -> Iterator[str]:
    ordered = sorted(seen, key=lambda s: GRAVITY[s.signal.severity])
    for each in ordered[:5]:
        if each.signal.severity != "info":
            marks = f" [{', '.join(each.evidence[:2])}]" if each.evidence else ""
            yield f"- {each.signal.text}{marks}"


def drafted(case: Case) -> Json:
    """The arguments of `conclude`: the leading hypothesis and independent ones, or why there is none."""
    real = [h for h in case.differential if not h.no_fault]
    causes = [h for h in real if h.score >= SURE]
    if causes:
        named = [causes[0], *(h for h in causes[1:] if _independent(h, causes[0]))]
        return _draft(case, named, no_fault=False)
    if recovered := [h for h in case.differential if h.no_fault and h.score >= OVER]:
        return _draft(case, recovered[:1], no_fault=True)
    if real:
        # What is merely possible is told, and nothing is changed for its sake.
        handed = [each.model_copy(update={"options": _for_people(each)}) for each in real[:1]]
        return {**_draft(case, handed, no_fault=False), "missing": _missing(case)}
    return {"summary": "What was looked at shows no cause.", "missing": _missing(case)}


def _for_people(possible: Hypothesis) -> tuple[Option, ...]:
    return tuple(each for each in possible.options if each.action == "escalate")


def _independent(other: Hypothesis, first: Hypothesis) -> bool:
    """Another component, or another fault of a host outside, of which only probes tell; confirmed on its own,
    and sharing no signal with the first."""
    apart = not {*other.supporting} & {*first.supporting}
    outside = other.component.kind == OUTSIDE and other.fault != first.fault
    return (other.component != first.component or outside) and other.confidence == "confirmed" and apart


def _draft(case: Case, named: Sequence[Hypothesis], *, no_fault: bool) -> Json:
    options = [o for h in named for o in h.options]
    return {
        "summary": " ".join(h.root_cause for h in named),
        "no_fault": no_fault,
        "causes": [
            {
                "component": str(h.component),
                "fault": h.fault,
                "root_cause": h.root_cause,
                "confidence": h.confidence,
                "evidence": _evidence(case, h),
            }
            for h in named
        ],
        "options": [_option(o) for o in options],
    }


PIECES, CITED = 4, 16
"""How much of one signal's evidence a cause cites, and how much in all."""


def _evidence(case: Case, hypothesis: Hypothesis) -> list[str]:
    """Of each kind of signal the first one's, then the others': alike pods must not crowd the logs out."""
    signals = [case.signals[i] for i in hypothesis.supporting]
    kinds = [s.signal.id for s in signals]
    # A kind's first place in the list puts its signal into the first row.
    ordered = sorted(range(len(signals)), key=lambda i: kinds.index(kinds[i]) != i)
    ids = [e for i in ordered for e in signals[i].evidence[:PIECES]]
    return list(dict.fromkeys(ids))[:CITED]


def _option(option: Option) -> Json:
    return option.model_dump(mode="json", include={"label", "action", "target", "tool", "args"})


def _missing(case: Case) -> list[str]:
    """What did not work, or would still tell; what a tool says that it could not read is told anyway."""
    mine = [c for c in case.calls if c.turn == case.turn]
    failed = [f"{c.tool}: {c.text}" for c in mine if c.status != "ok" and not c.unread]
    steps = [c.label for h in case.differential[:2] for c in h.next_calls[:2] if c.label]
    if failed or steps or any(c.unread for c in mine):
        return [*failed, *steps]
    shown = "what the API shows" if case.target.cluster else "what was looked at"
    return [f"nothing unhealthy in {shown}; look at metrics and traces"]
