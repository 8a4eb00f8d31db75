"""The slash commands of the chat: what each does, and the table that /help and completion read."""

import difflib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from opssquad.cli.render.conclusion import show_evidence
from opssquad.cli.render.screen import MUTED, STRONG, Screen
from opssquad.cli.render.timeline import show_timeline
from opssquad.errors import UsageError

if TYPE_CHECKING:
    from opssquad.cli.repl.loop import Repl

HELP: dict[str, str] = {
    "help": "this list",
    "evidence": "the exact text behind a mark: /evidence e3",
    "more": "the results that were not shown whole",
    "timeline": "what happened so far, as HH:MM - text",
    "approve": "show the card that waits, and how to answer it",
    "undo": "propose to take the last change back (a new card)",
    "squad": "the squad, and what it may do",
    "model": "the model; /model NAME goes on with another",
    "reload": "read squads and tools anew from their files; says what changed",
    "exit": "leave; the thread is kept (also Ctrl-D)",
}
_ALSO = {"quit": "exit", "q": "exit", "?": "help", "h": "help"}


class Commands:
    """Runs slash commands for a conversation."""

    def __init__(self, repl: "Repl") -> None:
        self._repl = repl
        self._acts: dict[str, Callable[[str], Awaitable[None]]] = {
            "help": self._help,
            "evidence": self._evidence,
            "more": self._more,
            "timeline": self._timeline,
            "approve": self._approve,
            "undo": self._undo,
            "squad": self._squad,
            "model": self._model,
            "reload": self._reload,
        }

    async def run(self, name: str, argument: str) -> bool:
        """Do it; False to leave the chat. Raises OpsError."""
        name = _ALSO.get(name, name)
        if name == "exit":
            return False
        if name not in self._acts:
            near = difflib.get_close_matches(name, HELP, n=1)
            hint = f"did you mean /{near[0]}?" if near else "/help lists them"
            raise UsageError(f"no command /{name}; {hint}")
        await self._acts[name](argument)
        return True

    @property
    def _screen(self) -> Screen:
        return self._repl.screen

    async def _help(self, argument: str) -> None:
        for name, line in HELP.items():
            self._screen.line((f"  /{name:<10}", STRONG), line)
        text = (
            "Anything else goes to the squad. A numbered choice is taken by its number, as `the second one`, "
            "or by its words. Ctrl-C stops the run and not the chat."
        )
        self._screen.flow(text, indent=2, first="  ", style=MUTED)

    async def _evidence(self, argument: str) -> None:
        if not argument:
            raise UsageError("which evidence? /evidence e3; the marks stand in brackets behind each claim")
        for id in argument.replace(",", " ").split():
            found, source = await self._repl.session.evidence(id.strip("[]"))
            show_evidence(self._screen, found, source)

    async def _more(self, argument: str) -> None:
        if not self._repl.stream.cut:
            raise UsageError("nothing was left out of the last answer")
        for tool, lines in self._repl.stream.cut:
            self._screen.line((f"  {tool}", STRONG))
            self._screen.block(lines, indent=4)

    async def _timeline(self, argument: str) -> None:
        show_timeline(self._screen, await self._repl.session.timeline())

    async def _approve(self, argument: str) -> None:
        self._repl.desk.show()

    async def _undo(self, argument: str) -> None:
        if self._repl.runner.running:
            raise UsageError("something runs; wait for it or stop it with Ctrl-C")
        if self._repl.desk.cards:
            raise UsageError("a card waits; answer it first (/approve shows it)")
        if self._repl.finish_first():
            return
        self._repl.runner.begin(self._repl.session.undo())

    async def _squad(self, argument: str) -> None:
        from opssquad.cli.render.squads import show_squad

        session = self._repl.session
        if argument and argument != session.squad:
            raise UsageError(
                f"this thread is with squad {session.squad}; another begins with: opssquad chat --squad NAME"
            )
        show_squad(self._screen, session.squad)

    async def _reload(self, argument: str) -> None:
        if self._repl.runner.running:
            raise UsageError("something runs; wait for it or stop it with Ctrl-C")
        changes = await self._repl.session.reload()
        for each in changes or ("nothing has changed",):
            self._screen.flow(each, indent=4, first="  ")

    async def _model(self, argument: str) -> None:
        session = self._repl.session
        if argument:
            session.use_model(argument)
            self._repl.stream.scope.model = session.model
        masked = f", which gets other names for: {session.masked}" if session.masked else ""
        self._screen.line(f"  model {session.model}{masked}")
