"""Replacing spans of a text while remembering what stood where, so that a passage of the original can be
found again in the edited text. Knows nothing of what is replaced, or why."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True, order=True)
class Span:
    """Characters `start` to `end` (exclusive) of a text, and what is to stand there instead."""

    start: int
    end: int
    text: str


def merge(spans: Iterable[Span]) -> list[Span]:
    """In order and without overlap: spans that overlap become one, with the first's text."""
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start < merged[-1].end:
            last = merged.pop()
            span = Span(last.start, max(last.end, span.end), last.text)
        merged.append(span)
    return merged


class Edit:
    """A text and the same text with spans replaced."""

    def __init__(self, original: str, spans: Iterable[Span]) -> None:
        self.original = original
        self.spans: Sequence[Span] = merge(spans)

    @cached_property
    def text(self) -> str:
        """The edited text."""
        pieces, at = [], 0
        for span in self.spans:
            pieces += [self.original[at : span.start], span.text]
            at = span.end
        return "".join([*pieces, self.original[at:]])

    @cached_property
    def _starts(self) -> list[int]:
        return [span.start for span in self.spans]

    @cached_property
    def _grown(self) -> list[int]:
        """By how much the edited text is longer before each span, and after the last."""
        grown = [0]
        for span in self.spans:
            grown.append(grown[-1] + len(span.text) - (span.end - span.start))
        return grown

    def begin(self, index: int) -> int:
        """Where a passage that begins at `index` of the original begins in the edited text."""
        before = bisect_right(self._starts, index)
        if before and index < self.spans[before - 1].end:
            return self.spans[before - 1].start + self._grown[before - 1]
        return index + self._grown[before]

    def end(self, index: int) -> int:
        """Where a passage that ends before `index` of the original ends in the edited text."""
        before = bisect_right(self._starts, index - 1)
        if before and index < self.spans[before - 1].end:
            return self.spans[before - 1].end + self._grown[before]
        return index + self._grown[before]
