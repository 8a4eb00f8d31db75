"""Recordings on screen: what one holds, what a capture brought and missed, and what the lint says."""

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from opssquad.cli.render.screen import BAD, GOOD, MUTED, STRONG, WARN, Screen
from opssquad.cli.text import visible
from opssquad.times import duration, rfc3339
from opssquad.types import Json
from opssquad.worlds.kube.kinds import WORKLOADS
from opssquad.worlds.kube.recording import Recording
from opssquad.worlds.kube.recording.health import unhealthy
from opssquad.worlds.kube.recording.notes import CaptureNotes, Missing
from opssquad.worlds.kube.recording.spec import Alert, Truth

if TYPE_CHECKING:
    from opssquad.evals.capture import Captured
    from opssquad.evals.linting import Linted

ASKED = 3
"""Questions that `show` says: so many every incident has."""
KINDS = 9
"""Kinds of objects that `show` counts one by one."""
MOST = 4
"""Unhealthy or missing things that `show` names; it is to fit on one screen."""


def show_captured(screen: Screen, found: "Captured") -> None:
    """What was written, what was taken out, and everything that could not be read."""
    notes, redacted = found.notes, found.notes.redacted
    screen.line(("captured", GOOD), f" {visible(found.folder.name)}")
    screen.field("Folder", str(found.folder))
    screen.field("Clock", rfc3339(notes.captured_at))
    held = [f"{found.objects} objects, {found.logs} logs with {found.lines} lines"] if found.objects else []
    held += [f"{found.rows} rows of a database"] if found.rows else []
    held += [f"{_count(found.answers, 'answer')} of the network"] if found.answers else []
    screen.field("Holds", ", ".join(held))
    screen.field(
        "Redacted",
        f"{_count(redacted.secret_values, 'value')} of Secrets, "
        f"{_count(redacted.in_objects, 'secret')} in other objects, {redacted.in_logs} in logs",
    )
    if notes.missing:
        screen.field("Missing", f"{_count(len(notes.missing), 'thing')} could not be read:", style=WARN)
        for each in notes.missing:
            screen.flow(_missing(each), indent=6, first="    - ")
    screen.field("Next", "make it a case by a verdict (opssquad eval promote, or truth.yaml); then:")
    screen.command(f"opssquad recording lint {shlex.quote(str(found.folder))}", indent=4)


def show_made(screen: Screen, folder: Path) -> None:
    """Where the recording of a scenario is."""
    screen.line(("made", GOOD), f" {visible(str(folder))}")


def show_linted(screen: Screen, folder: Path, found: "Linted") -> None:
    """One line, then a line for each problem and for each action that code cannot judge."""
    name = f"{visible(str(folder))}: "
    if found.problems:
        screen.line(name, (_count(len(found.problems), "problem"), BAD))
    elif not found.verdict:
        screen.line(name, ("no verdict yet", WARN))
    else:
        screen.line(name, ("ok", GOOD))
    if not found.verdict:
        screen.flow("truth.yaml is missing: say what was wrong there before it goes into a suite", indent=4)
    for problem in found.problems:
        screen.flow(problem, indent=4, first="  - ")
    for each in found.undecided:
        screen.flow(each, indent=4, first="  ? ", style=MUTED)


def show_recording(screen: Screen, recording: Recording, notes: CaptureNotes | None) -> None:
    """What the recording holds, without its verdict."""
    incident, objects = recording.incident, recording.objects
    screen.flow(f"{incident.id}  {incident.title}", style=STRONG)
    reported = duration(incident.clock - incident.reported_at)
    screen.field("Clock", f"{rfc3339(incident.clock)}, {reported} after it was reported")
    if incident.cluster:
        screen.field("Cluster", f"{incident.cluster.name}, Kubernetes {incident.cluster.kubernetes}")
    if incident.database:
        screen.field("Database", f"{incident.database.name}, PostgreSQL {incident.database.version}")
    if incident.network:
        screen.field("Network", _network(recording.folder, incident.network.name))
    for number, question in enumerate(incident.questions[:ASKED]):
        screen.field("" if number else "Asked", f"- {question}")
    if more := len(incident.questions) - ASKED:
        screen.field("", f"  and {more} more")
    alerts = (_alert(alert, incident.clock) for alert in incident.alerts)
    screen.field("Alerts", ", ".join(alerts) or "none")
    screen.field("Objects", _kinds(objects))
    screen.field("Logs", _logs(recording.folder))
    for namespace, state in _workloads(objects):
        screen.field("Workloads", f"in {namespace}: {state}")
    sick: dict[tuple[str, str], list[str]] = {}
    for obj, why in unhealthy(objects):
        sick.setdefault((obj["kind"], why), []).append(obj["metadata"]["name"])
    said = [f"{kind} {_some(names, ', ')}: {why}" for (kind, why), names in sick.items()]
    screen.field("Unhealthy", _some(said, "\n") or "nothing", style=BAD if sick else GOOD)
    if notes:
        screen.field("Missing", _some(list(map(_missing, notes.missing)), "\n") or "nothing")


def show_truth(screen: Screen, truth: Truth | None) -> None:
    """The verdict: what was wrong, how it is known, what helps and what harms; None for none yet."""
    screen.gap()
    if truth is None:
        screen.line(("no verdict yet", WARN), ": truth.yaml is missing")
        return
    component = truth.component
    screen.line(("The verdict", STRONG), (" (no squad sees it)", MUTED))
    gone = ", which is missing" if component.absent else ""
    screen.field("Fault", f"{truth.fault} in {component.kind} {component.namespace}/{component.name}{gone}")
    screen.field("Since", rfc3339(truth.since))
    screen.field("Mechanism", truth.mechanism)
    screen.field("Cause", truth.root_cause)
    for further in truth.also:
        screen.field("Also", f"{further.fault} in {further.component.kind} {further.component.name}")
    for label, actions in (("Helps", truth.fix.accept), ("Harms", truth.fix.forbid)):
        for number, action in enumerate(actions):
            screen.field("" if number else label, str(action))
    for number, proof in enumerate(truth.evidence):
        screen.field("" if number else "Evidence", str(proof))


def _network(folder: Path, name: str) -> str:
    """From where it was probed, and what of it was recorded."""
    # Late: DNS and certificates take a while to import.
    from opssquad.worlds.net.material import load_material

    material = load_material(folder)
    told = material.told
    answers = sum(map(len, material.probes.values()))
    held = (
        _count(len(told.servers), "DNS server"),
        _count(len(material.zones), "zone"),
        _count(len(told.listeners), "listener"),
        _count(len(material.chains), "chain"),
        _count(answers, "recorded answer"),
    )
    places = "; ".join(each.says for each in told.origins)
    return f"{name}, from {places}: {', '.join(held)}"


def _missing(each: Missing) -> str:
    return f"{each.kind}{f' {each.where}' if each.where else ''}: {each.reason}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _some(texts: list[str], between: str) -> str:
    more = [f"and {len(texts) - MOST} more"] if len(texts) > MOST else []
    return between.join([*texts[:MOST], *more])


def _alert(alert: Alert, clock: datetime) -> str:
    name = alert.labels.get("alertname", "unnamed")
    return f"{name} {alert.status} for {duration(clock - alert.startsAt)}"


def _kinds(objects: list[Json]) -> str:
    """How many there are of each kind; events are held in both of their forms."""
    kinds = Counter(obj["kind"] for obj in objects).most_common()
    parts = [f"{number} {kind}" for kind, number in kinds[:KINDS]]
    parts += [f"and {len(kinds) - KINDS} more kinds"] if len(kinds) > KINDS else []
    return f"{len(objects)}: {', '.join(parts)}"


def _logs(folder: Path) -> str:
    sizes = [file.stat().st_size for file in (folder / "logs").rglob("*.log")]
    return f"{_count(len(sizes), 'file')}, {sum(sizes) / 1e6:.1f} MB"


def _workloads(objects: Iterable[Json]) -> Iterator[tuple[str, str]]:
    """Each namespace with its workloads: how many pods are ready of how many that are wanted."""
    states: dict[str, list[str]] = {}
    for obj in objects:
        if obj["kind"] in WORKLOADS:
            status, meta = obj.get("status") or {}, obj["metadata"]
            wanted = status.get("desiredNumberScheduled", obj["spec"].get("replicas", 1))
            ready = status.get("numberReady", status.get("readyReplicas", 0))
            states.setdefault(meta["namespace"], []).append(f"{meta['name']} {ready}/{wanted}")
    yield from ((namespace, ", ".join(found)) for namespace, found in states.items())
