"""The shapes of a scenario and of the application that it happens to, read from YAML."""

import re
from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AwareDatetime, BeforeValidator, Field, model_validator

from opssquad.documents import BadFile, read_text, read_yaml
from opssquad.types import Json
from opssquad.worlds.kube.recording.fates import Strict, Text
from opssquad.worlds.kube.recording.spec import (
    Also,
    Component,
    Fix,
    ProofKind,
    Reference,
    RowsRule,
    When,
    WorldRules,
)
from opssquad.worlds.sql.database import shown

SPAN = re.compile(r"-?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def _span(value: Any) -> Any:
    found = SPAN.fullmatch(value) if isinstance(value, str) and value not in ("", "-") else None
    if not found:
        raise ValueError(
            f"must be a time before the clock such as -2h15m, or a span such as 20s, not {value!r}"
        )
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    span = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return -span if value.startswith("-") else span


Span = Annotated[timedelta, BeforeValidator(_span)]
"""`-2h15m` is that long before the clock; `20s` is a span."""


Clock = Literal["iso", "comma", "slash", "epoch", "none"]
NodeReference = Annotated[str, Field(pattern=r"^Node//[^/]+$")]


class Hum(Strict):
    """What a container writes all the time: one of the lines, about so often."""

    every: Span
    lines: list[Text] = Field(min_length=1)


class Voice(Strict):
    """How a workload's containers write. `form` holds `$time`, `$level` and `$text`; `clock` is how its time
    is written. A line is a level and its text; what it holds as `$n`, `$ms`, `$id` and so on is drawn."""

    form: Text = "$time $level $text"
    clock: Clock = "iso"
    start: list[Text] = []
    hum: Hum | None = None
    stop: list[Text] = []


class Said(Strict):
    """What a workload writes in this story: for pods whose main image fits, from `since` to `until`. `start`
    and `ends` are those of an instance that ended badly: its last words come at its end. With `container`
    that one alone is meant, init containers too; `form` and `clock` are how it writes, where not as the
    workload does."""

    workload: Reference
    image: str = "*"
    container: Text | None = None
    form: Text | None = None
    clock: Clock | None = None
    since: Span | None = None
    until: Span | None = None
    start: list[Text] = []
    hum: Hum | None = None
    ends: list[Text] = []
    only: bool = False


class Cluster(Strict):
    """The cluster: its name and version, and how its nodes are called."""

    name: Text
    kubernetes: Text = "v1.36.2"
    nodes: Annotated[int, Field(ge=1, le=9)] = 3
    node: Text
    born: Span
    network: Text = "10.20.0"
    cpu: Text = "4"
    memory: Text = "16207348Ki"


class Application(Strict):
    """application.yaml: where and since when it runs, who deployed it, and how its workloads write. `plays`:
    kinds that get their pods or Jobs' status by themselves; others stand as the manifests leave them. A voice
    is that of a workload, or with a container's name after it that of one container."""

    cluster: Cluster
    begun: Span
    by: Text
    voices: dict[Reference, Voice]
    plays: list[Literal["DaemonSet", "CronJob"]] = []


class Step(Strict):
    """One thing that somebody did: merged a change into an object or its status, scaled a workload, applied
    manifests, deleted an object; the time of a CronJob that came (`tick`); a warning, `Reason: message`, that
    a kubelet reported, or who `by` names (`$ip` is the pod's address; with `(x40 over 20m) ` before it, one
    that came so often); or nodes whose kubelets are held to be `silent` from then on, or report again
    (`back`). `by` is the manager on record."""

    at: Span
    by: Text = "kubectl-edit"
    merge: dict[Reference, Json] = {}
    scale: dict[Reference, int] = {}
    apply: list[Json] = []
    delete: list[Reference] = []
    status: dict[Reference, Json] = {}
    tick: list[Reference] = []
    warn: dict[Reference, str] = {}
    silent: list[NodeReference] = []
    back: list[NodeReference] = []

    @model_validator(mode="after")
    def _does_something(self) -> "Step":
        done = (self.merge, self.scale, self.apply, self.delete, self.status, self.tick, self.warn)
        if not any((*done, self.silent, self.back)):
            raise ValueError(
                "does nothing: give merge, scale, apply, delete, status, tick, warn, silent or back"
            )
        return self


class Alert(Strict):
    """An alert: its name, the labels and annotations that matter, and since when it fires."""

    name: Text
    labels: dict[str, str]
    annotations: dict[str, str]
    since: Span
    until: Span | None = None


class Sought(Strict):
    """Evidence: `where` may be a pattern; the first object or log, by name, that holds the text is meant."""

    kind: ProofKind
    where: Text
    contains: Text


class Cell(Strict):
    """A value in a database's rows: the column of the first row of a look whose columns meet the patterns."""

    look: Text
    where: dict[str, Text]
    column: Text

    def met(self, row: Json) -> bool:
        """Whether a row meets all patterns."""
        told = {name: "" if row.get(name) is None else shown(row[name]) for name in self.where}
        return all(fnmatchcase(told[name], pattern) for name, pattern in self.where.items())


class Captured(Strict):
    """A real database as it was captured, in `database/` of the folder that has the scenario's name.
    `clients` says from where each `application_name` comes: a workload, or an address outside of the
    cluster; `started` since when the server runs; `named` what the truth calls `$name`, which only the
    capture knows."""

    clients: dict[str, Text]
    started: Span
    named: dict[str, Cell] = {}


class Networked(Strict):
    """The network: what it is called, and what is told of it as in `network.yaml`; in place of an address may
    stand `Service/namespace/name`, `Node//name`, a workload or `Pod/namespace/pattern`. `dns`: the address of
    the cluster's own, which answers for its Services; their listeners and those of pods are told besides.
    Zones, certificates and exact answers are in `network/` of the folder that has the scenario's name."""

    name: Text
    dns: Text = ""
    told: Json


class Told(Strict):
    """The truth of a scenario: truth.yaml with times before the clock and evidence that is looked up."""

    fault: Text
    alike: list[Text] = []
    component: Component
    mechanism: Text
    root_cause: Text
    since: Span
    evidence: list[Sought] = Field(min_length=2)
    fix: Fix
    well: list[When] = []
    rows: list[RowsRule] = []
    also: list[Also] = []
    distractors: list[Text] = Field(min_length=1)
    affected: list[str] = []
    notes: str = ""


class Scenario(Strict):
    """One incident. The application's files stand beside it."""

    id: Text
    title: Text
    clock: AwareDatetime
    reported: Span
    questions: list[Text] = Field(min_length=3)
    alerts: list[Alert]
    world: WorldRules
    story: list[Step] = Field(min_length=1)
    logs: list[Said] = []
    load: dict[Reference, dict[str, Text]] = {}
    """What each main container of a workload uses at the end, by resource, where that matters."""
    database: Captured | None = None
    network: Networked | None = None
    squad: Text = "k8s"
    truth: Told


def read_scenario(file: Path) -> tuple[Scenario, Application, list[Json]]:
    """A scenario with its application and the manifests beside it. Raises BadFile."""
    manifests = file.with_name("manifests.yaml")
    try:
        documents = [each for each in yaml.safe_load_all(read_text(manifests)) if each]
    except yaml.YAMLError as error:
        raise BadFile(manifests, f"not YAML: {' '.join(str(error).split())}") from None
    application = read_yaml(file.with_name("application.yaml"), Application)
    return read_yaml(file, Scenario), application, documents
