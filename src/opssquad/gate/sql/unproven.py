"""Why a statement is not taken: one line that says what is wrong, where, and what to do instead."""

LONGEST = 120


class Unproven(ValueError):
    """The statement is refused; the text is the reason, as an engineer and a model read it."""


def place(text: str, offset: int) -> str:
    """Where a byte of the text is, as " at character N", counted from 1; "" for a place that is not known."""
    if offset < 0:
        return ""
    before = text.encode()[:offset].decode(errors="ignore")
    return f" at character {len(before) + 1}"


def short(said: str) -> str:
    """What a parser or an author wrote, as one line that is not too long."""
    line = " ".join(said.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
