"""Names that were meant, where one is not known."""

import difflib
from collections.abc import Iterable


def nearest(name: str, names: Iterable[object]) -> str:
    """`nearest: a, b`, else how many there are. A schema in front does not count."""
    known = list(dict.fromkeys(str(each) for each in names if each is not None))
    bare = {each.rpartition(".")[2]: each for each in known}
    close = difflib.get_close_matches(name.rpartition(".")[2], bare, n=3, cutoff=0.4)
    if close:
        return f"nearest: {', '.join(bare[each] for each in close)}"
    return f"there is: {', '.join(known)}" if 0 < len(known) <= 8 else f"there are {len(known)}"
