"""Plays a story on a recorded cluster's control plane, from the first deployment to the clock."""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path

from opssquad.evals.scenarios.nodes import nodes, reported
from opssquad.evals.scenarios.spec import Application, Scenario, Step
from opssquad.times import parse_time, rfc3339
from opssquad.types import Json
from opssquad.worlds.kube.apiserver.dispatch import answer
from opssquad.worlds.kube.apiserver.request import Call, Reply, User
from opssquad.worlds.kube.apiserver.resources import Resource
from opssquad.worlds.kube.controllers import naming
from opssquad.worlds.kube.controllers.cronjob import SCHEDULED
from opssquad.worlds.kube.controllers.meta import reference_to
from opssquad.worlds.kube.recording import Recording
from opssquad.worlds.kube.recording.refs import split
from opssquad.worlds.kube.recording.spec import ClusterFacts, Incident
from opssquad.worlds.kube.standard import OWN
from opssquad.worlds.kube.world import RecordedWorld

SPACES = ("default", "kube-system")
OFTEN = re.compile(r"\(x(\d+) over (\d+)m\) ")
KEPT = timedelta(hours=1)
"""How long the API server keeps events."""
UNCONTROLLED = ("HorizontalPodAutoscaler",)
"""Kinds that no controller of the stand-in looks after: a manifest holds the status that theirs wrote."""
UNTOLD = frozenset(
    {"leases", "componentstatuses", "apiservices", "flowschemas", "prioritylevelconfigurations"}
)


class StoryError(Exception):
    """A step that the API server refuses."""


class Play:
    """A cluster in which a story happens; its clock stands still between steps. `definitions` are those of
    custom resources, which it has from the start."""

    def __init__(
        self, scenario: Scenario, application: Application, nowhere: Path, definitions: Sequence[Json] = ()
    ) -> None:
        self.clock = scenario.clock
        self._begun = self.clock + application.begun
        cluster, born = application.cluster, self.clock + application.cluster.born
        self._now = self._begun
        self._world = RecordedWorld(
            Recording(
                nowhere,
                Incident(
                    id=scenario.id,
                    title=scenario.title,
                    reported_at=self._begun,
                    clock=self._begun,
                    squad="k8s",
                    questions=scenario.questions,
                    alerts=[],
                    cluster=ClusterFacts(name=cluster.name, kubernetes=cluster.kubernetes),
                ),
                scenario.world,
                [
                    *nodes(cluster, born),
                    *(_namespace(name, born) for name in SPACES),
                    *({**each, "metadata": _begun(each, born)} for each in definitions),
                ],
            ),
            real=lambda: self._now,
            idle={"DaemonSet", "CronJob"} - set(application.plays),
        )

    def run(self, manifests: Sequence[Json], by: str, story: Sequence[Step]) -> None:
        """Deploy the application at its begin, then play the story up to the clock. Raises StoryError."""
        for manifest in manifests:
            self._apply(manifest, by)
        for step in sorted(story, key=lambda each: each.at):
            self._until(self.clock + step.at)
            self._do(step)
        self._until(self.clock)

    def objects(self) -> list[Json]:
        """Everything that the API shows at the end, events in both of their forms and none that is older
        than they are kept."""
        found: list[Json] = []
        for resource in self._listed():
            reply = self._call("GET", _path(resource))
            for item in reply["items"]:
                found.append({"apiVersion": resource.api_version, "kind": resource.kind, **item})
        return [obj for obj in found if not self._left_out(obj)]

    def _listed(self) -> Iterable[Resource]:
        resources = self._world.resources
        for resource in resources.all:
            preferred = resource.version == resources.versions(resource.group)[0]
            if "list" in resource.verbs and preferred and resource.plural not in UNTOLD:
                yield resource

    def _left_out(self, obj: Json) -> bool:
        meta = obj["metadata"]
        if OWN in (meta.get("labels") or {}):
            return True
        return obj["kind"] == "Event" and self.clock - _last(obj) > KEPT

    def _until(self, moment: datetime) -> None:
        self._now = max(self._now, moment)
        self._world.advance()

    def _do(self, step: Step) -> None:
        for manifest in step.apply:
            self._apply(manifest, step.by)
        for ref, change in step.merge.items():
            form = "strategic-merge-patch+json" if "spec" in change else "merge-patch+json"
            self._call("PATCH", self._found(ref), step.by, change, form)
        for ref, replicas in step.scale.items():
            change = {"spec": {"replicas": replicas}}
            self._call("PATCH", f"{self._found(ref)}/scale", step.by, change, "merge-patch+json")
        for ref in step.delete:
            about = self._first(ref)["metadata"]
            self._call("DELETE", self._found(ref.replace(split(ref)[2], about["name"])), step.by)
        for ref, change in step.status.items():
            body = {"status": change}
            form = "strategic-merge-patch+json"
            self._call("PATCH", f"{self._found(ref)}/status", step.by, body, form)
        for ref in step.tick:
            self._tick(ref)
        for ref, said in step.warn.items():
            self._warn(ref, said, step.by if "by" in step.model_fields_set else "kubelet")
        for ref in (*step.silent, *step.back):
            self._report(ref, ref in step.back)

    def _apply(self, manifest: Json, by: str) -> None:
        resource = self._world.resources.of_kind(manifest["apiVersion"], manifest["kind"])
        if resource is None:
            raise StoryError(f"no resource is a {manifest['kind']} of {manifest['apiVersion']}")
        meta = manifest["metadata"]
        self._call("POST", _path(resource, meta.get("namespace", "")), by, manifest)
        if manifest["kind"] in UNCONTROLLED and (status := manifest.get("status")):
            stamp = rfc3339(self._now)
            found = [{**each, "lastTransitionTime": stamp} for each in status.get("conditions") or ()]
            path = f"{_path(resource, meta.get('namespace', ''), meta['name'])}/status"
            written = {"status": {**status, "conditions": found}}
            self._call("PATCH", path, "kube-controller-manager", written, "merge-patch+json")

    def _found(self, ref: str, whole: bool = True) -> str:
        kind, namespace, name = split(ref)
        return _path(self._kind(kind), namespace, name if whole else "")

    def _kind(self, kind: str) -> Resource:
        resource = next((r for r in self._listed() if r.kind == kind), None)
        if resource is None:
            raise StoryError(f"no resource is a {kind}")
        return resource

    def _call(
        self, method: str, path: str, by: str = "", body: Json | None = None, form: str = "json"
    ) -> Json:
        target = f"{path}?fieldManager={by}" if by and method != "DELETE" else path
        user = User(by or "oncall", ("system:masters", "system:authenticated"))
        sent = json.dumps(body).encode() if body else b""
        reply = answer(self._world, Call(method, target, user, {"content-type": f"application/{form}"}, sent))
        self._world.advance()
        assert isinstance(reply, Reply)
        told: Json = reply.body if isinstance(reply.body, dict) else json.loads(reply.body)
        if reply.status >= 300:
            raise StoryError(f"{method} {target}: {told.get('message')}")
        return told

    def _first(self, ref: str) -> Json:
        """The first object by name; `*` in its name means any."""
        listed = self._call("GET", self._found(ref, whole=False))["items"]
        named: list[Json] = [obj for obj in listed if fnmatchcase(obj["metadata"]["name"], split(ref)[2])]
        found = min(named, key=lambda obj: str(obj["metadata"]["name"]), default=None)
        if found is None:
            raise StoryError(f"there is no {ref} at that time")
        return found

    def _tick(self, ref: str) -> None:
        """A CronJob's time has come: a Job of it, unless one runs that it must wait for."""
        _, namespace, name = split(ref)
        cron = self._call("GET", self._found(ref))
        if cron["spec"].get("concurrencyPolicy") == "Forbid" and cron["status"].get("active"):
            text = "Not starting job because prior execution is running and concurrency policy is Forbid"
            self._warn(ref, f"JobAlreadyActive: {text}", "cronjob-controller", "Normal")
            return
        template = cron["spec"]["jobTemplate"]
        meta = {
            **(template.get("metadata") or {}),
            "name": f"{name}-{int(self._now.timestamp()) // 60}",
            "namespace": namespace,
            "annotations": {SCHEDULED: rfc3339(self._now)},
            "ownerReferences": [reference_to({"apiVersion": "batch/v1", "kind": "CronJob", **cron})],
        }
        job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": template["spec"]}
        self._apply(job, "kube-controller-manager")

    def _report(self, ref: str, well: bool) -> None:
        """A node's kubelet reports, or has not for too long."""
        change = reported(self._call("GET", self._found(ref)), self._now, well)
        by = "kubelet" if well else "kube-controller-manager"
        self._call("PATCH", f"{self._found(ref)}/status", by, change, "merge-patch+json")

    def _again(self, namespace: str, about: str, message: str, by: str) -> bool:
        """Count one more of an event that was told already."""
        listed = self._call("GET", self._found(f"Event/{namespace}/any", whole=False))["items"]
        told = [e for e in listed if (e["involvedObject"].get("uid"), e["message"]) == (about, message)]
        for each in told[:1]:
            again = {"count": each.get("count", 1) + 1, "lastTimestamp": rfc3339(self._now)}
            where = self._found(f"Event/{namespace}/{each['metadata']['name']}")
            self._call("PATCH", where, by, again, "merge-patch+json")
        return bool(told)

    def _warn(self, ref: str, said: str, source: str, form: str = "Warning") -> None:
        """An event, `Reason: message`, about an object; `(x4 over 20m) ` before it: how often it came. The
        same again is counted."""
        kind, namespace, _ = split(ref)
        # Events about what is in no namespace are kept in this one.
        space = namespace or "default"
        about = self._first(ref)
        often = OFTEN.match(said)
        reason, _, message = (said[often.end() :] if often else said).partition(": ")
        message = message.replace("$ip", (about.get("status") or {}).get("podIP", "$ip"))
        count, over = (int(often[1]), int(often[2])) if often else (1, 0)
        meta, stamp = about["metadata"], rfc3339(self._now)
        if not often and self._again(space, meta["uid"], message, source):
            return
        first = rfc3339(self._now - timedelta(minutes=over))
        host = about.get("spec", {}).get("nodeName", "") if kind == "Pod" else ""
        involved = {
            "kind": kind,
            "namespace": namespace,
            "name": meta["name"],
            "uid": meta["uid"],
            "apiVersion": about.get("apiVersion") or self._kind(kind).api_version,
        }
        event: Json = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": f"{meta['name']}.", "namespace": space},
            "involvedObject": involved,
            "reason": reason,
            "message": message,
            "type": form,
            "count": count,
            "firstTimestamp": first,
            "lastTimestamp": stamp,
            "source": {"component": source, **({"host": host} if host else {})},
            "reportingComponent": source,
            "reportingInstance": host,
        }
        self._apply(event, "kubelet" if source == "kubelet" else "kube-controller-manager")


def _path(resource: Resource, namespace: str = "", name: str = "") -> str:
    """Of an object, or of all in a namespace or the cluster where no name is given."""
    base = f"/apis/{resource.api_version}" if resource.group else f"/api/{resource.version}"
    inside = f"/namespaces/{namespace}" if resource.namespaced and namespace else ""
    return f"{base}{inside}/{resource.plural}" + (f"/{name}" if name else "")


def _last(event: Json) -> datetime:
    series = event.get("series") or {}
    told = (
        series.get("lastObservedTime"),
        event.get("lastTimestamp"),
        event.get("deprecatedLastTimestamp"),
        event.get("eventTime"),
        event["metadata"].get("creationTimestamp"),
    )
    return parse_time(next(each for each in told if each))


def _begun(definition: Json, born: datetime) -> Json:
    """The metadata of what is there from the start."""
    name = definition["metadata"]["name"]
    stored = {"creationTimestamp": rfc3339(born), "uid": naming.uid("definition", name)}
    return {**definition["metadata"], **stored, "resourceVersion": "1000"}


def _namespace(name: str, born: datetime) -> Json:
    meta = {
        "name": name,
        "creationTimestamp": rfc3339(born),
        "uid": naming.uid("namespace", name),
        "resourceVersion": "1000",
        "labels": {"kubernetes.io/metadata.name": name},
    }
    spec: Json = {"spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": meta, **spec}
