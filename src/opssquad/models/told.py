"""What a listener has heard of an answer that is asked for again, so that nothing is said twice."""

from opssquad.models.base import Listener


class Told:
    """Passes on what a stream says. `begin` starts it anew: as far as the new one repeats what was heard it
    is silent, then it goes on; where it differs nothing more streams, and the whole reply tells it."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._heard = self._now = ""

    def begin(self) -> None:
        """The answer is asked for, the first time or again."""
        self._now = ""

    def text(self, piece: str) -> None:
        """A piece of the answer as it comes."""
        self._now += piece
        if self._now.startswith(self._heard):
            fresh, self._heard = self._now[len(self._heard) :], self._now
            if fresh:
                self._listener.text(fresh)

    def warn(self, text: str) -> None:
        """A retry and its wait."""
        self._listener.warn(text)
