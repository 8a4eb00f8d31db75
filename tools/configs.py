"""Another value for a key of a ConfigMap and a restart of what reads it: one card, one undo, one check."""

import asyncio
from dataclasses import dataclass

from opssquad import (
    Check,
    Cluster,
    Json,
    Preview,
    Progress,
    Ref,
    Result,
    Risk,
    ToolError,
    Undo,
    rfc3339,
    tool,
)

from ._binding import binding
from ._change import line, target
from ._fields import secret_name, shown, tells, unified
from ._held import keeping
from ._kinds import ROLLED
from ._kube import compact, dig, kubectl, ref, source
from ._needs import references
from ._state import State, look
from ._watch import verify_all

RESTARTED = "kubectl.kubernetes.io/restartedAt"


@dataclass(frozen=True)
class Edit:
    """A change of one key, None where it is not there. `readers` are the workloads whose pods read it."""

    config: Json
    key: str
    former: str | None
    value: str | None
    readers: tuple[Json, ...]

    @property
    def where(self) -> Ref:
        return ref(self.config)

    @property
    def body(self) -> Json:
        return {"data": {self.key: self.value}}

    @property
    def command(self) -> str:
        """The first of the lines an engineer would type; the restarts come after it."""
        name = f"configmap/{self.where.name}"
        words = ("patch", name, "--type=merge", "-p", compact(self.body))
        return kubectl(*words, namespace=self.where.namespace)

    @property
    def restarted(self) -> list[Json]:
        """Those that have pods; the others read the value when they start."""
        return [
            each
            for each in self.readers
            if each["kind"] == "DaemonSet" or dig(each, "spec", "replicas", default=1)
        ]

    def words(self) -> str:
        """`PSP_TIMEOUT 6s -> 4000`, or of a long value only its size."""
        sides = [each if each is None else _short(each) for each in (self.former, self.value)]
        return f"{self.key} {shown(sides[0])} -> {shown(sides[1])}"


def _short(text: str) -> str:
    lines = text.count("\n") + 1
    return f"({lines} lines)" if lines > 1 else text


@tool(effect="mutate", deadline=60)
async def set_config(
    cluster: Cluster, name: str, namespace: str, key: str, value: str = "", remove: bool = False
) -> Result:
    """Set or remove a key of a ConfigMap and restart the workloads that read it."""
    edit = await _edit(cluster, name, namespace, key, None if remove else value)
    after = await cluster.patch("ConfigMap", name, edit.where.namespace, edit.body, how="merge")
    failed = await asyncio.gather(*(_restart(cluster, each) for each in edit.restarted))
    names = [ref(each).name for each, error in zip(edit.restarted, failed, strict=True) if not error]
    text = f"ConfigMap {name}: {edit.words()}; {_restarts(names)}"
    if errors := [error for error in failed if error]:
        text += f"; NOT restarted: {'; '.join(errors)}"
    return Result(
        text=text,
        sources=(source(after),),
        data={"workloads": [str(ref(each)) for each in edit.restarted]},
        commands=(edit.command, *map(_restart_line, edit.restarted)),
    )


def _restarts(names: list[str]) -> str:
    return f"restarts {', '.join(names)}" if names else "nothing that runs reads it"


def _restart_line(workload: Json) -> str:
    where = ref(workload)
    return line(where, "rollout", "restart", target(where))


async def _restart(cluster: Cluster, workload: Json) -> str:
    """Replace its pods; what went wrong, or "". The value is set by then: one that fails stops no other."""
    where, stamp = ref(workload), {RESTARTED: rfc3339(cluster.now())}
    body: Json = {"spec": {"template": {"metadata": {"annotations": stamp}}}}
    try:
        await cluster.patch(where.kind, where.name, where.namespace, body, how="strategic")
    except ToolError as error:
        return f"{where.name} ({error})"
    return ""


async def _edit(cluster: Cluster, name: str, namespace: str, key: str, value: str | None) -> Edit:
    """The change thought through. Raises ToolError for one that cannot be made or must not be on record."""
    if secret_name(key) or (value is not None and tells(value)):
        raise ToolError(
            f"{key} looks like a secret, and a value given here would be on record: put it into a Secret"
        )
    config = await cluster.get("ConfigMap", name, namespace)
    data = config.get("data") or {}
    if key in (config.get("binaryData") or {}):
        raise ToolError(f"{key} of ConfigMap {name} holds bytes, not text; it is not set from here")
    if value is None and key not in data:
        raise ToolError(f"ConfigMap {name} has no key {key}; there is: {', '.join(data) or 'none'}")
    if data.get(key) == value:
        raise ToolError(f"{key} of ConfigMap {name} is so already: nothing to do")
    space = ref(config).namespace
    listed = await asyncio.gather(*(cluster.list(kind, space) for kind in ROLLED))
    readers = tuple(each for found in listed for each in found if reads(each, name, key))
    return Edit(config, key, data.get(key), value, readers)


def reads(workload: Json, name: str, key: str) -> bool:
    """Whether the pods of a workload take that key, or the whole ConfigMap: as variables or as files."""
    return any(
        need.kind == "ConfigMap" and need.name == name and need.key in ("", key)
        for need in references(dig(workload, "spec", "template", default={}))
    )


@set_config.preview
async def _preview(
    cluster: Cluster, name: str, namespace: str, key: str, value: str, remove: bool
) -> Preview:
    edit = await _edit(cluster, name, namespace, key, None if remove else value)
    after = await cluster.patch("ConfigMap", name, edit.where.namespace, edit.body, how="merge", dry_run=True)
    states = await asyncio.gather(*(look(cluster, ref(each)) for each in edit.restarted))
    risk, rule = _risk(states)
    return Preview(
        command=" && ".join([edit.command, *map(_restart_line, edit.restarted)]),
        impact=_impact(edit, states),
        risk=risk,
        risk_rule=rule,
        diff=unified(str(edit.where), edit.config, after),
        binding=binding(edit.config, *edit.restarted),
        verify_plan="watch all that restarts until it is ready and stays so; compare with before",
        before={str(ref(each.workload)): each.snapshot() for each in states},
    )


def _impact(edit: Edit, states: list[State]) -> str:
    told = [
        f"{each.workload['kind']} {ref(each.workload).name} ({each.ready} of {each.desired} pods ready"
        + (", paused: its pods change only when it is resumed)" if each.paused else ")")
        for each in states
    ]
    idle = [ref(each).name for each in edit.readers if each not in edit.restarted]
    words = f"restarts {', '.join(told)}" if told else "no running workload reads it, so none restarts"
    words = "; ".join([words, *filter(None, (keeping(each.workload, each.pods) for each in states))])
    return f"{words}; {', '.join(idle)} has no pods and reads it when it starts" if idle else words


def _risk(states: list[State]) -> tuple[Risk, str]:
    if not any(each.ready for each in states):
        return "low", "no pod that reads it is ready, so none is lost"
    return "medium", "every pod that reads it is replaced, also those that are ready"


@set_config.undo
async def _undo(cluster: Cluster, name: str, namespace: str, key: str, value: str, remove: bool) -> Undo:
    edit = await _edit(cluster, name, namespace, key, None if remove else value)
    if edit.former is not None and tells(edit.former):
        return Undo(note="not by us: the former value looks like it holds a secret; put it back by hand")
    former: Json = {"value": edit.former} if edit.former is not None else {"remove": True}
    back = Edit(edit.config, key, edit.value, edit.former, edit.readers)
    does = "set it to what it was" if edit.former is not None else "remove the key again"
    return Undo(
        note=f"{does}, and restart the same again",
        tool="set_config",
        args={"name": name, "namespace": edit.where.namespace, "key": key, **former},
        command=" && ".join([back.command, *map(_restart_line, edit.restarted)]),
    )


@set_config.observe
async def _observe(
    cluster: Cluster, name: str, namespace: str, key: str, value: str, remove: bool
) -> dict[str, str]:
    edit = await _edit(cluster, name, namespace, key, None if remove else value)
    return binding(edit.config, *edit.restarted)


@set_config.verify
async def _verify(
    cluster: Cluster, progress: Progress, name: str, namespace: str, before: dict[str, Json]
) -> Check:
    if not before:
        text = f"ConfigMap {name} is set; nothing was restarted, so whether it helps shows in what reads it"
        return Check(outcome="unknown", text=text)
    return await verify_all(cluster, progress, before)
