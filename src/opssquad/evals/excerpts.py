"""How much of a text is shown around a place in it: the rest of its line, as far as there is room."""

Range = tuple[int, int]
"""Where a part of a text begins and ends."""


def around(text: str, part: Range, room: int) -> Range:
    """The part with the rest of its line, or with `room` characters of it on either side."""
    start, end = part
    first = max(start - room, 0)
    begin = text.rfind("\n", first, start)
    stop = text.find("\n", end, end + room)
    return begin + 1 if begin >= 0 else first, stop if stop >= 0 else min(end + room, len(text))
