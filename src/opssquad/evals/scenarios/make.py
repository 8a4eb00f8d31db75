"""Writes the recording of a scenario: what was played, what was logged, the truth with evidence found."""

import random
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

from opssquad.documents import BadFile, yaml_text
from opssquad.evals.oracle import Kin
from opssquad.evals.scenarios.database import database_part, named, rows_with
from opssquad.evals.scenarios.network import Cluster as Placed
from opssquad.evals.scenarios.network import Part, network_part
from opssquad.evals.scenarios.nodes import beat, metrics
from opssquad.evals.scenarios.play import Play, StoryError
from opssquad.evals.scenarios.spec import Alert, Cluster, Scenario, Sought, read_scenario
from opssquad.evals.scenarios.voices import Voices
from opssquad.times import rfc3339
from opssquad.types import Json, digest
from opssquad.worlds.kube.controllers.meta import is_true
from opssquad.worlds.kube.recording.files import compact, packed
from opssquad.worlds.kube.recording.refs import reference
from opssquad.worlds.sql.material import Material

__all__ = ["make"]

DEFINITION = "CustomResourceDefinition"
NEVER = "0001-01-01T00:00:00Z"


def _established(definition: Json) -> Json:
    """The definition of custom objects as the server has it once it serves them."""
    spec = definition["spec"]
    stored = [each["name"] for each in spec["versions"] if each.get("storage")]
    return {
        **definition,
        "status": {"acceptedNames": spec["names"], "conditions": [], "storedVersions": stored},
    }


def make(file: Path, out: Path) -> Path:
    """Play a scenario and write its recording below `out`; gives the folder, named by the scenario's id. The
    same files give the same bytes; what stood there is written over. Raises BadFile."""
    scenario, application, manifests = read_scenario(file)
    clock, rng = scenario.clock, random.Random(scenario.id)
    with tempfile.TemporaryDirectory(prefix="opssquad-scenario-") as nowhere:
        definitions = [_established(each) for each in manifests if each["kind"] == DEFINITION]
        play = Play(scenario, application, Path(nowhere), definitions)
        try:
            play.run([m for m in manifests if m["kind"] != DEFINITION], application.by, scenario.story)
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
    database = None
    if scenario.database:
        database = database_part(file, scenario.database, clock, _addresses(pods, workloads))
    network = None
    if scenario.network:
        placed = Placed({reference(obj): obj for obj in objects}, workloads)
        network = network_part(file, scenario.network, placed)
    documents = {
        "incident": _incident(scenario, application.cluster, database),
        "truth": _truth(scenario, file, _Held(objects, logs, database, network, clock)),
        "world": scenario.world.model_dump(mode="json", exclude_defaults=True) | _default(scenario),
    }
    folder = _write(out / scenario.id, documents, objects, logs)
    for path, content in (
        *(database.files() if database else ()),
        *(network.files.items() if network else ()),
    ):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def _addresses(pods: Sequence[Json], workloads: Mapping[str, str]) -> dict[str, list[str]]:
    """The addresses of the pods of each workload that run, by the pods' names."""
    found: dict[str, list[str]] = {}
    for pod in sorted(pods, key=lambda each: str(each["metadata"]["name"])):
        if pod["status"].get("phase") == "Running" and (address := pod["status"].get("podIP")):
            found.setdefault(workloads[pod["metadata"]["uid"]], []).append(address)
    return found


def _default(scenario: Scenario) -> Json:
    """Fates as they are written."""
    outcomes = [
        {"when": each.when.model_dump(mode="json", exclude_defaults=True), "pods": each.pods.written()}
        for each in scenario.world.outcomes
    ]
    return {"outcomes": outcomes, "default": {"pods": scenario.world.default.pods.written()}}


def _incident(scenario: Scenario, cluster: Cluster, database: Material | None) -> Json:
    clock = scenario.clock
    facts = {"name": database.server["database"], "version": database.server["version"]} if database else {}
    return {
        "id": scenario.id,
        "title": scenario.title,
        "reported_at": rfc3339(clock + scenario.reported),
        "clock": rfc3339(clock),
        "squad": scenario.squad,
        "questions": scenario.questions,
        "alerts": [_alert(alert, clock) for alert in scenario.alerts],
        "cluster": {"name": cluster.name, "kubernetes": cluster.kubernetes},
        **({"database": facts} if facts else {}),
        **({"network": {"name": scenario.network.name}} if scenario.network else {}),
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


class _Held(NamedTuple):
    """What evidence may stand in."""

    objects: Sequence[Json]
    logs: Mapping[str, str]
    database: Material | None
    network: Part | None
    clock: datetime


def _truth(scenario: Scenario, file: Path, held: _Held) -> Json:
    told = scenario.truth.model_dump(
        mode="json", exclude_defaults=True, exclude={"evidence", "since", "also"}
    )
    evidence = [_found(proof, file, held) for proof in scenario.truth.evidence]
    also = [each.model_dump(mode="json") for each in scenario.truth.also]
    truth = (
        {"affected": [], "notes": ""}
        | told
        | {
            "since": rfc3339(scenario.clock + scenario.truth.since),
            "evidence": evidence,
            **({"also": also} if also else {}),
        }
    )
    if scenario.database and held.database:
        filled: Json = _filled(truth, named(file, scenario.database, held.database))
        return filled
    return truth


def _filled(value: Any, names: Mapping[str, str]) -> Any:
    """The truth with what the capture alone knows."""
    if isinstance(value, dict):
        return {key: _filled(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, names) for each in value]
    return Template(value).safe_substitute(names) if isinstance(value, str) else value


def _found(proof: Sought, file: Path, held: _Held) -> Json:
    """The evidence where it stands. Raises BadFile where it stands nowhere."""
    places = sorted(_places(proof, held))
    if not places:
        raise BadFile(file, f"truth.evidence: no {proof.kind} {proof.where} holds {proof.contains!r}")
    return {"kind": proof.kind, "where": places[0], "contains": proof.contains}


def _places(proof: Sought, held: _Held) -> list[str]:
    if proof.kind == "rows":
        return list(rows_with(held.database, proof.where, proof.contains))
    if proof.kind == "probe":
        shown = held.network and held.network.shows(held.clock, proof.where, proof.contains)
        return [proof.where] if shown else []
    if proof.kind == "log":
        logs = held.logs.items()
        return [path for path, text in logs if fnmatchcase(path, proof.where) and proof.contains in text]
    if proof.kind == "object":
        found = [("/".join(reference(obj)), compact(obj)) for obj in held.objects]
    else:
        core = [obj for obj in held.objects if obj["kind"] == "Event" and obj["apiVersion"] == "v1"]
        found = [(_about(event), f"{event['reason']} {event['message']}") for event in core]
    return [ref for ref, text in found if fnmatchcase(ref, proof.where) and proof.contains in text]


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
