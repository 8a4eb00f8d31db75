"""What looks have shown of revisions, on screen, from what is kept."""

import difflib
from collections.abc import Sequence
from itertools import groupby

from opssquad.cli.render.screen import BAD, GOOD, MUTED, STRONG, Screen
from opssquad.cli.text import visible
from opssquad.errors import UsageError
from opssquad.observations import Known, Stretch, judged, replaced
from opssquad.store.stretches import Seen
from opssquad.times import duration

WORDS = {"ok": ("ran well", GOOD), "risk": ("did not run well", BAD), "unknown": ("not known", "")}


def chosen(kept: Sequence[Seen], workload: str, namespace: str) -> list[Seen]:
    """What is kept of the workload (`NAME`, `KIND/NAME`, or as it is shown) and namespace; empty means any.
    Raises UsageError with the nearest names."""
    *kind, name = workload.replace("//", "/").split("/")
    found = [
        each
        for each in kept
        if namespace in ("", each.stretch.workload.namespace)
        and name in ("", each.stretch.workload.name)
        and all(part.lower() in str(each.stretch.workload).lower().split("/") for part in kind)
    ]
    if (workload or namespace) and kept and not found:
        names = sorted({each.stretch.workload.name for each in kept})
        near = difflib.get_close_matches(name, names, n=3) or names[:5]
        where = f" in {namespace!r}" if namespace else ""
        raise UsageError(f"nothing is kept of {workload or 'workloads'!r}{where}; nearest: {', '.join(near)}")
    return found


def show_seen(screen: Screen, kept: Sequence[Seen]) -> None:
    """Each workload with its revisions, the one that was seen last first."""
    if not kept:
        screen.line("no look is kept yet; begin with: opssquad history watch")
    cluster = ""
    for key, group in groupby(kept, key=lambda each: (each.cluster, each.stretch.uid)):
        seen = list(group)
        if key[0] != cluster:
            cluster = key[0]
            screen.line((visible(seen[-1].cluster_name), STRONG), (f"  {visible(cluster)}", MUTED))
        _workload(screen, [each.stretch for each in seen])


def _workload(screen: Screen, stretches: Sequence[Stretch]) -> None:
    screen.line(visible(str(stretches[-1].workload)), (f"  uid {visible(stretches[-1].uid)}", MUTED))
    by_revision: dict[str, list[Stretch]] = {}
    for each in stretches:
        by_revision.setdefault(each.revision, []).append(each)
    latest = sorted(by_revision, key=lambda key: by_revision[key][-1].ended, reverse=True)
    for key in latest:
        others = [each for each in stretches if each.revision != key]
        known = judged(by_revision[key], replaced(by_revision[key], others))
        if known:
            _revision(screen, by_revision[key][-1], known)


def _revision(screen: Screen, last: Stretch, known: Known) -> None:
    words, style = WORDS[known.verdict]
    name = f"revision {last.number}" if last.number else "revision"
    screen.line(f"  {name} ", (f"({visible(last.revision)}) ", MUTED), (words, style))
    looks = f"{known.looks} look{'s' * (known.looks != 1)}"
    gap = f", largest gap {duration(known.gap)}" if known.looks > 1 else ""
    restarts = f"{known.restarts} restart{'s' * (known.restarts != 1)}"
    span = f"{known.begun:%Y-%m-%d %H:%M} to {known.ended:%Y-%m-%d %H:%M} UTC"
    screen.flow(f"{span}: {looks}{gap}, {restarts}", indent=4)
    screen.flow(known.text, indent=4, style=MUTED)
