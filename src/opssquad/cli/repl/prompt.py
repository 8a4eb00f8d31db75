"""The live prompt: history, completion, a status line; what a run prints scrolls above it. The only module
that knows prompt_toolkit.
"""

import time
from collections.abc import Iterable
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import FileHistory
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.styles import Style

from opssquad.cli.clean import Clean
from opssquad.cli.repl.commands import HELP
from opssquad.cli.repl.sources import Mood, asked
from opssquad.cli.text import visible
from opssquad.events import Event, Returned
from opssquad.types import Ref

_STYLE = Style.from_dict({"bottom-toolbar": "noreverse dim", "asked": "bold", "card": "bold ansiyellow"})
_NAMED = ("workloads", "pods", "matches")


class Names(Completer):
    """Completes /commands at the start of the line, and names of workloads and pods that were seen."""

    def __init__(self) -> None:
        self.seen: dict[str, str] = {}
        """Names with their kinds, in the order they were met."""

    def learn(self, event: Event) -> None:
        """Keep the names that a result brought: they are what one wants to type next."""
        if not isinstance(event, Returned):
            return
        for key in _NAMED:
            for text in event.result.data.get(key) or ():
                self._keep(str(text))
        for signal in event.result.signals:
            self.seen.setdefault(signal.owner.name, signal.owner.kind)

    def _keep(self, text: str) -> None:
        try:
            ref = Ref.parse(text)
        except ValueError:  # data is a tool's own: what is no reference is no name either
            return
        self.seen.setdefault(ref.name, ref.kind)

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """What may stand where the cursor is."""
        before = document.text_before_cursor
        if before.startswith("/") and " " not in before:
            for name, line in HELP.items():
                if name.startswith(before[1:]):
                    yield Completion(f"/{name}", -len(before), display_meta=line)
            return
        word = before.rsplit(" ", 1)[-1]
        if len(word) < 2:
            return
        for name, kind in self.seen.items():
            if name.startswith(word) and name != word and visible(name) == name:
                yield Completion(name, -len(word), display_meta=kind)


class Typed(FileHistory):
    """The lines that were typed, kept without the secrets that were pasted among them."""

    def __init__(self, path: Path, clean: Clean) -> None:
        self._clean = clean
        super().__init__(str(path))

    def store_string(self, string: str) -> None:
        """Keep a line."""
        super().store_string(self._clean(string))


class Prompt:
    """A prompt that stays while a run goes on. `history` is a file that only its owner can read."""

    live = True

    def __init__(self, history: Path, clean: Clean, *, no_color: bool) -> None:
        history.touch(mode=0o600)
        self._names = Names()
        self._busy = ("", 0.0)
        self._session: PromptSession[str] = PromptSession(
            history=Typed(history, clean),
            completer=self._names,
            complete_while_typing=True,
            style=_STYLE,
            color_depth=ColorDepth.DEPTH_1_BIT if no_color else None,
            # Room for the completion menu would push the conversation up on a small terminal.
            reserve_space_for_menu=4,
        )

    async def next(self, mood: Mood) -> str:
        """The next line. Raises EOFError for Ctrl-D, KeyboardInterrupt for Ctrl-C."""
        line: str = await self._session.prompt_async(
            lambda: self._asked(mood), bottom_toolbar=lambda: self._status(mood), refresh_interval=0.25
        )
        return line

    def see(self, event: Event) -> None:
        """Learn names for completion."""
        self._names.learn(event)

    def _asked(self, mood: Mood) -> FormattedText:
        return FormattedText([("class:card" if mood.card else "class:asked", asked(mood))])

    def _status(self, mood: Mood) -> FormattedText:
        if not mood.busy:
            self._busy = ("", 0.0)
            return FormattedText([("", f" {mood.status}")])
        if self._busy[0] != mood.busy:
            self._busy = (mood.busy, time.monotonic())
        seconds = int(time.monotonic() - self._busy[1])
        return FormattedText([("", f" {visible(mood.busy)} … {seconds} s, Ctrl-C stops it")])
