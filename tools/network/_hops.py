"""What a path is walked with: who calls, what is called, and what was found at each hop. Values alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from opssquad import Json, Ref, Signal

from .._kube import dig, ref
from .._policy_rules import Side, outside, pod_side

Verdict = Literal["ok", "broken", "unknown", "not checked"]


@dataclass(frozen=True)
class Hop:
    """One hop: what was looked at, the verdict, the fact; `object` is to blame where it is broken."""

    what: str
    verdict: Verdict
    fact: str
    object: Ref | None = None
    signals: tuple[Signal, ...] = ()


@dataclass(frozen=True)
class Client:
    """Who calls: a workload or a pod with its live pods and a pod template, or what is `outside` of the
    cluster; `who` None: nobody was named."""

    who: Ref | None = None
    pods: tuple[Json, ...] = ()
    template: Json = field(default_factory=dict)
    desired: int = 1
    outside: bool = False
    addresses: tuple[str, ...] = ()
    node: str = ""

    @property
    def inside(self) -> bool:
        """Whether it is known and in the cluster."""
        return self.who is not None and not self.outside

    @property
    def namespace(self) -> str:
        """Where its pods are."""
        return self.who.namespace if self.who and not self.outside else ""

    @property
    def spec(self) -> Json:
        """The spec of its pods."""
        found: Json = dig(self.pods[0] if self.pods else self.template, "spec", default={})
        return found

    def sides(self, family: str = "") -> list[Side]:
        """Its pods as ends of connections."""
        if self.outside:
            return [outside(self.who.name if self.who else "internet", *self.addresses, node=self.node)]
        return [pod_side(each, family) for each in self.pods]

    def words(self) -> str:
        """`Deployment web`, `the internet`."""
        if self.who is None:
            return "nobody in particular"
        return f"{self.who.kind} {self.who.name}" if self.inside else f"outside ({self.who.name})"


@dataclass(frozen=True)
class Goal:
    """What is called: a name as a program would ask for it, or none where an object was named; the Service
    or the pods that are meant, and the port, scheme and path, as far as they were told. `node` has the
    address, where one does; `setting` is the object that holds it, where configuration gives it."""

    words: str
    host: str = ""
    service: Ref | None = None
    who: Ref | None = None
    pods: tuple[Json, ...] = ()
    addresses: tuple[str, ...] = ()
    node: str = ""
    port: int = 0
    scheme: str = ""
    path: str = "/"
    setting: Ref | None = None


@dataclass(frozen=True)
class Path:
    """A path that was walked."""

    client: Client
    goal: Goal
    hops: tuple[Hop, ...]

    @property
    def first(self) -> tuple[int, Hop] | None:
        """Number and hop of the first that is broken."""
        return next(((n, each) for n, each in enumerate(self.hops, 1) if each.verdict == "broken"), None)

    @property
    def signals(self) -> list[Signal]:
        """Everything that was found on it."""
        return [signal for hop in self.hops for signal in hop.signals]


def where(objects: Iterable[Json]) -> list[str]:
    """The nodes that pods are on, each once."""
    return list(dict.fromkeys(n for each in objects if (n := dig(each, "spec", "nodeName"))))


def first_of(signals: Iterable[Signal], name: str, **data: object) -> Signal | None:
    """The first signal of that name, with these data."""
    return next((each for each in signals if each.id == name and _has(each.data, data)), None)


def _has(data: Mapping[str, object], wanted: Mapping[str, object]) -> bool:
    return all(data.get(key) == value for key, value in wanted.items())


def named(obj: Json) -> str:
    """`Service db`."""
    address = ref(obj)
    return f"{address.kind} {address.name}"
