"""What a check-up says of one thing, whoever looked."""

from typing import Literal, NamedTuple


class Finding(NamedTuple):
    """One line of a check-up: how it stands, what it is about, what was seen and what to do. `warn`: somebody
    should look, the rest works; `fail`: something is broken, open to others, or nothing will work."""

    state: Literal["ok", "warn", "fail"]
    name: str
    text: str
