"""The conversation: lines in, runs on screen, cards answered. Ctrl-C stops the run and not the chat. Where
lines come from and how events look is not known here.
"""

import asyncio

from opssquad.cli.clean import last_resort
from opssquad.cli.failures import bug_line, disk_line
from opssquad.cli.render.screen import BAD, MUTED, WARN, Screen
from opssquad.cli.render.stream import Stream
from opssquad.cli.repl import words
from opssquad.cli.repl.commands import Commands
from opssquad.cli.repl.desk import Desk
from opssquad.cli.repl.runner import Runner
from opssquad.cli.repl.sources import Lines, Mood
from opssquad.cli.session import Session
from opssquad.cli.text import visible
from opssquad.errors import OpsError
from opssquad.events import Decided, Event, Stopped
from opssquad.times import Clock, wall_clock

LOOK = 1.0
"""Seconds between looks at cards that may have been answered from elsewhere."""


class Repl:
    """A conversation with one session until the lines end or the engineer leaves."""

    def __init__(
        self,
        session: Session,
        screen: Screen,
        stream: Stream,
        lines: Lines,
        *,
        by: str,
        now: Clock = wall_clock,
    ) -> None:
        self.session, self.screen, self.stream = session, screen, stream
        self.mood = Mood()
        self.runner = Runner(self._see, self._ended)
        self.desk = Desk(session, screen, stream.scope, by=by, go_on=self._go_on, now=now)
        self._lines = lines
        self._next: list[str] = []
        self._midway = False
        self._commands = Commands(self)

    async def talk(self, *, resumed: bool = False) -> None:
        """Hold the conversation. With `resumed` it goes on where the thread stopped: at its card, or amid a
        run that a dead process left behind."""
        if self._lines.live:
            self.screen.gap()
        if resumed and not await self.desk.take_up():
            self.runner.begin(self.session.resume())
        watch = asyncio.create_task(self._watch())
        try:
            while await self._turn():
                pass
        finally:
            watch.cancel()
            self._next.clear()
            await self.runner.stop()

    def say(self, text: str) -> None:
        """Words for the squad; while a run goes on they wait for its end."""
        if self.runner.running:
            self._next.append(text)
            self.screen.line(("  • noted; it is asked when this run is over", MUTED))
        elif self.finish_first():
            self._next.append(text)
        else:
            self.runner.begin(self.session.ask(text))

    def finish_first(self) -> bool:
        """Take up a change that was approved and then stopped midway; whether there was one. It is not done
        again: its end is looked up or checked."""
        if not self._midway:
            return False
        self.screen.line(("  • first, what became of the change that was stopped", MUTED))
        self.runner.begin(self.session.resume())
        return True

    async def _watch(self) -> None:
        """While a card is up, look whether it was answered from elsewhere."""
        while True:
            await asyncio.sleep(LOOK)
            if self._lines.live and not self.runner.running:
                await self.desk.look_again()
                self._look()

    async def _turn(self) -> bool:
        """Read a line and do what it means; False to leave."""
        if not self._lines.live:
            await self.runner.finish()
        self._look()
        try:
            line = await self._lines.next(self.mood)
        except EOFError:
            return False
        except KeyboardInterrupt:
            await self._interrupt()
            return True
        try:
            return await self._take(line)
        except OpsError as error:
            self._complain(error)
            return True

    async def _take(self, line: str) -> bool:
        if self.desk.editing and line.strip() and not line.lstrip().startswith("/"):
            await self.desk.edit(line.strip())
            return True
        match words.read(line, card=self.mood.card):
            case words.Slash(name, argument):
                return await self._commands.run(name, argument)
            case words.Say(text):
                self.say(text)
            case words.Unclear():
                self.desk.remind()
            case None:
                pass
            case answer:
                await self.desk.answer(answer)
        return True

    def _go_on(self, then: str) -> None:
        if then:
            self._next.insert(0, then)
        self.runner.begin(self.session.resume())

    def _see(self, event: Event) -> None:
        self.desk.see(event)
        self.stream.show(event)
        self._lines.see(event)
        if isinstance(event, Decided | Stopped):
            self._midway = isinstance(event, Decided) and event.approval.effect != "read"
        if isinstance(event, Stopped) and event.status == "pending":
            self.desk.ask()
        if isinstance(event, Stopped) and self._lines.live:
            self.screen.gap()
        self._look()

    def _ended(self, error: BaseException | None) -> None:
        self.stream.busy = ""
        match error:
            case None:
                if self._next and not self.desk.up:
                    self.runner.begin(self.session.ask(self._next.pop(0)))
            case asyncio.CancelledError():
                begun = ". A change that was begun is not taken back: what became of it is looked up next."
                said = "stopped; the thread is kept" + (begun if self._midway else "")
                self.screen.flow(said, indent=4, first="  • ", style=WARN)
            case _:
                self._complain(error)
        self._look()

    def _look(self) -> None:
        """Bring up to date what the prompt shows."""
        running = self.runner.running
        self.mood.card = self.desk.up and not running
        self.mood.busy = self.stream.busy if running else ""
        # What waits stands first: a narrow terminal cuts the line at its end.
        self.mood.status = f"{self.desk.waiting}{self.stream.scope}"

    async def _interrupt(self) -> None:
        self._next.clear()
        if self.runner.running:
            await self.runner.stop()
        else:
            self.screen.line(("  Ctrl-D or /exit leaves; the thread is kept", MUTED))

    def _complain(self, error: BaseException) -> None:
        disk = disk_line(error) if isinstance(error, OSError) else ""
        said = last_resort(visible(str(error))) if isinstance(error, OpsError) else disk or bug_line(error)
        self.screen.flow(" ".join(said.split()), indent=4, first="  ✗ ", style=BAD)
