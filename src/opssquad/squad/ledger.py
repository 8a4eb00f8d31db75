"""The ledger of a thread: signals, evidence and calls as state, and how they grow. No waiting, no model."""

from collections.abc import Sequence

from pydantic import Field

from opssquad.findings import Check, Evidence, Signal, ToolResult
from opssquad.models.base import PastCall, SeenSignal
from opssquad.types import Json, ToolCall, Value, digest


class Ledger(Value):
    """What is known so far. Evidence ids count up over the thread and never change."""

    signals: tuple[SeenSignal, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    calls: tuple[PastCall, ...] = Field(default=())

    def took(
        self,
        call: ToolCall,
        result: ToolResult,
        turn: int,
        check: Check | None = None,
        made: bool = True,
    ) -> "Ledger":
        """The ledger after a call came back: its signals with numbered evidence, and the call itself.

        A second look at the same thing replaces what the first one saw, and an act that helped ends what was
        known about what it mended, and one that did not what was known of its parts: nothing lingers.
        """
        touched = {s.owner for s in check.signals} if check else set()
        helped = check is not None and check.outcome == "better"
        evidence, again = list(self.evidence), _origin(call) if result.status == "ok" else ""
        seen = [s for s in self.signals if s.origin != again]
        seen = [s for s in seen if s.signal.owner not in touched or not (helped or _part(s.signal))]
        found = [(signal, call.id) for signal in result.signals]
        found += [(signal, check_of(call.id)) for signal in (check.signals if check else ())]
        for signal, read in found:
            ids = tuple(_number(evidence, read, quote.locator, quote.text) for quote in signal.quotes)
            seen = [s for s in seen if not _same(s.signal, signal)]
            seen.append(SeenSignal(signal=signal, evidence=ids, call=call.id, origin=_origin(call)))
        past = PastCall(
            turn=turn,
            tool=call.tool,
            args=call.args,
            status=result.status,
            text=result.text,
            call=call.id,
            data=result.data,
            check=check,
            made=made,
        )
        return Ledger(signals=tuple(seen), evidence=tuple(evidence), calls=(*self.calls, past))

    def of_turn(self, turn: int) -> Sequence[PastCall]:
        """The calls made for one utterance."""
        return [c for c in self.calls if c.turn == turn]

    def cited(self, ids: Sequence[str]) -> tuple[Evidence, ...]:
        """Evidence by id, in the order asked; unknown ids are left out."""
        known = {e.id: e for e in self.evidence}
        return tuple(known[i] for i in ids if i in known)


def _part(signal: Signal) -> bool:
    """Whether it is about a part, such as a pod: a change to the whole has replaced it, or may have."""
    return signal.entity != signal.owner


def check_of(call: str) -> str:
    """The id under which is kept what the check of a call read."""
    return f"{call}.check"


def _number(evidence: list[Evidence], call: str, locator: str, text: str) -> str:
    for known in evidence:
        if (known.locator, known.text) == (locator, text):
            return known.id
    evidence.append(Evidence(id=f"e{len(evidence) + 1}", call=call, locator=locator, text=text))
    return evidence[-1].id


def _same(a: Signal, b: Signal) -> bool:
    return (a.id, a.entity, _key(a.data)) == (b.id, b.entity, _key(b.data))


def _key(data: Json) -> object:
    """What tells two signals of one id and entity apart: container, revision, template."""
    return tuple(str(data.get(k)) for k in ("container", "revision", "template", "key", "at"))


def _origin(call: ToolCall) -> str:
    """What is looked at: a second look at the same replaces what the first one saw."""
    return f"{call.tool} {digest(call.args)}"
