"""Writes the recording of a scenario: what was played, what was logged, the truth with evidence found."""

import random
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path

from opssquad.documents import BadFile, yaml_text
from opssquad.evals.oracle import Kin
from opssquad.evals.scenarios.nodes import beat, metrics
from opssquad.evals.scenarios.play import Play, StoryError
from opssquad.evals.scenarios.spec import Alert, Scenario, Sought, read_scenario
from opssquad.evals.scenarios.voices import Voices
from opssquad.times import rfc3339
from opssquad.types import Json, digest
from opssquad.worlds.kube.controllers.meta import is_true
from opssquad.worlds.kube.recording.files import compact, packed
from opssquad.worlds.kube.recording.refs import reference

__all__ = ["make"]

NEVER = "0001-01-01T00:00:00Z"


def make(file: Path, out: Path) -> Path:
    """Play a scenario and write its recording below `out`; gives the folder, named by the scenario's id. The
    same files give the same bytes; what stood there is written over. Raises BadFile."""
    scenario, application, manifests = read_scenario(file)
    clock, rng = scenario.clock, random.Random(scenario.id)
    with tempfile.TemporaryDirectory(prefix="opssquad-scenario-") as nowhere:
        play = Play(scenario, application, Path(nowhere))
        try:
            play.run(manifests, application.by, scenario.story)
        except StoryError as error:
            raise BadFile(file, str(error)) from None
        objects = play.objects()
    for node in (obj for obj in objects if obj["kind"] == "Node"):
        beat(node, clock, rng)
    pods = [obj for obj in objects if obj["kind"] == "Pod"]
    kin = Kin(objects)
    workloads = {pod["metadata"]["uid"]: "/".join(kin.top(reference(pod))) for pod in pods}
    load = {uid: scenario.load[name] for uid, name in workloads.items() if name in scenario.load}
    objects += list(metrics(objects, clock, rng, load))
    voices = Voices(application.voices, scenario.logs, clock, rng)
    # A node that does not answer gives no log.
    silent = {o["metadata"]["name"] for o in objects if o["kind"] == "Node" and not is_true(o, "Ready")}
    heard = [pod for pod in pods if pod["spec"].get("nodeName") not in silent]
    logs = dict(voices.logs(heard, workloads))
    documents = {
        "incident": _incident(scenario, application.cluster.name, application.cluster.kubernetes, clock),
        "truth": _truth(scenario, file, clock, objects, logs),
        "world": scenario.world.model_dump(mode="json", exclude_defaults=True) | _default(scenario),
    }
    return _write(out / scenario.id, documents, objects, logs)


def _default(scenario: Scenario) -> Json:
    """Fates as they are written."""
    outcomes = [
        {"when": each.when.model_dump(mode="json", exclude_defaults=True), "pods": each.pods.written()}
        for each in scenario.world.outcomes
    ]
    return {"outcomes": outcomes, "default": {"pods": scenario.world.default.pods.written()}}


def _incident(scenario: Scenario, cluster: str, version: str, clock: datetime) -> Json:
    return {
        "id": scenario.id,
        "title": scenario.title,
        "reported_at": rfc3339(clock + scenario.reported),
        "clock": rfc3339(clock),
        "squad": "k8s",
        "questions": scenario.questions,
        "alerts": [_alert(alert, clock) for alert in scenario.alerts],
        "cluster": {"name": cluster, "kubernetes": version},
    }


def _alert(alert: Alert, clock: datetime) -> Json:
    ends = rfc3339(clock + alert.until) if alert.until is not None else NEVER
    return {
        "labels": {"alertname": alert.name, **alert.labels},
        "annotations": alert.annotations,
        "startsAt": rfc3339(clock + alert.since),
        "status": "firing" if alert.until is None else "resolved",
        "endsAt": ends,
        "fingerprint": digest([alert.name, alert.labels])[:16],
    }


def _truth(
    scenario: Scenario, file: Path, clock: datetime, objects: Sequence[Json], logs: Mapping[str, str]
) -> Json:
    told = scenario.truth.model_dump(
        mode="json", exclude_defaults=True, exclude={"evidence", "since", "also"}
    )
    evidence = [_found(proof, file, objects, logs) for proof in scenario.truth.evidence]
    also = [each.model_dump(mode="json") for each in scenario.truth.also]
    return (
        {"affected": [], "notes": ""}
        | told
        | {
            "since": rfc3339(clock + scenario.truth.since),
            "evidence": evidence,
            **({"also": also} if also else {}),
        }
    )


def _found(proof: Sought, file: Path, objects: Sequence[Json], logs: Mapping[str, str]) -> Json:
    """The evidence where it stands. Raises BadFile where it stands nowhere."""
    places = sorted(_places(proof, objects, logs))
    if not places:
        raise BadFile(file, f"truth.evidence: no {proof.kind} {proof.where} holds {proof.contains!r}")
    return {"kind": proof.kind, "where": places[0], "contains": proof.contains}


def _places(proof: Sought, objects: Sequence[Json], logs: Mapping[str, str]) -> list[str]:
    if proof.kind == "log":
        return [
            path for path, text in logs.items() if fnmatchcase(path, proof.where) and proof.contains in text
        ]
    if proof.kind == "object":
        held = [("/".join(reference(obj)), compact(obj)) for obj in objects]
    else:
        core = [obj for obj in objects if obj["kind"] == "Event" and obj["apiVersion"] == "v1"]
        held = [(_about(event), f"{event['reason']} {event['message']}") for event in core]
    return [ref for ref, text in held if fnmatchcase(ref, proof.where) and proof.contains in text]


def _about(event: Json) -> str:
    about = event["involvedObject"]
    return f"{about['kind']}/{about.get('namespace', '')}/{about['name']}"


def _write(
    folder: Path, documents: Mapping[str, Json], objects: Sequence[Json], logs: Mapping[str, str]
) -> Path:
    if folder.exists():
        shutil.rmtree(folder)
    (folder / "cluster").mkdir(parents=True)
    for name, document in documents.items():
        (folder / f"{name}.yaml").write_text(yaml_text(document), encoding="utf-8")
    (folder / "cluster" / "objects.jsonl.gz").write_bytes(packed(objects))
    for path, text in logs.items():
        log = folder / path
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(text, encoding="utf-8")
    return folder
