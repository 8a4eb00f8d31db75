"""Which names of a recording are its organisation's own, and the new ones drawn for them.

Read off the objects: workloads, services, namespaces, images, hosts, nodes, the cluster, and whatever else
is called after them. What Kubernetes and well-known products are called stays (words.yaml). Pods,
ReplicaSets and runs of CronJobs get new endings of the old shape.
"""

import random
import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain, permutations
from pathlib import Path

from opssquad.documents import read_yaml
from opssquad.evals.perturb.clock import Moved
from opssquad.evals.perturb.material import Material
from opssquad.evals.perturb.network import hosts, named
from opssquad.evals.perturb.rename import Renamer
from opssquad.evals.perturb.rows import named_in_rows
from opssquad.types import Json
from opssquad.worlds.kube.kinds import KNOWN
from opssquad.worlds.kube.recording.fates import Strict

OWN = ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", "ReplicaSet", "Service", "Namespace")
CALLED = (
    *("ConfigMap", "Secret", "ServiceAccount", "PersistentVolumeClaim", "Ingress", "HorizontalPodAutoscaler"),
    *("PodDisruptionBudget", "NetworkPolicy", "ResourceQuota", "LimitRange", "Role", "RoleBinding"),
    *("ClusterRole", "ClusterRoleBinding", "PriorityClass", "StorageClass", "ValidatingWebhookConfiguration"),
    "MutatingWebhookConfiguration",
)
LETTERS = re.compile(r"[a-z]+")
LABELS = re.compile(r"(?:app|k8s-app|team|owner|app\.kubernetes\.io/(?:name|instance|part-of|component))")
KINDS = {word for kind in KNOWN for word in (kind.plural, kind.kind.lower())}
CAMEL = rf"(?<![A-Za-z0-9])(?:{'|'.join(sorted(kind.kind for kind in KNOWN))})(?![A-Za-z0-9])"
"""Kinds as objects name them: a container that is called `controller` has no part in a ControllerRevision."""
HASH = "bcdfghjklmnpqrstvwxz2456789"
"""The letters that Kubernetes makes hashes and endings of: no vowels, so no words."""


class Words(Strict):
    """words.yaml."""

    words: list[str]
    kept: list[str]
    kept_prefixes: list[str]
    meant: list[str]
    shared_domains: list[str]
    public_hosts: list[str]
    managers: list[str]
    phrases: list[str]

    def keeps(self, name: str) -> bool:
        """Whether a name is nobody's own, or made of nothing but such words and numbers."""
        if name in self.meant or name in KINDS or name.startswith(tuple(self.kept_prefixes)):
            return True
        return all(part in self.kept or part.isdigit() for part in re.split(r"[-_.]", name))


@cache
def words() -> Words:
    """The words that renaming works with."""
    return read_yaml(Path(__file__).parent / "words.yaml", Words)


class Drawn:
    """New words from the list, each given once, none of which stands anywhere in the material."""

    def __init__(self, material: Material, known: Words, rng: random.Random) -> None:
        # A word of letters stands in the material if it stands in one of its runs of letters: far fewer.
        runs = set(LETTERS.findall("\n".join(material.texts()).lower()))
        text = "\n".join(sorted(runs))
        left = [word for word in known.words if word not in text]
        self._rng = rng
        rng.shuffle(left)
        pairs = ("".join(pair) for pair in permutations(left, 2))
        # A large cluster has more names than the list has words.
        self._left = chain(left, (pair for pair in pairs if pair not in text))

    def word(self) -> str:
        """The next word."""
        return next(self._left)

    def like(self, old: str) -> str:
        """A new name: one word for one word, in the same number, or two words for several."""
        if re.search("[-_]", old):
            return f"{self.word()}-{self.word()}"
        return f"{self.word()}s" if old.endswith("s") and not old.endswith("ss") else self.word()

    def hash(self, length: int) -> str:
        """Letters such as a ReplicaSet's name ends in."""
        return "".join(self._rng.choice(HASH) for _ in range(length))


def renamer(material: Material, rng: random.Random, moved: Moved) -> Renamer:
    """A renamer of everything in this material that has a name of its own."""
    known = words()
    drawn = Drawn(material, known, rng)
    names: dict[str, str] = {}
    literal: dict[str, str] = {}
    for company in _companies(material, known):
        if "." in company:
            literal[company] = f"{drawn.word()}.example"
        else:
            names[company] = drawn.word()
    for own in _own(material, known):
        if known.keeps(own) or own in names or set(re.split("[-_.]", own)) & set(names):
            continue
        if "." in own:
            literal[own] = f"{drawn.word()}.{drawn.word()}"
        else:
            names[own] = drawn.like(own)
    for called in _called(material):
        if not known.keeps(called) and Renamer(names)(called) == called:
            last = f"-{called.rsplit('-', 1)[1]}" if "-" in called else ""
            names[called] = drawn.word() + last
    _nodes(material, drawn, names, literal)
    _endings(material, drawn, names, moved)
    return Renamer(names, literal, [*known.phrases, CAMEL])


def _companies(material: Material, known: Words) -> Iterator[str]:
    """The word that an organisation's hosts and repositories begin with, or its domain of bare words."""
    seen: set[str] = set()
    for host in chain(_hosts(material.objects, known), hosts(material)):
        labels = host.split(".")
        own = labels[:-1] or labels
        while len(own) > 1 and own[-1] in known.shared_domains:
            own.pop()
        company = ".".join(labels[len(own) - 1 :]) if known.keeps(own[-1]) else own[-1].split("-")[0]
        if company not in seen and not re.fullmatch(r"[\d.]+", host):
            seen.add(company)
            yield company


def _hosts(objects: list[Json], known: Words) -> Iterator[str]:
    for image in sorted(images(objects)):
        host, *path = repository(image)
        if host in known.public_hosts:
            if len(path) > 1 and not known.keeps(path[0]):
                yield path[0]
        elif host:
            yield host.split(":")[0]
    for obj in objects:
        if obj["kind"] == "Ingress":
            yield from (
                rule["host"] for rule in (obj.get("spec") or {}).get("rules") or [] if rule.get("host")
            )


def _own(material: Material, known: Words) -> Iterator[str]:
    """Names of workloads, services, namespaces, images and the cluster; a run of a CronJob has none."""
    for obj in material.objects:
        meta = obj["metadata"]
        if obj["kind"] in OWN and not meta.get("ownerReferences"):
            yield meta["name"]
        yield from (v for key, v in (meta.get("labels") or {}).items() if LABELS.fullmatch(key) and v)
        yield from (container["name"] for container in containers(obj))
        for entry in meta.get("managedFields") or []:
            if entry.get("manager") and entry["manager"] not in known.managers:
                yield entry["manager"]
    for image in sorted(images(material.objects)):
        host, *path = repository(image)
        if host and not (host in known.public_hosts and known.keeps(path[0])):
            yield from path
    if cluster := material.incident.get("cluster"):
        yield cluster["name"]
    yield from named_in_rows(material.rows)
    yield from named(material)


def _called(material: Material) -> Iterator[str]:
    for obj in material.objects:
        if obj["kind"] in CALLED:
            yield obj["metadata"]["name"]


def _nodes(material: Material, drawn: Drawn, names: dict[str, str], literal: dict[str, str]) -> None:
    """Nodes that differ in a number only go on doing so."""
    fleets: dict[str, str] = {}
    for obj in material.objects:
        if obj["kind"] == "Node":
            name = obj["metadata"]["name"]
            fleet = re.sub(r"-?[a-z]*\d+$", "", name)
            if fleet not in fleets:
                fleets[fleet] = drawn.word()
            rest = name[len(fleet) :].lstrip("-").replace(".", "-")
            (literal if "." in name else names)[name] = f"{fleets[fleet]}-{rest}" if rest else fleets[fleet]


def _endings(material: Material, drawn: Drawn, names: dict[str, str], moved: Moved) -> None:
    """New hashes of ReplicaSets and revisions, new endings of pods and slices, moved runs of CronJobs."""
    base = Renamer(dict(names))
    ending = re.compile(
        rf"(?<![\w.-])({'|'.join(map(re.escape, _bases(material)))})-([{HASH}]{{6,10}}|\d{{8}})"
        rf"(-[a-z0-9]{{5}})?(?![A-Za-z0-9])"
    )
    hashes: dict[str, str] = {}
    jobs = {obj["metadata"]["name"] for obj in material.objects if obj["kind"] == "CronJob"}
    found = {hit.groups() for text in material.texts() for hit in ending.finditer(text)}
    for name, mark, tail in sorted(found, key=lambda groups: tuple(part or "" for part in groups)):
        if name in jobs:
            made = moved.minutes(mark)
        else:
            made = hashes.setdefault(mark, drawn.hash(len(mark)))
            names[mark] = made
        new = f"{base(name)}-{made}"
        names[f"{name}-{mark}"] = new
        if tail:
            names[f"{name}-{mark}{tail}"] = f"{new}-{drawn.hash(5)}"
    for obj in material.objects:
        if obj["kind"] == "EndpointSlice":
            service, old = obj["metadata"].get("generateName", ""), obj["metadata"]["name"]
            if service and old.startswith(service):
                names[old] = f"{base(service)}{drawn.hash(len(old) - len(service))}"


def _bases(material: Material) -> list[str]:
    """Names that a generated name may begin with, the longest first."""
    kinds = ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job")
    found = {obj["metadata"]["name"] for obj in material.objects if obj["kind"] in kinds}
    return sorted(found, key=lambda name: (-len(name), name)) or ["-"]


def containers(obj: Json) -> Iterable[Json]:
    """The containers of a pod or of a pod template."""
    spec = obj.get("spec") or {}
    inner = (((spec.get("jobTemplate") or {}).get("spec") or spec).get("template") or {}).get("spec") or spec
    return [*(inner.get("initContainers") or []), *(inner.get("containers") or [])]


def images(objects: list[Json]) -> set[str]:
    """Every image that a container of these objects runs."""
    return {
        c["image"]
        for obj in objects
        if obj["kind"] != "PodMetrics"
        for c in containers(obj)
        if c.get("image")
    }


def repository(image: str) -> list[str]:
    """An image's host ("" if it names none) and the parts of its path, without tag and digest."""
    host, _, path = image.split("@")[0].rpartition("/")[0].partition("/")
    rest = image.split("@")[0].rpartition("/")[2].split(":")[0]
    if host and not re.search(r"[.:]|^localhost$", host):
        host, path = "", f"{host}/{path}"
    return [host, *(part for part in path.split("/") if part), rest]
