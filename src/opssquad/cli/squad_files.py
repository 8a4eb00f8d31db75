"""The folder of a squad of one's own begun, and the files of squads looked through. No screen here."""

from collections.abc import Iterator
from pathlib import Path

from opssquad import content
from opssquad.cli import knowledge, linting, runbooks
from opssquad.diagnosis.soundness import nearest
from opssquad.documents import BadFile
from opssquad.errors import UsageError
from opssquad.extensions.sources import PROJECT, trust
from opssquad.settings import Settings, found
from opssquad.squad.files import FILE, PROMPT, Layer, name_flaw
from opssquad.squad.known import known, squad, squads
from opssquad.squad.standing import FAULTS, POLICY, RUNBOOKS, Standing

EXTENDING = """\
# What this squad is, besides what squad {extends} is: all that is not said here is said there.
# docs/squads.md says what may stand here, opssquad squad lint {name} what is wrong.
extends: {extends}
{words}tools: []         # further tools, by name: opssquad tool list
without: []       # tools of {extends} that it shall not have
"""
WORDS = """\
title: {title}
description: What {title} looks after.
"""
ALONE = """\
# A squad of its own: docs/squads.md says what may stand here, opssquad squad lint {name} what is wrong.
title: {title}
description: What {title} looks after.
world: cluster    # or database, or network
tools: [find, health, workload, logs, events, changes, get, timeline, differential]
"""
ADDS = """\
# Faults that this squad can tell apart besides; docs/faults.md says how one is written.
faults: []
"""
RULES = """\
# What this squad may do: only stricter than what holds without this file; docs/policy.md has examples.
rules: []
#  - {name: no deleting here, tool: delete_pod, verdict: refuse, reason: the operator does that}
"""


def begin(name: str, extends: str, settings: Settings, *, project: bool) -> list[Path]:
    """Write the folder of a squad; the files that were written. Raises UsageError, and then nothing was."""
    if why := name_flaw(name):
        raise UsageError(f"{name!r}: {why}")
    ours = content.squads()
    if extends:
        squad(extends)
    if name in ours and extends != name:
        raise UsageError(f"{name!r} is one of ours; to amend it: opssquad squad new {name} --extends {name}")
    source = Path.cwd() / PROJECT if project else settings.own
    folder = source / "squads" / name
    if folder.exists() or (name in squads() and name not in ours):
        raise UsageError(
            f"squad {name!r} is there already: {folder if folder.exists() else squad(name).folder}"
        )
    title = name.replace("-", " ").replace("_", " ").capitalize()
    words = "" if name == extends else WORDS.format(title=title)
    files = {FAULTS: ADDS, POLICY: RULES}
    if extends:
        files[FILE] = EXTENDING.format(name=name, extends=extends, words=words)
    else:
        files |= {FILE: ALONE.format(name=name, title=title), PROMPT: content.prompt("k8s")}
    try:
        (folder / RUNBOOKS).mkdir(parents=True)
        for file, text in files.items():
            (folder / file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}") from error
    if project:
        trust(settings.state, source)
    return [folder / file for file in sorted(files)]


def linted(name: str, settings: Settings) -> tuple[list[str], int]:
    """What is wrong with a squad, or with all, as `file:line: why`, and how many were looked at. Raises
    UsageError for a squad that there is not."""
    there = known()
    flaws = {str(each): None for each in there.broken if name in ("", each.name)}
    if name and not flaws:
        squad(name)
    chosen = [each for each in there.found.values() if name in ("", each.name)]
    for standing in chosen:
        flaws.update((line, None) for line in _flaws(standing, settings))
    return list(flaws), len(chosen)


def _flaws(standing: Standing, settings: Settings) -> Iterator[str]:
    own = {str(layer.folder) for layer in standing.layers if layer.said}
    try:
        faults, _ = knowledge.linted(None, standing.name, settings.faults)
        books, _ = runbooks.linted(None, standing.name, settings.runbooks, settings.faults)
        yield from (str(flaw) for flaw in (*faults, *books))
    except BadFile as error:
        yield _line(error)
    for layer in standing.layers:
        yield from _of_others(layer)
    for path in standing.policies:
        if found(path) and (str(path.parent) in own or path.parent in standing.beside):
            yield from _of_policy(path, settings.policy)


def _of_others(layer: Layer) -> Iterator[str]:
    """Squads that a folder names and that are not here."""
    given, there = layer.said.value if layer.said else None, squads()
    if given is None:
        return
    for index, name in enumerate(given.knows):
        if name not in there:
            yield str(layer.broken(f"knows: no squad {name!r}; {nearest(name, there)}", "knows", index))
    for index, way in enumerate(given.hands_over):
        if way.to not in there:
            why = f"hands_over: no squad {way.to!r}; {nearest(way.to, there)}"
            yield str(layer.broken(why, "hands_over", index, "to"))


def _of_policy(path: Path, organisation: Path | None) -> Iterator[str]:
    try:
        odd, _ = linting.linted([path], organisation)
    except BadFile as error:
        yield _line(error)
        return
    yield from (str(each) for each in odd)


def _line(error: BadFile) -> str:
    return f"{error.file}:{error.line or 1}: {error.reason}"
