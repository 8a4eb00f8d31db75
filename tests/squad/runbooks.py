"""A small runbook with every kind of step, tools for it, and cases in which it is walked."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from opssquad import Check, Preview, Result, Toolbox, Undo, tool
from opssquad.findings import Evidence, Quote, Signal
from opssquad.models.base import Case, PastCall, Reply, Request, SeenSignal, ToolSpec
from opssquad.models.scripted import Scripted
from opssquad.squad.runbooks.book import Runbook
from opssquad.squad.runbooks.reading import read_runbook
from opssquad.squad.runbooks.soundness import House
from opssquad.squad.runbooks.walk import Walk, Walking
from opssquad.squad.runbooks.walker import Run, Walker, facts_for
from opssquad.types import Json, Ref

TEXT = """\
---
id: door
title: A door that does not open
faults: [F1]
parameters:
  house: {about: which house}
  name: {about: which door, default: front}
target: 'Door/{house}/{name}'
---
# A door that does not open

## Meaning
It is shut.

## Impact
Nobody comes in.

## Diagnosis

```yaml steady
say: is {name} open?
tool: look
args: {at: '{name}'}
expect:
  - {signal: door.shut, absent: true}
```

1. Is it locked?

   ```yaml step
   id: locked
   say: is {name} locked?
   tool: look
   args: {at: '{name}'}
   branch:
     - when: {signal: door.locked, name: lock}
       goto: turn
     - goto: stop
       say: ask who built {name}
   ```

## Mitigation

```yaml step
id: turn
say: turn the key of {lock.owner.name}
tool: turn
args: {door: '{name}', times: '{lock.turns}'}
approve: true
on_fail: turn-back
```

## Rollback

```yaml step
id: turn-back
say: turn it back
tool: turn
args: {door: '{name}', times: 1}
approve: true
```

## Escalation
The landlord.

## Links
None.
"""


@tool(effect="read")
def look(at: str) -> Result:
    """Look."""
    return Result(text=at)


@tool(effect="mutate")
def turn(door: str, times: int) -> Result:
    """Turn the key."""
    return Result(text=f"{door} {times}")


@turn.preview
def _preview(door: str) -> Preview:
    return Preview(command=f"turn {door}", impact="it turns", risk="low", risk_rule="a key")


@turn.undo
def _undo(door: str) -> Undo:
    return Undo(note=f"turn {door} back")


@turn.verify
def _verify(door: str) -> Check:
    return Check(outcome="better", text=door)


@turn.observe
def _observe(door: str) -> dict[str, str]:
    return {door: "turned"}


TOOLBOX = Toolbox([look, turn])
HOUSE = House(TOOLBOX, ("F1", "F2"), ("door.shut", "door.locked"))
TOOLS = {"look", "turn"}
DOOR = Ref(kind="Door", namespace="elm", name="front")


def written(folder: Path, *changes: tuple[str, str], name: str = "door.md") -> Runbook:
    """The runbook with parts of its text replaced, each of which stands there, as read from a file."""
    text = TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = folder / name
    path.write_text(text)
    return read_runbook(path, "squad")


def line_of(book: Runbook, text: str) -> int:
    """The first line of its file that holds the text."""
    lines = book.file.read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def seen(id: str, call: str, at: Ref = DOOR, until: datetime | None = None, **data: object) -> SeenSignal:
    """A signal that a call showed, with a piece of evidence called like it."""
    quote = Quote(locator=str(at), text=id)
    signal = Signal(
        id=id, entity=at, owner=at, text=f"{id} at {at.name}", data=data, until=until, quotes=(quote,)
    )
    return SeenSignal(signal=signal, evidence=(f"e-{id}",), call=call)


def past(
    call: str, tool: str = "look", status: str = "ok", check: Check | None = None, **data: object
) -> PastCall:
    """A call that came back."""
    values: Json = {"turn": 1, "tool": tool, "args": {}, "status": status, "text": f"{tool} {status}"}
    return PastCall.model_validate({**values, "call": call, "data": data, "check": check})


def case(calls: Sequence[PastCall], signals: Sequence[SeenSignal] = (), **fields: object) -> Case:
    """What a walk gets to know."""
    evidence = [
        Evidence(id=e, call=s.call, locator="here", text=s.signal.id) for s in signals for e in s.evidence
    ]
    given = {"turn": 1, "calls": tuple(calls), "signals": tuple(signals), "evidence": tuple(evidence)}
    return Case.model_validate({**given, **fields})


def walking(book: Runbook) -> Walking:
    return Walking(book, facts_for(book, {"house": "elm"}), TOOLBOX)


def walked(book: Runbook, *cases: Case, offered: set[str] = TOOLS) -> Walk:
    """The walk after each of these cases in turn."""
    walk, way = Walk(), walking(book)
    for each in (case([]), *cases):
        walk = way.on(walk, each, offered)
    return walk


class Deaf:
    """Listens to nothing."""

    def text(self, piece: str) -> None: ...
    def warn(self, text: str) -> None: ...


def asked(of: Case) -> Request:
    tools = tuple(ToolSpec(name=name, description="", parameters={}) for name in sorted(TOOLS))
    return Request(system="", messages=(), tools=tools, case=of)


def walker(book: Runbook | None, *then: Reply, why: str = "") -> Walker:
    run = Run(id="door", digest=book.digest if book else "", given={"house": "elm"})
    return Walker(run, book, TOOLBOX, Scripted(then), why)
