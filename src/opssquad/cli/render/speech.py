"""What a model says, once: pieces as they stream, thoughts beside its calls, and the answer, which is often
the last thought again and then not repeated.
"""

from collections.abc import Callable


class Speech:
    """Decides what is drawn when. `say(text, aside)` draws text; an aside is a thought beside calls."""

    def __init__(self, say: Callable[[str, bool], None]) -> None:
        self._say = say
        self._line = ""
        self._streamed = ""
        self._held = ""
        self._said = ""

    def piece(self, text: str) -> None:
        """A piece of the stream. A line is drawn when it is whole, so that a prompt below is not torn."""
        self._streamed += text
        *whole, self._line = (self._line + text).split("\n")
        for line in whole:
            self._say(line, False)

    def thought(self, text: str) -> None:
        """The model has finished. What did not stream is held back: it may be the answer itself."""
        streamed, line = self._streamed, self._line
        self._line = self._streamed = ""
        if line:
            self._say(line, False)
        if streamed and streamed.strip() == text.strip():
            self._said = streamed
        else:
            # Nothing came, or only the beginning of an answer that was cut off and then differed.
            self._held, self._said = text, ""

    def step(self) -> None:
        """The run goes on: what was held back was not the answer, so it is drawn now."""
        if self._held.strip():
            self._say(self._held, True)
        self._held = self._said = ""

    def answer(self, text: str) -> None:
        """The answer to the utterance, unless it stands on screen already."""
        if text.strip() != self._said.strip():
            if self._held.strip() != text.strip():
                self.step()
            self._say(text, False)
        self._held = self._said = ""
