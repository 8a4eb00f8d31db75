"""Unrelated, plausible material: further workloads, rollouts, warnings, log lines, and an edited ConfigMap.

Nothing of it is unhealthy and nothing touches what the truth names; `truth.yaml` lists it as distractors.
"""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from string import Template

from opssquad.evals.perturb.clone import Copier, Copy
from opssquad.evals.perturb.crowd import crowded
from opssquad.evals.perturb.events import event
from opssquad.evals.perturb.healthy import Workload, healthy
from opssquad.evals.perturb.material import Material, uid
from opssquad.evals.perturb.names import Drawn, words
from opssquad.evals.perturb.rollout import rolled_out
from opssquad.evals.perturb.stock import Stock, Warned, merged, span, stock, written
from opssquad.times import clock_time, parse_time, rfc3339
from opssquad.types import Json
from opssquad.worlds.kube.recording.files import log_path

WORKLOADS, EVENTS, LINES = (2, 4), (6, 10), (20, 60)
"""How much is added: at least and at most."""
AGES = {"stale": (30 * 60, 54 * 60), "fresh": (90, 9 * 60)}
"""How many seconds before the clock a warning was seen; one of the start comes with its pod."""
ROLLOUT = (6, 50)
"""How many minutes before the clock a rollout may have begun: its events are still kept."""


def noised(material: Material, rng: random.Random) -> Material:
    """The material with unrelated things added to it."""
    texts, drawn = stock(), Drawn(material, words(), rng)
    truth = {**material.truth, "distractors": list(material.truth["distractors"])}
    new = replace(
        material, truth=truth, objects=[*material.objects], logs=dict(material.logs), rows=[*material.rows]
    )
    if material.objects:
        _among_others(material, new, texts, drawn, rng)
    if material.rows:
        crowded(new, texts, drawn, rng)
    return new


def _among_others(material: Material, new: Material, texts: Stock, drawn: Drawn, rng: random.Random) -> None:
    """Workloads, rollouts, warnings and an edit, added to a cluster."""
    copier, well = Copier(material, drawn, rng), healthy(material)
    copies, homes = _copies(copier, material, well, rng)
    told: list[str] = new.truth["distractors"]
    events: list[Json] = []
    for at, made in enumerate(copies):
        name = made.workload.deployment["metadata"]["name"]
        if at < 1 + len(copies) // 3:
            moment = new.clock - timedelta(minutes=rng.randint(*ROLLOUT), seconds=rng.randrange(60))
            events += rolled_out(made, moment, rng.choice(texts.causes), drawn.hash(10), rng)
            told.append(f"{name} was rolled out at {clock_time(moment)} and is healthy")
        else:
            told.append(f"{name} is healthy and has no part in it")
        new.objects += made.workload.objects
        new.logs |= made.logs
    own = [made.workload for made in copies]
    events += _warnings(texts, [*own, *well], new.clock, rng)
    edited = _edited(texts, material, drawn, rng)
    new.objects += [*homes, *copier.numbered([edited, *events])]
    _write_lines(new, texts, [*own, *well], rng)


def _copies(
    copier: Copier, material: Material, well: list[Workload], rng: random.Random
) -> tuple[list[Copy], list[Json]]:
    """Copies of healthy workloads; where a quota would count them, in a namespace of their own."""
    narrow = {obj["metadata"]["namespace"] for obj in material.objects if obj["kind"] == "ResourceQuota"}
    homes: dict[str, str] = {}
    added: list[Json] = []
    copies = []
    # A product's name stands in the name of its image too, which no copy may change.
    known = words()
    own = [each for each in well if not known.keeps(each.deployment["metadata"]["name"])]
    for source in rng.choices(own, k=rng.randint(*WORKLOADS)) if own else []:
        space = source.deployment["metadata"]["namespace"]
        if space in narrow and space not in homes:
            homes[space], found = copier.namespace(space)
            added += found
        copies.append(copier.copy(source, homes.get(space)))
    return copies, added


def _warnings(texts: Stock, well: list[Workload], clock: datetime, rng: random.Random) -> Iterator[Json]:
    """Warnings about workloads that are well, each seen once."""
    earliest = clock - timedelta(minutes=55)
    for _ in range(rng.randint(*EVENTS) if well else 0):
        workload = rng.choice(well)
        pod = rng.choice(workload.pods)
        born = parse_time(pod["metadata"]["creationTimestamp"])
        service = [obj for obj in workload.around if obj["kind"] == "Service"]
        kind = rng.choice([k for k in texts.events if _fits(k, pod, born > earliest, bool(service))])
        about = service[0] if kind.about == "Service" else pod
        age = timedelta(seconds=rng.randint(*AGES.get(kind.when, (0, 0))))
        moment = (
            max(clock - age, born + timedelta(seconds=30), earliest) if age else born + timedelta(seconds=1)
        )
        host = pod["spec"]["nodeName"] if kind.component == "kubelet" else ""
        said = Template(kind.message).substitute(_about(about, pod))
        yield from event(about, kind.reason, said, kind.component, moment, rng, warning=True, host=host)


def _fits(kind: Warned, pod: Json, young: bool, served: bool) -> bool:
    """Whether that could have been said of this pod or its Service."""
    probed = "httpGet" in (pod["spec"]["containers"][0].get("readinessProbe") or {})
    return (
        (served or kind.about != "Service")
        and (young or kind.when != "start")
        and kind.probe in (None, "http" if probed else "exec")
    )


def _about(about: Json, pod: Json) -> dict[str, str]:
    container = pod["spec"]["containers"][0]
    probe = (container.get("readinessProbe") or {}).get("httpGet") or {}
    volumes = [volume["name"] for volume in pod["spec"].get("volumes") or []]
    return {
        "name": about["metadata"]["name"],
        "namespace": about["metadata"]["namespace"],
        "pod": pod["metadata"]["name"],
        "container": container["name"],
        "image": container["image"],
        "ip": pod["status"]["podIP"],
        "port": str(probe.get("port", 8080)),
        "path": str(probe.get("path", "/healthz")),
        "volume": volumes[0] if volumes else "tmp",
    }


def _edited(texts: Stock, material: Material, drawn: Drawn, rng: random.Random) -> Json:
    """A ConfigMap that nothing reads, edited by hand lately."""
    key = rng.choice(sorted(texts.edits))
    made = material.clock - timedelta(days=rng.randint(20, 40))
    edited = material.clock - timedelta(minutes=rng.randint(10, 200))
    spaces, space = _spaces(material), material.truth["component"].get("namespace")
    space = space if space in spaces else spaces[0]
    entries = (("kubectl-create", made, sorted(texts.settings)), ("kubectl-edit", edited, [key]))
    fields = [
        {
            "manager": manager,
            "operation": "Update",
            "apiVersion": "v1",
            "time": rfc3339(moment),
            "fieldsType": "FieldsV1",
            "fieldsV1": {
                "f:data": {**({} if manager == "kubectl-edit" else {".": {}}), **{f"f:{k}": {} for k in keys}}
            },
        }
        for manager, moment, keys in entries
    ]
    meta = {
        "name": f"{drawn.word()}-settings",
        "namespace": space,
        "uid": uid(rng),
        "resourceVersion": "",
        "creationTimestamp": rfc3339(made),
        "managedFields": fields,
    }
    data = {**texts.settings, key: texts.edits[key]}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}


def _spaces(material: Material) -> list[str]:
    return sorted({o["metadata"]["namespace"] for o in material.objects if o["kind"] == "Deployment"})


def _write_lines(new: Material, texts: Stock, well: list[Workload], rng: random.Random) -> None:
    """Warnings and errors of good days, in the logs of workloads that are well, each in its log's style."""
    added: dict[str, list[str]] = {}
    pods = [pod for workload in well for pod in workload.pods]
    for _ in range(rng.randint(*LINES) if pods else 0):
        pod, line = rng.choice(pods), rng.choice(texts.lines)
        meta, container = pod["metadata"], pod["spec"]["containers"][0]["name"]
        path = log_path(meta["namespace"], meta["name"], container)
        style, times = texts.style(new.logs[path]), span(new.logs[path])
        text = Template(line.text).substitute(n=rng.randint(200, 990))
        if style and times:
            moment = times[0] + (times[1] - times[0]) * rng.random()
            entry = written(style, line.level, text, moment, meta["name"], container)
            added.setdefault(path, []).append(entry)
    for path, entries in added.items():
        new.logs[path] = merged(new.logs[path], entries)
