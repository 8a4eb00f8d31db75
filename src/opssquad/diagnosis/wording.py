"""A clause of the catalogue in plain words. Strings only."""

from opssquad.diagnosis.catalogue import Clause, Fault

LINKS = {
    "own": "",
    "itself": "at the component itself",
    "caller": "at a caller that cannot reach it",
    "user": "at what uses it",
    "used": "at what it uses",
    "behind": "at what stands behind it",
    "inside": "in its namespace",
    "any": "anywhere",
}
TIMES = {"": "", "before": "before it began", "after": "after it began"}


def in_words(clause: Clause, *, linked: bool = True) -> str:
    """`rollout.recent where diff.field is like *image*, before it began`; without its link for an anchor, by
    which the component is found."""
    where = " and ".join(condition(path, pattern) for path, pattern in clause.where.items())
    head = f"{clause.signal} where {where}" if where else clause.signal
    same = f"with the same {clause.agrees}" if clause.agrees else ""
    near = f"within {clause.within} min" if clause.within else ""
    rest = (LINKS[clause.link] if linked else "", same, TIMES[clause.when], near)
    return ", ".join((head, *(each for each in rest if each)))


def condition(path: str, pattern: str | list[str]) -> str:
    """`exit_code is not 137`; of several patterns one has to match."""
    said = [pattern] if isinstance(pattern, str) else pattern
    return f"{path} {' or '.join(_is(each) for each in said)}"


def _is(pattern: str) -> str:
    if pattern in ("?*", "!?*"):
        return "is not told" if pattern.startswith("!") else "is told"
    verb = "is not" if pattern.startswith("!") else "is"
    plain = pattern.removeprefix("!")
    return f"{verb} like {plain}" if any(sign in plain for sign in "*?[") else f"{verb} {plain}"


def blamed(fault: Fault) -> str:
    """Whom the fault is blamed on, in words."""
    said = "; where it tells none, ".join(map(_blamed, fault.blames))
    return f"what {fault.culprit} refers to, where it is known; else {said}" if fault.culprit else said


def _blamed(place: str) -> str:
    match place:
        case "owner":
            return "the workload that answers for what the opening signal is about"
        case "entity":
            return "the object that the opening signal is about"
        case path:
            return f"the object that the opening signal names as `{path.removeprefix('data.')}`"
