"""Another selector or target port for a Service, with its card, its undo and its check: who answers then."""

import asyncio
import re
from datetime import timedelta
from typing import Annotated, Literal

from opssquad import Check, Cluster, Json, Preview, Progress, Result, Risk, Signal, ToolError, Undo, tool

from ._binding import binding
from ._fields import unified
from ._kube import compact, dig, kubectl, quote_at, ref, source
from ._serving import SERVICE_LABEL, Serving, follow, serving, target

Selector = Annotated[str, "the whole of it, as in app=web,tier=front; empty = as it is"]
Port = Annotated[int | str, "number or name of the pods' port; empty = as it is"]
Which = Annotated[int, "which of its ports; 0 = the only one"]
LABEL = re.compile(r"(?P<key>[A-Za-z0-9][\w./-]*)=(?P<value>[\w.-]*)")
PATIENCE, PAUSE = timedelta(seconds=60), 0.3


@tool(effect="mutate")
async def set_service(
    cluster: Cluster,
    name: str,
    namespace: str,
    selector: Selector = "",
    target_port: Port = "",
    port: Which = 0,
) -> Result:
    """Set which pods a Service selects, or the port of them that it sends to."""
    service, fields = await _fields(cluster, name, namespace, selector, target_port, port)
    where = ref(service)
    after = await cluster.patch("Service", name, where.namespace, _body(service, fields), how="merge")
    text = f"Service {name}: {_words(service, fields)}"
    return Result(text=text, sources=(source(after),), commands=(_line(service, fields),))


async def _fields(
    cluster: Cluster, name: str, namespace: str, selector: str, target_port: int | str, port: int
) -> tuple[Json, Json]:
    """The Service, and the fields of its spec that are to differ, whole. Raises ToolError."""
    service = await cluster.get("Service", name, namespace)
    fields: Json = {}
    if selector:
        fields["selector"] = _selector(service, selector)
    if target_port != "":
        fields["ports"] = _ports(service, target_port, port)
    changed = {key: value for key, value in fields.items() if dig(service, "spec", key) != value}
    if not changed:
        said = "nothing to do" if fields else "give a selector or a target_port"
        raise ToolError(f"Service {name} stays as it is: {said}")
    return service, changed


def _selector(service: Json, text: str) -> dict[str, str]:
    if not dig(service, "spec", "selector"):
        raise ToolError(
            f"Service {ref(service).name} has no selector: its endpoints are kept by somebody else"
        )
    found = {}
    for word in (each.strip() for each in text.split(",")):
        match = LABEL.fullmatch(word)
        if match is None:
            raise ToolError(f"selector: {word!r} is not KEY=VALUE")
        found[match["key"]] = match["value"]
    return found


def _ports(service: Json, target_port: int | str, port: int) -> list[Json]:
    ports = dig(service, "spec", "ports", default=[])
    if not port and len(ports) == 1:
        port = ports[0]["port"]
    if port not in [each["port"] for each in ports]:
        known = ", ".join(str(each["port"]) for each in ports) or "none"
        raise ToolError(f"Service {ref(service).name}: say which of its ports; there is: {known}")
    number = isinstance(target_port, str) and target_port.isdecimal()
    to = int(target_port) if number else target_port
    return [{**each, "targetPort": to} if each["port"] == port else each for each in ports]


def _body(service: Json, fields: Json) -> Json:
    spec = dict(fields)
    if "selector" in spec:
        # In a merge, a label that is not named stays.
        gone = dict.fromkeys(key for key in service["spec"]["selector"] if key not in spec["selector"])
        spec["selector"] = {**spec["selector"], **gone}
    return {"spec": spec}


def _as_text(selector: Json) -> str:
    return ",".join(f"{key}={value}" for key, value in selector.items())


def _words(service: Json, fields: Json) -> str:
    """`selector app=a -> app=b, port 80 to 8080 -> 9090`."""
    words = []
    if "selector" in fields:
        words.append(f"selector {_as_text(service['spec']['selector'])} -> {_as_text(fields['selector'])}")
    for old, new in zip(service["spec"].get("ports") or (), fields.get("ports", ()), strict=False):
        if old != new:
            words.append(f"port {old['port']} to {target(old)} -> {target(new)}")
    return ", ".join(words)


def _line(service: Json, fields: Json) -> str:
    where = ref(service)
    name = f"service/{where.name}"
    if list(fields) == ["selector"]:
        return kubectl("set", "selector", name, _as_text(fields["selector"]), namespace=where.namespace)
    words = ("patch", name, "--type=merge", "-p", compact(_body(service, fields)))
    return kubectl(*words, namespace=where.namespace)


@set_service.preview
async def _preview(
    cluster: Cluster, name: str, namespace: str, selector: str, target_port: int | str, port: int
) -> Preview:
    service, fields = await _fields(cluster, name, namespace, selector, target_port, port)
    where = ref(service)
    after, pods = await asyncio.gather(
        cluster.patch("Service", name, where.namespace, _body(service, fields), how="merge", dry_run=True),
        cluster.list("Pod", where.namespace),
    )
    now, then = serving(service, pods), serving(after, pods)
    risk, rule = _risk(now, then)
    return Preview(
        command=_line(service, fields),
        impact=f"{_words(service, fields)}. Now {now.words()}; then {then.words()}",
        risk=risk,
        risk_rule=rule,
        diff=unified(str(where), service, after),
        binding=binding(service),
        verify_plan="watch its endpoints; compare the ready pods that listen with before",
        before=now.snapshot(),
    )


def _risk(now: Serving, then: Serving) -> tuple[Risk, str]:
    if not then.listening:
        return "high", "by what the pods declare, none would answer there"
    if lost := [each for each in now.programs if each not in then.programs]:
        return (
            "medium",
            f"{', '.join(each.rpartition('/')[2] for each in lost)} gets no traffic from it any more",
        )
    if len(then.listening) < len(now.listening):
        return "medium", "fewer pods answer there than before"
    return ("medium", "traffic goes another way") if now.listening else ("low", "nothing answers there now")


@set_service.undo
async def _undo(
    cluster: Cluster, name: str, namespace: str, selector: str, target_port: int | str, port: int
) -> Undo:
    service, fields = await _fields(cluster, name, namespace, selector, target_port, port)
    args: Json = {"name": name, "namespace": ref(service).namespace}
    if "selector" in fields:
        args["selector"] = _as_text(service["spec"]["selector"])
    for old, new in zip(service["spec"].get("ports") or (), fields.get("ports", ()), strict=False):
        if old != new:
            args |= {"target_port": target(old), "port": old["port"]}
    former = {key: service["spec"][key] for key in fields}
    after = {**service, "spec": {**service["spec"], **fields}}
    note = f"set {' and '.join(fields)} to what they were" if len(fields) > 1 else "set it to what it was"
    return Undo(note=note, tool="set_service", args=args, command=_line(after, former))


@set_service.observe
async def _observe(cluster: Cluster, name: str, namespace: str) -> dict[str, str]:
    return binding(await cluster.get("Service", name, namespace))


@set_service.verify
async def _verify(
    cluster: Cluster, progress: Progress, name: str, namespace: str, before: dict[str, object]
) -> Check:
    began, told = cluster.now(), ""
    while True:
        service, found, settled = await _look(cluster, name, namespace)
        if (words := found.words()) != told:
            told = words
            progress.say(words)
        if settled:
            return _judge(service, found, before)
        if cluster.now() - began >= PATIENCE:
            text = f"The endpoints of Service {name} do not follow yet: {words}; look again with `health`"
            return Check(outcome="unknown", text=text, sources=(source(service),))
        await asyncio.sleep(PAUSE)


async def _look(cluster: Cluster, name: str, namespace: str) -> tuple[Json, Serving, bool]:
    """The Service, who answers there, and whether its endpoints say the same."""
    service = await cluster.get("Service", name, namespace)
    space = ref(service).namespace
    pods, slices = await asyncio.gather(
        cluster.list("Pod", space),
        cluster.list("EndpointSlice", space, labels=f"{SERVICE_LABEL}={name}"),
    )
    found = serving(service, pods)
    return service, found, follow(slices, found, service)


def _judge(service: Json, found: Serving, before: dict[str, object]) -> Check:
    """More listening pods are better, fewer worse; of several programs it should be one."""
    was, programs = int(str(before.get("listening", 0))), before.get("programs")
    mixed = isinstance(programs, list) and len(programs) > 1 and len(found.programs) == 1
    outcome: Literal["better", "same", "worse"] = "same"
    if found.listening and (mixed or len(found.listening) > was):
        outcome = "better"
    elif len(found.listening) < was:
        outcome = "worse"
    where = ref(service)
    text = (
        f"Service {where.name}: {found.words()}; {was} listened before. "
        "Whether they answer shows in what calls it."
    )
    quotes = (quote_at(service, "spec", "selector"),)
    signal = Signal(
        id="service.serves",
        entity=where,
        text=f"Service {where.name} leads to {len(found.listening)} ready pods that listen",
        severity="info",
        quotes=quotes,
    )
    return Check(
        outcome=outcome,
        text=text,
        signals=(signal,) if outcome == "better" else (),
        quotes=quotes,
        sources=(source(service),),
    )
