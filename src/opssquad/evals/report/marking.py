"""Long text with what is cited in it: marked where it stands, the rest cut to fit, and how much is said."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from markupsafe import escape

from opssquad.gate.visible import visible
from opssquad.types import Value

CONTEXT = 160
"""Characters kept on each side of a quote, less where a line ends."""
_NOTICE = 40
Range = tuple[int, int]


class Piece(Value):
    """A piece of a text: as it is, cited, or `cut`, where `cut` characters are left out."""

    kind: Literal["plain", "cited", "cut"] = "plain"
    text: str = ""
    cut: int = 0


def pieces(text: str, quotes: Iterable[str], room: int, context: int = CONTEXT) -> list[Piece]:
    """The text in pieces, in order. Its head is kept as far as there is room, and every quote that stands in
    it, at its first place, with its surroundings. `room` is in bytes of a page, `context` in characters."""
    cited = _merged(spans(text, quotes))
    near = [_around(text, span, context) for span in cited]
    left = room - sum(weight(text[start:end]) for start, end in _merged(near))
    kept = _merged([(0, _head(text, left)), *near])
    return list(_cut(text, _closed(kept, len(text)) if cited else kept, cited))


def spans(text: str, quotes: Iterable[str]) -> list[Range]:
    """Where the quotes stand first."""
    found = ((text.find(quote), len(quote)) for quote in quotes if quote)
    return [(start, start + length) for start, length in found if start >= 0]


def shown(text: str) -> str:
    """Text from outside as it can be trusted to look; line ends stay."""
    lines = text.replace("\r\n", "\n").replace("\t", "    ").split("\n")
    # Most text is plain, and looking at each of its characters takes most of the time of a page.
    return "\n".join(line if line.isascii() and line.isprintable() else visible(line) for line in lines)


def weight(text: str) -> int:
    """Bytes of a text on a page, escaped."""
    return len(escape(shown(text)).encode())


def _merged(ranges: Sequence[Range]) -> list[Range]:
    merged: list[Range] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        elif end > start:
            merged.append((start, end))
    return merged


def _closed(kept: Sequence[Range], length: int) -> list[Range]:
    """The ranges without gaps that are no longer than what would be said of them."""
    bounds = [(0, 0), *kept, (length, length)]
    pairs = zip(bounds, bounds[1:], strict=False)
    return _merged([*kept, *((end, start) for (_, end), (start, _) in pairs if start - end <= _NOTICE)])


def _around(text: str, span: Range, context: int) -> Range:
    """The span with the rest of its line, or as much of it as context allows."""
    start, end = span
    line = text.rfind("\n", max(start - context, 0), start) + 1
    stop = text.find("\n", end, end + context)
    return line or max(start - context, 0), stop if stop >= 0 else min(end + context, len(text))


def _head(text: str, room: int) -> int:
    """Where the part ends that there is room for: at a line's end, unless the first line is longer."""
    end = 0
    for line in text.splitlines(keepends=True):
        room -= weight(line)
        if room < 0:
            break
        end += len(line)
    return end


def _cut(text: str, kept: Sequence[Range], cited: Sequence[Range]) -> Iterator[Piece]:
    at = 0
    for start, end in kept:
        yield from _gap(start - at)
        at = start
        for first, last in cited:
            if start <= first and last <= end:
                yield from _plain(text[at:first])
                yield Piece(kind="cited", text=text[first:last])
                at = last
        yield from _plain(text[at:end])
        at = end
    yield from _gap(len(text) - at)


def _plain(text: str) -> Iterator[Piece]:
    if text:
        yield Piece(text=text)


def _gap(length: int) -> Iterator[Piece]:
    if length:
        yield Piece(kind="cut", cut=length)
