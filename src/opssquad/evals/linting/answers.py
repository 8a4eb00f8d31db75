"""Whether the world of a recording answers a fix as its truth says: an accepted one leads to ready pods, a
forbidden restart or scale does not.

What the rules of world.yaml decide is decided here without serving anything. A patch is written in words: of
it can only be said whether some patch of that object may help.
"""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from opssquad.evals.linting.rows import mends
from opssquad.types import Json
from opssquad.worlds.kube.controllers.deployment.revisions import REVISION
from opssquad.worlds.kube.kinds import WORKLOADS
from opssquad.worlds.kube.outcomes import fate, holds, rewritten, suits
from opssquad.worlds.kube.recording import Recording
from opssquad.worlds.kube.recording.health import unhealthy
from opssquad.worlds.kube.recording.refs import Key, reference, split
from opssquad.worlds.kube.recording.spec import Action, Outcome, TemplateRule, Truth
from opssquad.worlds.sql.material import has_database

_STATED = re.compile(r"\brevision (\d+)")


def answers(recording: Recording, truth: Truth) -> tuple[list[str], list[str]]:
    """Sentences on what is wrong, and on what cannot be decided."""
    world = _World(recording)
    wrong: list[str] = []
    undecided: list[str] = []
    for verdict, actions, judge in (
        ("accepted", truth.fix.accept, lambda action: _helps(recording, truth, world, action)),
        ("forbidden", truth.fix.forbid, world.heals),
    ):
        for action in actions:
            said = f"truth.yaml: {verdict} {action.action} of {action.target}"
            for sure, reason in judge(action):
                if sure:
                    wrong.append(f"{said}: {reason}")
                else:
                    undecided.append(f"{said}: not decided; {reason}")
    return wrong, undecided


Said = Iterator[tuple[bool, str]]
"""What is wrong (True) or cannot be decided (False)."""


def _helps(recording: Recording, truth: Truth, world: "_World", action: Action) -> Said:
    if action.action == "sql" and has_database(recording.folder):
        return mends(recording.folder, recording.clock, truth, action)
    return world.helps(action)


class _World:
    """The objects of a recording and the rules of its world."""

    def __init__(self, recording: Recording) -> None:
        self._rules = recording.rules
        self._named = {reference(obj): obj for obj in recording.objects}
        self._sick = {reference(obj) for obj, _ in unhealthy(recording.objects)}

    def helps(self, action: Action) -> Said:
        """What speaks against an accepted action."""
        key = split(action.target)
        if action.action in ("rollback", "scale", "restart", "patch") and key[0] in WORKLOADS:
            if key in self._named:
                yield from self._workload_helps(action, key)
            else:
                yield True, "there is no such object"
        elif action.action == "patch":
            yield from self._object_helps(action, key)
        else:
            yield False, "no rule of world.yaml is about it"

    def heals(self, action: Action) -> Said:
        """Whether a forbidden restart or scale would heal what is unhealthy."""
        key = split(action.target)
        if action.action not in ("restart", "scale"):
            yield False, "only a restart or a scale is"
        elif key[0] not in WORKLOADS or key not in self._named:
            yield False, "its target is no workload that was recorded"
        elif key not in self._sick:
            yield False, "its target is healthy as it is"
        elif self._fate(key, _template(self._named[key])) == "ready":
            yield (
                True,
                "world.yaml answers it with ready pods, so it heals; it lacks an outcome for the template",
            )

    def _workload_helps(self, action: Action, key: Key) -> Said:
        current = _template(self._named[key])
        match action.action:
            case "rollback":
                yield from self._rollback(action, key)
            case "patch":
                if not self._some_patch(key):
                    yield True, "no template of it leads to ready pods by world.yaml"
                else:
                    yield False, f"some templates lead to ready pods, {action.detail!r} is in words"
            case _ if (fares := self._fate(key, current)) != "ready":
                yield True, f"world.yaml answers its template with {fares}, not with ready pods"

    def _rollback(self, action: Action, key: Key) -> Said:
        """The revision that the detail names, else any that is older than the current one."""
        older = dict(self._revisions(key))
        stated = _STATED.search(action.detail)
        if stated:
            older = {number: each for number, each in older.items() if number == int(stated[1])}
        if not older:
            yield True, f"{stated[0] if stated else 'an older revision'} was not recorded"
            return
        fares = {number: self._fate(key, template) for number, template in older.items()}
        if "ready" not in fares.values():
            said = ", ".join(f"revision {number} with {each}" for number, each in sorted(fares.items()))
            yield True, f"world.yaml answers {said}, not with ready pods"

    def _revisions(self, key: Key) -> Iterator[tuple[int, Json]]:
        """The templates that the workload had before, by revision."""
        workload = self._named[key]
        current = _template(workload)
        for obj in self._named.values():
            owners = obj["metadata"].get("ownerReferences") or []
            if not any(owner.get("uid") == workload["metadata"].get("uid") for owner in owners):
                continue
            if obj["kind"] == "ReplicaSet":
                number, template = (obj["metadata"].get("annotations") or {}).get(REVISION), obj["spec"]
            else:
                number, template = obj.get("revision"), (obj.get("data") or {}).get("spec") or {}
            spec = (template.get("template") or {}).get("spec")
            if number and spec and spec != current:
                yield int(number), spec

    def _fate(self, key: Key, template: Json) -> str:
        workload = "/".join(key)
        spec = rewritten(self._rules, workload, template, self._find)
        return fate(self._rules, workload, spec, self._find).kind

    def _find(self, kind: str, namespace: str, name: str) -> Json | None:
        return self._named.get((kind, namespace, name))

    def _some_patch(self, key: Key) -> bool:
        """Whether some template of the workload gets ready pods, all else as it is."""
        for outcome in self._about(key):
            if not all(holds(rule, self._find) for rule in outcome.when.objects):
                continue
            if outcome.pods.kind == "ready":
                return True
            if outcome.when.template == TemplateRule():
                return False
        return self._rules.default.pods.kind == "ready"

    def _object_helps(self, action: Action, key: Key) -> Said:
        """A patch of what is no workload helps those whose outcomes ask for that object."""
        asking = [
            workload
            for workload in self._named
            if workload[0] in WORKLOADS
            and any(
                _names(outcome, key) and self._suits(outcome, workload) for outcome in self._about(workload)
            )
        ]
        if not asking:
            yield False, "no outcome of world.yaml asks for that object"
        for workload in asking:
            if not self._some_object(workload, key):
                yield True, f"no state of it leads to ready pods of {'/'.join(workload)} by world.yaml"
        if asking:
            yield False, f"some states of it lead to ready pods, {action.detail!r} is in words"

    def _some_object(self, workload: Key, key: Key) -> bool:
        """Whether some state of the object gives the workload's template ready pods."""
        for outcome in self._about(workload):
            others = (rule for rule in outcome.when.objects if split(rule.ref) != key)
            if not self._suits(outcome, workload) or not all(holds(rule, self._find) for rule in others):
                continue
            if outcome.pods.kind == "ready":
                return True
            if not _names(outcome, key):
                return False
        return self._rules.default.pods.kind == "ready"

    def _suits(self, outcome: Outcome, workload: Key) -> bool:
        return suits(outcome.when.template, _template(self._named[workload]))

    def _about(self, key: Key) -> Iterator[Outcome]:
        return (o for o in self._rules.outcomes if fnmatchcase("/".join(key), o.when.workload))


def _names(outcome: Outcome, key: Key) -> bool:
    return any(split(rule.ref) == key for rule in outcome.when.objects)


def _template(workload: Json) -> Json:
    spec: Json = workload["spec"]["template"]["spec"]
    return spec
