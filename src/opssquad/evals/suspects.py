"""Whom somebody would blame who does not look closely: workloads, a database's clients, a network's hosts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from opssquad.evals.oracle import Kin
from opssquad.findings import Action
from opssquad.types import Json, Ref
from opssquad.worlds.kube.controllers.deployment.revisions import REVISION
from opssquad.worlds.kube.kinds import WORKLOADS
from opssquad.worlds.kube.recording import Recording
from opssquad.worlds.kube.recording.health import unhealthy
from opssquad.worlds.kube.recording.refs import Key, reference
from opssquad.worlds.sql.material import load_material


@dataclass(frozen=True)
class Suspects:
    """Who came last, who is unwell (the loudest first), and everybody; `whole` is what is well where nothing
    is wrong. `fault` is what one would call it, `calm` what one would call no fault, `undo` the way back."""

    newest: Ref
    unwell: Sequence[Ref]
    everybody: Sequence[Ref]
    whole: Ref
    fault: str
    calm: str
    undo: Action


def suspects(recording: Recording, kin: Kin) -> Suspects:
    """Those of a recording. Raises BadFile."""
    if recording.incident.cluster is not None:
        return _workloads(recording, kin)
    return _clients(recording) if recording.incident.database else _hosts(recording)


def _workloads(recording: Recording, kin: Kin) -> Suspects:
    newest = _newest_release(recording, kin)
    everybody = [_ref(reference(obj)) for obj in recording.objects if obj["kind"] in WORKLOADS]
    return Suspects(newest, _sick(recording, kin), everybody, newest, "K01", "Z2", "rollback")


def _clients(recording: Recording) -> Suspects:
    """Those who are connected: who came last, and who holds the most sessions first."""
    material = load_material(recording.folder)
    name = str(material.server["database"])
    sessions = [row for row in material.rows.get("sessions", ()) if row["application"]]
    refs = {
        str(row["application"]): Ref(kind="Client", namespace=name, name=str(row["application"]))
        for row in sorted(sessions, key=lambda row: str(row["backend_start"]))
    }
    whole = Ref(kind="Database", name=name)
    most = [refs[each] for each, _ in Counter(str(row["application"]) for row in sessions).most_common()]
    newest = list(refs.values())[-1] if refs else whole
    return Suspects(newest, most, most, whole, "D01", "Z1", "escalate")


def _hosts(recording: Recording) -> Suspects:
    """Those that have addresses: whose address does not listen everywhere first."""
    # Late: DNS and certificates take a while to import, and few recordings have any.
    from opssquad.worlds.net.material import load_material as load_network
    from opssquad.worlds.net.view import Place, view

    material = load_network(recording.folder)
    seen, found = view(material, recording.clock), dict[str, str]()
    for zone in material.zones.values():
        for name, _, data in zone.iterate_rdatas("A"):
            found.setdefault(name.to_text(omit_final_dot=True), data.to_text())
    shut = [
        host
        for host, address in sorted(found.items())
        if any(each.answers != "open" and Place("", address).fits(each) for each in seen.listeners)
    ]
    refs = {host: Ref(kind="Host", name=host) for host in sorted(found)}
    whole = Ref(kind="Host", name="here")
    unwell = [refs[each] for each in shut]
    return Suspects((unwell or [whole])[0], unwell, list(refs.values()), whole, "N06", "Z1", "escalate")


def _newest_release(recording: Recording, kin: Kin) -> Ref:
    """The Deployment whose current revision is the youngest; a first revision was no change."""
    rolled = [
        (obj["metadata"]["creationTimestamp"], kin.top(reference(obj)))
        for obj in recording.objects
        if obj["kind"] == "ReplicaSet" and _revision(obj) > 1
    ]
    return _ref(max(rolled)[1]) if rolled else Ref(kind="Deployment", name="none")


def _revision(replica_set: Json) -> int:
    return int((replica_set["metadata"].get("annotations") or {}).get(REVISION, 0))


def _sick(recording: Recording, kin: Kin) -> list[Ref]:
    """Workloads with something unhealthy, the one with the most first."""
    counts = dict[Key, int]()
    for obj, _ in unhealthy(recording.objects):
        top = kin.top(reference(obj))
        if top[0] in WORKLOADS:
            counts[top] = counts.get(top, 0) + 1
    return [_ref(key) for key in sorted(counts, key=lambda k: (-counts[k], k))]


def _ref(key: Key) -> Ref:
    return Ref(kind=key[0], namespace=key[1], name=key[2])
