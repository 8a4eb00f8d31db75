"""Runs a cleared call: deadline, cap on what the model reads, secrets taken out, every quote checked.

Whether a call may run is decided before; here a call that is not cleared is refused. What is recorded of it
is the caller's: nothing here touches a disk.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import timedelta
from typing import Any, Literal, Protocol

from opssquad.errors import NodeError, Refused, ToolError, ToolUnsure, UsageError
from opssquad.findings import Quote, Result, Signal, Suspicion, ToolResult, output
from opssquad.times import Clock, wall_clock
from opssquad.toolbox import Handles, Tool, Toolbox
from opssquad.types import Cleared

Status = Literal["ok", "error", "refused", "unknown"]

TEXT_CAP = 6000
"""Characters of a result's text that the model reads by default: about 1,500 tokens."""


PARALLEL = 6
"""Calls that run at one time; the others wait their turn, and their deadlines begin with it."""


class Redacted(Protocol):
    """A text without its secrets."""

    @property
    def text(self) -> str: ...
    @property
    def count(self) -> int: ...
    def fragment(self, original: str) -> str:
        """A passage of the original as it reads in the redacted text, which contains it literally."""
        ...


class Redactor(Protocol):
    """Takes secrets and terminal control out of whatever leaves a tool."""

    def read(self, text: str) -> Redacted: ...
    def value(self, value: Any) -> tuple[Any, int]: ...


class Lookout(Protocol):
    """Finds what reads like an instruction in the sources of a call, and in the text shown of them."""

    def __call__(self, sources: Sequence[Quote], shown: Quote) -> tuple[Suspicion, ...]: ...


def _heedless(sources: Sequence[Quote], shown: Quote) -> tuple[Suspicion, ...]:
    return ()


class Executor:
    """Runs calls on the handles of this process.

    `admit` raises Refused unless the call's grant holds; `lookout` looks through what came in before
    anything is taken out of it; `parallel` calls run at one time; `now` is the real time, for durations.
    """

    def __init__(
        self,
        toolbox: Toolbox,
        handles: Handles,
        *,
        admit: Callable[[Cleared], None],
        redact: Redactor,
        lookout: Lookout = _heedless,
        cap: int = TEXT_CAP,
        parallel: int = PARALLEL,
        now: Clock = wall_clock,
    ) -> None:
        self._toolbox = toolbox
        self._handles = handles
        self._admit = admit
        self._redact = redact
        self._lookout = lookout
        self._cap = cap
        self._now = now
        self._room = asyncio.Semaphore(parallel)

    async def run(self, cleared: Cleared) -> ToolResult:
        """Carry the call out; every way it can end is in the result's `status`.

        `unknown`: a mutation that hit its deadline and may have happened. Cancelling stops what can be
        stopped and is passed on. Bugs in a tool are passed on too.
        """
        began = self._now()
        result = await self._attempt(cleared)
        return result.model_copy(update={"ms": round((self._now() - began) / timedelta(milliseconds=1))})

    async def _attempt(self, cleared: Cleared) -> ToolResult:
        call = cleared.call
        try:
            tool = self._toolbox.get(call.tool)
            self._check(cleared, tool)
            # A change does not queue behind reads: what was found a moment ago would be old by then.
            room = self._room if tool.effect == "read" else nullcontext()
            async with room, asyncio.timeout(tool.deadline) as deadline:
                result = await tool.run(call.args, self._handles)
            result = cited(tool, result)
        except Refused as error:
            return self._ended(call.id, "refused", str(error))
        except ToolUnsure as error:
            return self._ended(call.id, "unknown", str(error))
        except ToolError as error:
            return self._ended(call.id, "error", str(error), unread=call.tool if error.blind else "")
        except (NodeError, UsageError) as error:
            return self._ended(call.id, "error", str(error))
        except TimeoutError:
            if not deadline.expired():
                raise
            return self._ended(call.id, *_late(tool), unread=call.tool if tool.effect == "read" else "")
        return self._finished(call.id, result)

    def _check(self, cleared: Cleared, tool: Tool) -> None:
        if cleared.verdict.outcome == "refuse":
            raise Refused(f"{tool.name}: refused by {cleared.verdict.rule}; it is not carried out")
        if tool.effect != "read" or cleared.verdict.outcome != "allow":
            self._admit(cleared)

    def _ended(self, call: str, status: Status, text: str, unread: str = "") -> ToolResult:
        """The result of a call that came to nothing; `unread`: what could not be looked at for that."""
        said = self._redact.read(text)
        found = self._lookout((), output(call, text))
        data = {"unread": [{"what": unread, "why": said.text}]} if unread else {}
        return ToolResult(
            call=call,
            status=status,
            text=said.text,
            data=data,
            redactions=said.count,
            suspicions=found,
        )

    def _finished(self, call: str, result: Result) -> ToolResult:
        text = self._redact.read(result.text)
        read = [(source, self._redact.read(source.text)) for source in result.sources]
        data, in_data = self._redact.value(result.data)
        signals = tuple(self._signal(signal, read) for signal in result.signals)
        shown = shorten(text.text, self._cap)
        sources = tuple(Quote(locator=source.locator, text=clean.text) for source, clean in read)
        if shown != text.text:
            sources += (output(call, text.text),)
        return ToolResult(
            call=call,
            status="ok",
            text=shown,
            sources=sources,
            data=data,
            signals=signals,
            commands=tuple(self._redact.read(line).text for line in result.commands),
            cut=shown != text.text,
            redactions=text.count + in_data + sum(clean.count for _, clean in read),
            suspicions=self._lookout(result.sources, output(call, result.text)),
        )

    def _signal(self, signal: Signal, read: Sequence[tuple[Quote, Redacted]]) -> Signal:
        quotes = tuple(
            Quote(
                locator=quote.locator,
                text=next(clean.fragment(quote.text) for source, clean in read if _stands(quote, source)),
            )
            for quote in signal.quotes
        )
        data, _ = self._redact.value(signal.data)
        text = self._redact.read(signal.text).text
        return signal.model_copy(update={"quotes": quotes, "data": data, "text": text})


def _late(tool: Tool) -> tuple[Status, str]:
    said = f"{tool.name} did not answer within {tool.deadline:g} s and was stopped"
    if tool.effect == "read":
        return "error", f"{said}; narrow it down (a namespace, a name, fewer lines) or try again"
    return "unknown", f"{said}; it may have happened: look before it is asked for again"


def _stands(quote: Quote, source: Quote) -> bool:
    """Whether the quote stands in the source: `Pod/ns/x` or a path inside it, and literally its text."""
    place = quote.locator == source.locator or quote.locator.startswith(f"{source.locator} ")
    return place and bool(quote.text.strip()) and quote.text in source.text


def cited(tool: Tool, result: Result) -> Result:
    """The result, every quote of whose signals stands in its sources.

    A read that quotes what it did not read is a ToolError naming the tool. A mutation has happened all the
    same: it loses the signals that do not hold.
    """
    wrong = [
        (signal, quote)
        for signal in result.signals
        for quote in signal.quotes
        if not any(_stands(quote, source) for source in result.sources)
    ]
    if not wrong:
        return result
    signal, quote = wrong[0]
    said = f"{tool.name}: {signal.id} quotes {quote.locator!r}, and that text does not stand there"
    if tool.effect == "read":
        raise ToolError(f"{said}; this is a defect of the tool, use another one")
    bad = [each for each, _ in wrong]
    kept = tuple(each for each in result.signals if each not in bad)
    return result.model_copy(update={"signals": kept, "text": f"{result.text}\n(left out: {said})"})


def shorten(text: str, cap: int) -> str:
    """The text, or its first two thirds and last third by whole lines where it can, with what is left out
    counted in between. Never longer than `cap` characters and that line."""
    if len(text) <= cap:
        return text
    head, tail = text[: cap * 2 // 3], text[len(text) - cap // 3 :]
    if "\n" in head:
        head = head[: head.rindex("\n")]
    if "\n" in tail:
        tail = tail[tail.index("\n") + 1 :]
    left = text[len(head) : len(text) - len(tail)]
    lines = len(left.strip("\n").splitlines())
    said = f"{lines} line{'s' * (lines != 1)}, {len(left)} characters left out; all of it is kept"
    return f"{head}\n… {said} …\n{tail}"
