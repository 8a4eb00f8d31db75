"""Containers that never start: images that cannot be pulled, missing configuration, runtime errors."""

import re
from collections.abc import Sequence

from opssquad import Json, Quote, Ref, Signal, ago

from .._kube import dig, event_text, moment, quote_at, ref
from .._pods import Container
from ._scene import Scene, event_quotes, make

PULL = frozenset(
    {
        *("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"),
        *("ImageInspectError", "RegistryUnavailable"),
    }
)
START = frozenset(
    {
        *("CreateContainerError", "RunContainerError", "StartError", "ContainerCannotRun"),
        *("PreStartHookError", "PreCreateHookError", "PostStartHookError"),
    }
)

# Why a pull failed, in the words of registries and container runtimes; the first that fits wins.
WHY_PULL = (
    ("rate_limited", re.compile(r"toomanyrequests|too many requests|\b429\b|rate limit", re.I)),
    ("lookup", re.compile(r"no such host|dial tcp: lookup|server misbehaving", re.I)),
    (
        "unauthorized",
        re.compile(r"unauthorized|access denied|authentication required|forbidden|denied", re.I),
    ),
    ("platform", re.compile(r"no match(?:ing manifest)? for (?:platform|\w+/\w+)", re.I)),
    ("not_found", re.compile(r"not found|notfound|manifest unknown|name unknown", re.I)),
)
# Reasons of waiting that say by themselves why there is no image.
WHY_WAITING = {
    "InvalidImageName": "invalid_name",
    "ErrImageNeverPull": "never_pulled",
    "ImageInspectError": "inspect",
    "RegistryUnavailable": "registry_down",
}
WHY_WORDS = {
    "rate_limited": "the registry limits its pulls",
    "lookup": "the registry's name does not resolve",
    "unauthorized": "the registry refuses its credentials",
    "not_found": "the registry does not have it",
    "platform": "the registry has it for other processors only",
    "invalid_name": "that is not the name of an image",
    "never_pulled": "it is not on the node, and its pull policy Never forbids fetching it",
    "inspect": "the node cannot read the image that it has",
    "registry_down": "the registry does not answer",
    "other": "the pull fails",
}
# Why a container cannot be started, in the words of container runtimes; the first that fits wins.
WHY_START = (
    ("architecture", re.compile(r"exec format error", re.I)),
    ("mount", re.compile(r"error mounting|failed to create subPath|mounting \S+ to rootfs", re.I)),
    ("not_executable", re.compile(r"\bexec: [^\n]*permission denied", re.I)),
    (
        "command_not_found",
        re.compile(r"executable file not found|\bexec: [^\n]*no such file or directory", re.I),
    ),
    ("no_command", re.compile(r"no command specified", re.I)),
    ("name_taken", re.compile(r"name [^\n]{1,200} is (?:reserved|already in use)", re.I)),
)
WHY_CONFIG = (
    ("runs_as_root", re.compile(r"runAsNonRoot", re.I)),
    ("sub_path", re.compile(r"subPath", re.I)),
)
HOOKS = frozenset({"PreStartHookError", "PreCreateHookError", "PostStartHookError"})
MISSING_KEY = re.compile(
    r"couldn't find key (?P<key>\S+) in (?P<kind>ConfigMap|Secret) (?P<ns>[^/\s]+)/(?P<name>\S+)"
)
MISSING_OBJECT = re.compile(r'(?P<kind>configmap|secret) "(?P<name>[^"]+)" not found', re.I)
KINDS = {"configmap": "ConfigMap", "secret": "Secret"}


def startup_signal(pod: Json, each: Container, scene: Scene) -> Signal | None:
    """Why this container has not started, if it waits for something it cannot get."""
    if each.waiting in PULL:
        return _pull(pod, each, scene)
    if each.waiting == "CreateContainerConfigError":
        return _config_error(pod, each, scene)
    final = each.final
    if each.waiting in START or (final and final.reason in START and not each.ready):
        return _cannot_start(pod, each, scene)
    return None


def refused(event: Json) -> bool:
    """Whether an event tells of a pull that the registry refused."""
    words = event_text(event)
    return "Failed to pull image" in words and _first(WHY_PULL, words) == "unauthorized"


def _since(pod: Json, scene: Scene) -> str:
    begun = moment(dig(pod, "metadata", "creationTimestamp"))
    return f"for {ago(begun, scene.now).removesuffix(' ago')}" if begun else ""


def _waiting(pod: Json, each: Container) -> tuple[Quote, ...]:
    path = ("status", *each.where, "state", "waiting", "reason")
    return (quote_at(pod, *path),) if dig(pod, *path) else ()


def _failures(pod: Json, container: str, scene: Scene) -> list[Json]:
    """`Failed` events of this container, newest first; events name it in their field path, if at all."""
    return [
        each
        for each in scene.about(ref(pod), "Failed", "InspectFailed")
        if f"{{{container}}}" in (dig(each, "involvedObject", "fieldPath", default="") or f"{{{container}}}")
    ]


def _pull(pod: Json, each: Container, scene: Scene) -> Signal:
    said = [e for e in _failures(pod, each.name, scene) if "Failed to pull image" in event_text(e)]
    words = " ".join([each.message, *(event_text(e) for e in said[:1])])
    why = WHY_WAITING.get(each.waiting) or _first(WHY_PULL, words)
    owner = scene.owner(pod)
    image = _spec_image(pod, each) or each.image
    return make(
        "container.image_pull",
        pod,
        owner,
        f"{pod['metadata']['name']}: container {each.name} cannot pull {image} "
        f"({each.waiting} {_since(pod, scene)}): {WHY_WORDS[why]}",
        (*_waiting(pod, each), *event_quotes(said), *scene.template(owner, each.name, "image")),
        severity="critical",
        at=moment(dig(pod, "metadata", "creationTimestamp")),
        data={
            "container": each.name,
            "image": image,
            "registry": image.partition("/")[0] if "." in image.partition("/")[0] else "docker.io",
            "why": why,
            "because": WHY_WORDS[why],
            "message": words.strip()[:400],
        },
    )


def _first(forms: Sequence[tuple[str, re.Pattern[str]]], words: str) -> str:
    return next((name for name, pattern in forms if pattern.search(words)), "other")


def _spec_image(pod: Json, each: Container) -> str:
    field = "initContainers" if each.init else "containers"
    for spec in dig(pod, "spec", field, default=()):
        if spec["name"] == each.name:
            return str(spec.get("image") or "")
    return ""


def _config_error(pod: Json, each: Container, scene: Scene) -> Signal:
    said = _failures(pod, each.name, scene)
    words = each.message or (event_text(said[0]) if said else "")
    missing, key = missing_reference(words, pod["metadata"].get("namespace", ""))
    owner = scene.owner(pod)
    what = f"needs key {key} of {missing}" if key else f"needs {missing}" if missing else words
    tail = ", which has no such key" if key else ", which does not exist" if missing else ""
    template = _references(scene, owner, each.name, missing, key) if missing else ()
    return make(
        "container.config_error",
        pod,
        owner,
        f"{pod['metadata']['name']}: container {each.name} {what}{tail} "
        f"({each.waiting} {_since(pod, scene)})",
        (*_waiting(pod, each), *event_quotes(e for e in said if words in event_text(e)), *template),
        severity="critical",
        at=moment(dig(pod, "metadata", "creationTimestamp")),
        data={
            "container": each.name,
            "why": "missing" if missing else _first(WHY_CONFIG, words),
            "ref": str(missing or ""),
            "key": key,
            "message": words,
        },
    )


def missing_reference(words: str, namespace: str) -> tuple[Ref | None, str]:
    """The ConfigMap or Secret (and its key) that the kubelet says is missing; (None, "") if neither."""
    if match := MISSING_KEY.search(words):
        return Ref(kind=match["kind"], namespace=match["ns"], name=match["name"]), match["key"]
    if match := MISSING_OBJECT.search(words):
        return Ref(kind=KINDS[match["kind"].lower()], namespace=namespace, name=match["name"]), ""
    return None, ""


def _references(scene: Scene, owner: Ref, container: str, missing: Ref, key: str) -> tuple[Quote, ...]:
    """Where the workload's template asks for the missing key or object."""
    selector = f"{missing.kind[0].lower()}{missing.kind[1:]}KeyRef"
    obj = scene.get(owner)
    for spec in dig(obj, "spec", "template", "spec", "containers", default=()):
        for index, env in enumerate(spec.get("env") or ()):
            source = dig(env, "valueFrom", selector, default={})
            if (
                spec["name"] == container
                and source.get("name") == missing.name
                and source.get("key") == (key or source.get("key"))
            ):
                return scene.template(owner, container, "env", index, "valueFrom", selector)
    return ()


def _cannot_start(pod: Json, each: Container, scene: Scene) -> Signal:
    said = _failures(pod, each.name, scene)
    final = each.final
    words = each.message or (final.message if final else "") or (event_text(said[0]) if said else "")
    if final and final.message and _first(WHY_START, words) == "other":
        words = final.message
    owner = scene.owner(pod)
    command = scene.template(owner, each.name, "command") or scene.template(owner, each.name, "args")
    how = each.waiting if each.waiting in START else final.reason if final else ""
    message = " ".join(words.split())
    return make(
        "container.start_error",
        pod,
        owner,
        f"{pod['metadata']['name']}: container {each.name} cannot be started ({how}): {message[:300]}",
        (*_waiting(pod, each), *_end(pod, each), *event_quotes(said), *command),
        severity="critical",
        at=moment(dig(pod, "metadata", "creationTimestamp")),
        data={
            "container": each.name,
            "init": each.init,
            "reason": how,
            "why": "hook" if how in HOOKS else _first(WHY_START, words),
            "message": message[:400],
        },
    )


def _end(pod: Json, each: Container) -> tuple[Quote, ...]:
    """What the runtime said of the instance that did not start."""
    path = ("status", *each.where, "lastState" if each.last else "state", "terminated", "message")
    return (quote_at(pod, *path),) if dig(pod, *path) else ()
