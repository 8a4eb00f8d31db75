"""The line that tells how a run goes: score so far, how many are done, how long it will take."""

from datetime import datetime
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from opssquad.evals.comparing import run_name
from opssquad.evals.report.why import outcome, why
from opssquad.evals.result import CaseResult
from opssquad.gate.visible import visible
from opssquad.times import Clock, duration, wall_clock

_MARKS = {"passed": "✓", "not run": "-", "broken": "!"}


class Progress:
    """A line that is drawn over itself on a terminal, with what fails above it; a line a run anywhere else.

    `planned` runs will be fed to `add`; `clock` tells the real time.
    """

    def __init__(self, console: Console, planned: int, clock: Clock = wall_clock) -> None:
        self._console, self._planned, self._clock = console, planned, clock
        self._began: datetime = clock()
        self._done = self._scored = self._passed = 0
        moving = console.is_terminal and not console.is_dumb_terminal
        # A console may write to standard output as it is at the moment: put in its place, it feeds itself.
        self._live = (
            Live(
                console=console,
                auto_refresh=False,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            if moving
            else None
        )

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
            self._live.update(Text(self.line()), refresh=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def add(self, result: CaseResult) -> None:
        """One more is done."""
        ended = outcome(result)
        self._done += 1
        self._scored += ended not in {"not run", "broken"}
        self._passed += ended == "passed"
        if self._live is None:
            self._console.print(Text(f"{self._told(result)}; {self.line()}"), soft_wrap=True)
            return
        if ended != "passed":
            self._console.print(Text(self._told(result)), soft_wrap=True)
        self._live.update(Text(self.line(), no_wrap=True, overflow="ellipsis"), refresh=True)

    def line(self) -> str:
        """`12 of 80 done, 9 of 11 passed, about 3 min left`."""
        said = f"{self._done} of {self._planned} done, {self._passed} of {self._scored} passed"
        left = self._planned - self._done
        if not self._done or left <= 0:
            return said
        each = (self._clock() - self._began) / self._done
        return f"{said}, about {duration(each * left)} left"

    def _told(self, result: CaseResult) -> str:
        ended = outcome(result)
        name = visible(f"{run_name(result)} [{result.model}]")
        reason = why(result)
        return f"{_MARKS.get(ended, '✗')} {name}" + (f": {reason}" if reason else "")
