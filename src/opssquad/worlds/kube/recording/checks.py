"""The lint of a recording: evidence stands where the truth says, nothing gives the answer away, times agree.

`load` refuses what cannot be served; this module says what makes a recording an unfair or incoherent case.
Each check is a generator of sentences; health is judged in `health`.
"""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from opssquad.documents import BadFile, read_text
from opssquad.times import parse_time, rfc3339
from opssquad.types import Json
from opssquad.worlds.kube.kinds import KNOWN, match
from opssquad.worlds.kube.recording import health
from opssquad.worlds.kube.recording.files import STAMP, compact
from opssquad.worlds.kube.recording.load import Recording, load, load_truth
from opssquad.worlds.kube.recording.logs_check import check_logs
from opssquad.worlds.kube.recording.network_check import check_network, network_texts, shown
from opssquad.worlds.kube.recording.notes import CaptureNotes, load_notes
from opssquad.worlds.kube.recording.refs import Key, reference, split
from opssquad.worlds.kube.recording.spec import Proof, Truth
from opssquad.worlds.net.recorded import has_network
from opssquad.worlds.sql.database import row_text
from opssquad.worlds.sql.material import has_database, load_material

LABELS = (
    (re.compile(r"\b(?:K[0-2]\d|N[01]\d|D[01]\d|P[01]\d|Z[1-5])\b"), "a catalogue id"),
    (
        re.compile(
            r"\b(?:faults?|faulty|chaos|inject(?:ed|ion|or)?|culprit|distractors?|root.?cause|ground.?truth|fake"
            r"|simulat\w*|mock\w*|benchmark\w*|scenario|sabotage\w*|misconfigured?)\b",
            re.IGNORECASE,
        ),
        "a word of the label",
    ),
    (re.compile(r"/tmp/|/root/|fake.kubelet"), "a path or name of the recording machine"),
)

ELSEWHERE = frozenset(
    (
        "Database",
        "Session",
        "Client",
        "Table",
        "Index",
        "Role",
        "ReplicationSlot",
        "Replica",
        "Setting",
        "Host",
    )
)
"""Kinds of what a database or a network has; a cluster's resources have other names."""
REDACTED = "cmVkYWN0ZWQ="
"""What stands for every value of a Secret: "redacted" in base64."""


def check(folder: Path) -> list[str]:
    """Everything that is wrong with a recording that has its verdict, a sentence each."""
    try:
        return problems(load(folder), load_truth(folder), load_notes(folder))
    except BadFile as error:
        return [str(error)]


def problems(recording: Recording, truth: Truth | None, notes: CaptureNotes | None) -> list[str]:
    """The same for one that was loaded; without `truth` what can be said before there is a verdict.

    What a live system showed (`notes`) is as it is: it need not keep to what a made-up incident must.
    """
    if lacking := list(_lacking(recording)):
        return lacking
    named = {reference(obj): obj for obj in recording.objects}
    return [
        *_frame(recording, truth),
        *(_truth(recording, truth, named) if truth else ()),
        *_leaks(recording, captured=notes is not None),
        *check_logs(recording, notes),
        *check_network(recording),
        *_secrets(recording),
        *(_coherence(recording, named) if notes is None else ()),
        *(health.unexplained(recording, truth, named) if truth else ()),
    ]


def _lacking(recording: Recording) -> Iterator[str]:
    """Objects without what every stored object has: nothing more can be said of such a recording.

    The metrics API stores nothing: its objects are answers, without a uid.
    """
    for obj in recording.objects:
        resource = match(f"{obj['apiVersion']}/{obj['kind']}", "", KNOWN)
        stored = () if obj["apiVersion"].startswith("metrics.k8s.io/") else ("uid",)
        placed = ("namespace",) if resource and resource.namespaced else ()
        needed = (*stored, "creationTimestamp", *placed)
        for field in needed:
            if not obj["metadata"].get(field):
                yield f"objects.jsonl.gz: {obj['kind']} {obj['metadata']['name']!r} has no metadata.{field}"


def _frame(recording: Recording, truth: Truth | None) -> Iterator[str]:
    if recording.incident.id != recording.folder.resolve().name:
        yield "incident.yaml: id is not the folder's name"
    if truth and not truth.known_by(recording.clock):
        yield "truth.yaml: since is after the clock"


def _truth(recording: Recording, truth: Truth, named: dict[Key, Json]) -> Iterator[str]:
    component = truth.component
    # What is to blame there may be what is not there; rows and answers are what must stand.
    if component.kind not in ELSEWHERE and (component.key in named) == component.absent:
        there = "there" if component.absent else "not among the objects"
        yield f"truth.yaml: component {component} is {there}"
    for proof in truth.evidence:
        if not _stands(recording, proof, named):
            yield f"truth.yaml: {proof.kind} {proof.where} does not hold {proof.contains!r}"


def _stands(recording: Recording, proof: Proof, named: dict[Key, Json]) -> bool:
    if proof.kind == "rows":
        return proof.contains in _rows(recording, proof.where)
    if proof.kind == "probe":
        return has_network(recording.folder) and shown(recording, proof.where, proof.contains)
    if proof.kind == "log":
        file = recording.folder / proof.where
        return file.is_file() and proof.contains in read_text(file)
    key = split(proof.where)
    if proof.kind == "object":
        return key in named and proof.contains in compact(named[key])
    return any(
        proof.contains in (event.get("message") or event.get("note") or "")
        or proof.contains in (event.get("reason") or "")
        for event in recording.objects
        if event["kind"] == "Event" and _concerns(event, key)
    )


def _rows(recording: Recording, look: str) -> str:
    """What a look into the recorded database showed, a line for each row; `log` is the server's log."""
    if not has_database(recording.folder):
        return ""
    material = load_material(recording.folder)
    if look == "log":
        return "\n".join(material.log or ())
    return "\n".join(map(row_text, material.rows.get(look, ())))


def _concerns(event: Json, key: Key) -> bool:
    about = event.get("involvedObject") or event.get("regarding") or {}
    return (about.get("kind"), about.get("name")) == (key[0], key[2]) and (about.get("namespace") or "") in (
        key[1],
        "default",
    )


def _leaks(recording: Recording, *, captured: bool) -> Iterator[str]:
    yield from scan("incident.yaml", read_text(recording.folder / "incident.yaml"), recording.clock)
    for name, text in network_texts(recording.folder):
        yield from _labels(name, text)
    if captured:
        # Live objects and logs speak of injected sidecars, and of certificates that end next year.
        return
    for obj in recording.objects:
        yield from scan("/".join(reference(obj)), json.dumps(obj), recording.clock)
    for file in sorted((recording.folder / "logs").rglob("*.log")):
        yield from scan(str(file.relative_to(recording.folder)), read_text(file), recording.clock)


def _labels(name: str, text: str) -> Iterator[str]:
    for pattern, what in LABELS:
        if hit := pattern.search(text):
            around = text[max(0, hit.start() - 40) : hit.end() + 30]
            yield f"{name}: {what} {hit.group(0)!r} in ...{around!r}"


def scan(name: str, text: str, clock: datetime) -> Iterator[str]:
    """What an agent may see must not give the label away, nor hold a time after the clock."""
    yield from _labels(name, text)
    latest = rfc3339(clock)[:-1]
    for hit in STAMP.finditer(text):
        if hit.group(0)[:19] > latest:
            yield f"{name}: {hit.group(0)} is after the clock"
            return


def _secrets(recording: Recording) -> Iterator[str]:
    for obj in recording.objects:
        if obj["kind"] == "Secret" and any(v != REDACTED for v in (obj.get("data") or {}).values()):
            yield f"Secret/{obj['metadata']['name']} is not redacted"


def _event_forms(recording: Recording) -> Iterator[str]:
    events = [obj for obj in recording.objects if obj["kind"] == "Event"]
    core = {obj["metadata"]["uid"] for obj in events if obj["apiVersion"] == "v1"}
    other = {obj["metadata"]["uid"] for obj in events if obj["apiVersion"] != "v1"}
    if core != other:
        yield "core/v1 events and events.k8s.io differ"


def _coherence(recording: Recording, named: dict[Key, Json]) -> Iterator[str]:
    for obj in recording.objects:
        yield from _ages(obj, named)
        if obj["kind"] == "Event":
            yield from _event(obj, recording.clock)
    yield from _event_forms(recording)


def _ages(obj: Json, named: dict[Key, Json]) -> Iterator[str]:
    meta, kind = obj["metadata"], obj["kind"]
    if not meta.get("creationTimestamp"):
        return
    born = parse_time(meta["creationTimestamp"])
    for condition in (obj.get("status") or {}).get("conditions") or []:
        since = condition.get("lastTransitionTime")
        if since and (born - parse_time(since)).total_seconds() > 1:
            yield f"{kind}/{meta['name']}: condition {condition['type']} is older than the object"
    for owner in meta.get("ownerReferences") or []:
        found = named.get((owner["kind"], meta.get("namespace") or "", owner["name"]))
        found = found or named.get((owner["kind"], "", owner["name"]))
        if found is None:
            yield f"{kind}/{meta['name']}: owner {owner['kind']}/{owner['name']} was not recorded"
        elif parse_time(found["metadata"]["creationTimestamp"]) > born:
            yield f"{kind}/{meta['name']} is older than its owner"


def _event(event: Json, clock: datetime) -> Iterator[str]:
    name = event["metadata"]["name"]
    first = event.get("firstTimestamp") or event.get("deprecatedFirstTimestamp")
    last = event.get("lastTimestamp") or event.get("deprecatedLastTimestamp")
    if first and last and first > last:
        yield f"event {name}: first after last"
    if last and (clock - parse_time(last)).total_seconds() > 3601:
        yield f"event {name}: older than an hour"
