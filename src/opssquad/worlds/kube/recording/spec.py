"""The shapes of incident.yaml, world.yaml and truth.yaml: pydantic models that refuse unknown keys.

Only shapes live here. What may become of a pod is in `fates`; how a rule of world.yaml is matched is in
`outcomes`; YAML is read by `documents`.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BeforeValidator, Field, model_validator

from opssquad.worlds.kube.recording.fates import Fate, Strict, Text
from opssquad.worlds.kube.recording.refs import Key

Reference = Annotated[str, Field(pattern=r"^[^/]+/[^/]*/.+$")]
"""Kind/namespace/name; the namespace is empty for cluster-scoped objects."""


def _text(value: Any) -> Any:
    """YAML reads 8081 and 1.5 as numbers; patterns and quantities are compared as text."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Pattern = Annotated[str, BeforeValidator(_text)]


class Alert(Strict):
    """One alert as Alertmanager's webhook version 4 sends it."""

    labels: dict[str, str]
    annotations: dict[str, str]
    startsAt: AwareDatetime
    endsAt: AwareDatetime | None = None
    status: Literal["firing", "resolved"] = "firing"
    fingerprint: str = ""
    generatorURL: str = ""


class ClusterFacts(Strict):
    """The recorded cluster's name, as a kubeconfig calls it, and its version, as /version says it."""

    name: Text
    kubernetes: Annotated[str, Field(pattern=r"^v\d+\.\d+\.\d+")]


class DatabaseFacts(Strict):
    """The recorded database's name, and its server's version, as `server_version` says it."""

    name: Text
    version: Text


class NetworkFacts(Strict):
    """What people call the recorded network."""

    name: Text


class Incident(Strict):
    """incident.yaml: what the on-call engineer sees before asking anything. It was recorded from a cluster, a
    database, a network, or several of them."""

    id: Text
    title: Text
    reported_at: AwareDatetime
    clock: AwareDatetime
    squad: Text
    questions: list[Text] = Field(min_length=3)
    alerts: list[Alert]
    cluster: ClusterFacts | None = None
    database: DatabaseFacts | None = None
    network: NetworkFacts | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "Incident":
        if self.cluster is None and self.database is None and self.network is None:
            raise ValueError("recorded from nothing: give cluster, database or network")
        if self.reported_at > self.clock:
            raise ValueError("reported_at is after the clock")
        for alert in self.alerts:
            if alert.startsAt > self.clock:
                raise ValueError(f"alert {alert.labels.get('alertname')} starts after the clock")
        return self


class Resources(Strict):
    """Quantities by resource name, as `400Mi` or with a comparison, `>=540Mi`."""

    limits: dict[str, Pattern] = {}
    requests: dict[str, Pattern] = {}


class ProbeShape(Strict):
    """The path and port that a probe asks."""

    path: Pattern | None = None
    port: Pattern | None = None


class Probes(Strict):
    """Probes of the main container."""

    readiness: ProbeShape | None = None
    liveness: ProbeShape | None = None


class ClaimVolume(Strict):
    """A volume that a claim of this name provides."""

    persistentVolumeClaim: Pattern


class TemplateRule(Strict):
    """What must hold for the new pod template, all of it; in the main container unless said otherwise."""

    image: Pattern | None = None
    env: dict[str, Pattern] = {}
    resources: Resources | None = None
    probe: Probes | None = None
    command: Pattern | None = None
    args: Pattern | None = None
    init: str | None = None
    volumes: ClaimVolume | None = None
    equals: dict[str, Any] = {}
    """Values by their dotted path in the pod's spec; a number is a place in a list; null: it is not set."""


class ObjectRule(Strict):
    """What must hold for one object of the cluster."""

    ref: Reference
    exists: Literal[True] | None = None
    absent: Literal[True] | None = None
    has: str | None = None
    equals: dict[str, Any] = {}
    at_least: dict[str, Pattern] = {}

    @model_validator(mode="after")
    def _asks_something(self) -> "ObjectRule":
        if not (self.exists or self.absent or self.has or self.equals or self.at_least):
            raise ValueError("asks nothing: give exists, absent, has, equals or at_least")
        return self


class When(Strict):
    """All of it must hold."""

    workload: Reference
    template: TemplateRule = TemplateRule()
    objects: list[ObjectRule] = []


class Outcome(Strict):
    """A rule: when this holds, new pods fare so."""

    when: When
    pods: Fate


class Default(Strict):
    """The fate of new pods that no rule names."""

    pods: Fate


class Rewrite(Strict):
    """What a mutating webhook makes of new pods while this holds: `spec` is merged into the pod's own, lists
    of containers by their names."""

    when: When
    spec: dict[str, Any] = Field(min_length=1)


class WorldRules(Strict):
    """world.yaml: how the recorded cluster answers a change; the first outcome that matches wins, and every
    rewrite that does is made before."""

    outcomes: list[Outcome]
    default: Default
    rewrites: list[Rewrite] = []


class Component(Strict):
    """The object that is at fault; `absent` when the fault is that it is missing."""

    kind: Text
    namespace: str
    name: Text
    absent: bool = False

    @property
    def key(self) -> Key:
        """What it is found by among objects."""
        return self.kind, self.namespace, self.name

    def __str__(self) -> str:
        return "/".join(self.key)


ProofKind = Literal["object", "event", "log", "rows", "probe"]


class Proof(Strict):
    """Exact text and where it stands: a log's path, Kind/namespace/name of the object or the event's, of rows
    the look into the database (`log` is the server's), or of a probe what was asked, as its answer says it:
    `connect cart.shop:80 from node/k2`."""

    kind: ProofKind
    where: Text
    contains: Text

    def __str__(self) -> str:
        return f"{self.kind} {self.where}: {self.contains}"


class Action(Strict):
    """A step that repairs, or one that harms."""

    action: Literal["rollback", "scale", "patch", "restart", "uncordon", "delete", "sql", "none", "escalate"]
    target: Text
    detail: str

    def __str__(self) -> str:
        return f"{self.action} {self.target}" + (f": {self.detail}" if self.detail else "")


class Fix(Strict):
    """One of `accept` is enough; none of `forbid` may be proposed."""

    accept: list[Action] = Field(min_length=1)
    forbid: list[Action] = []


FaultId = Annotated[str, Field(pattern=r"^[KNDPZ]\d{1,2}$")]


class Also(Strict):
    """A further independent cause."""

    component: Component
    fault: FaultId
    since: AwareDatetime


class RowsRule(Strict):
    """What must hold of the rows of a look whose columns meet these patterns: there are at least and at most
    so many."""

    look: Text
    where: dict[str, Pattern] = {}
    least: int = Field(default=0, ge=0)
    most: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _asks_something(self) -> "RowsRule":
        if not self.least and self.most is None:
            raise ValueError("asks nothing: give least or most")
        return self


class Truth(Strict):
    """truth.yaml: what was really wrong. Scorers read it; a squad never does. `alike` are further ids that
    name the same mechanism: a fault of a callee may go by the callee's own. `well`: in a world that is mended
    one of these holds, in the words of world.yaml; without it, that everything is healthy must be enough. All
    of `rows` hold in a database that is mended."""

    fault: FaultId
    alike: list[FaultId] = []
    component: Component
    mechanism: Text
    root_cause: Text
    since: AwareDatetime
    evidence: list[Proof] = Field(min_length=2)
    fix: Fix
    well: list[When] = []
    rows: list[RowsRule] = []
    also: list[Also] = []
    distractors: list[str] = Field(min_length=1)
    affected: list[str] = []
    notes: str = ""

    def known_by(self, clock: datetime) -> bool:
        """Whether the fault began before the recording's clock, as it must."""
        return self.since <= clock
