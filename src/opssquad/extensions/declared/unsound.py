"""The error of a declared tool that makes no sense."""

Place = tuple[int | str, ...]
"""Keys and numbers that lead to a part of a tool."""


class Unsound(Exception):
    """What is wrong with a tool, and where in it."""

    def __init__(self, place: Place, why: str) -> None:
        super().__init__(place, why)
        self.place, self.why = place, why
