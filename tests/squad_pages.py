"""The tables of the squads' pages, from catalogue and code; `python -m tests.squad_pages` makes them."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

from opssquad import content
from opssquad.cli.faultpage import markdown
from opssquad.content import signal_ids
from opssquad.squad.knowledge import known_faults
from opssquad.worlds.kube.recording.load import load_incident, load_truth

ROOT = Path(__file__).resolve().parent.parent
PAGE, DATABASE_PAGE, NETWORK_PAGE = (
    ROOT / "docs" / f"{name}.md" for name in ("kubernetes", "database", "network")
)
MODULES = (
    *sorted((ROOT / "tools" / "signals").glob("*.py")),
    *(
        ROOT / "tools" / name
        for name in ("_workload_entries.py", "_object_entries.py", "_past.py", "services.py", "_patched.py")
    ),
)
NO_SIGNALS = {"spec", "metadata", "keda", "log.level"}
"""Dotted words of the code that are paths, a group and a field."""


def faults() -> str:
    """The catalogue of the squad, without an organisation's file."""
    return markdown(known_faults("k8s", None))


def signals() -> str:
    """Each module that finds signals, what it is about by its own word, and their ids."""
    lines = ["| family | what it tells | signals |", "| --- | --- | --- |"]
    for path, ids in families().items():
        about = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n\n")[0]
        name = path.stem.removeprefix("_").removesuffix("_entries")
        said = " ".join(about.split()).replace("|", r"\|")
        lines.append(f"| {name} | {said} | {', '.join(f'`{each}`' for each in ids)} |")
    return "\n".join(lines)


def families() -> dict[Path, list[str]]:
    """The ids that stand in each of these modules; of one that stands in two, where it is made."""
    known = {
        each for each in signal_ids("database", "network") if not {each, each.partition(".")[0]} & NO_SIGNALS
    }
    found: dict[Path, list[str]] = {}
    for path in MODULES:
        if ids := sorted(known & {*_words(path)}):
            found[path] = ids
    for path, ids in found.items():
        if path.stem == "_object_entries":
            found[path] = [each for each in ids if each != "rollout.recent"]
    return found


def _words(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(str(e.value) if isinstance(e, ast.Constant) else "*" for e in node.values)


def recorded(squad: str, own: bool = False) -> str:
    """Each fault that a squad's catalogue knows, only its own file's with `own`, or that a recording is of
    which begins with that squad, with those recordings."""
    known = known_faults(squad, None)
    entries = [each.fault for each in known.entries if not own or each.file == known.squad_file]
    found: dict[str, list[str]] = {each.id: [] for each in entries if not each.form_of}
    for id, folder in sorted(content.recordings().items()):
        if load_incident(folder).squad == squad:
            found.setdefault(load_truth(folder).fault, []).append(id)
    rows = (f"| {fault} | {', '.join(ids) or 'none yet'} |" for fault, ids in sorted(found.items()))
    return "\n".join(["| fault | recordings |", "| --- | --- |", *rows])


PARTS: dict[tuple[Path, str], Callable[[], str]] = {
    (PAGE, "faults"): faults,
    (PAGE, "signals"): signals,
    (PAGE, "recorded"): lambda: recorded("k8s"),
    (DATABASE_PAGE, "recorded"): lambda: recorded("database"),
    (NETWORK_PAGE, "recorded"): lambda: recorded("network", own=True),
}


def part(page: str, name: str) -> str:
    """What stands between the marks of a part."""
    return _split(page, name)[1].strip("\n")


def _split(page: str, name: str) -> tuple[str, str, str]:
    before, begins, rest = page.partition(f"<!-- {name} -->\n")
    inside, ends, after = rest.partition(f"<!-- end of {name} -->")
    return before + begins, inside, ends + after


def written(page: Path) -> str:
    """The page with its parts made anew."""
    text = page.read_text(encoding="utf-8")
    for (of, name), make in PARTS.items():
        if of == page:
            before, _, after = _split(text, name)
            text = f"{before}{make()}\n{after}"
    return text


if __name__ == "__main__":
    for each in (PAGE, DATABASE_PAGE, NETWORK_PAGE):
        each.write_text(written(each), encoding="utf-8")
