"""A recording in memory: what the on-call sees, the rules of its world, its objects, and its logs on demand.

The truth is loaded apart, by `load_truth`, so that nothing that serves a recording ever holds it.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from opssquad.documents import BadFile, read_text, read_yaml
from opssquad.types import Json
from opssquad.worlds.kube.recording.fates import Fate
from opssquad.worlds.kube.recording.files import check_log, log_lines, log_path, read_objects
from opssquad.worlds.kube.recording.spec import ClusterFacts, Default, Incident, Truth, WorldRules


@dataclass(frozen=True)
class Recording:
    """One recorded incident; without a cluster it has no objects. They are shared: copy one before changing
    it."""

    folder: Path
    incident: Incident
    rules: WorldRules
    objects: list[Json]

    @property
    def cluster(self) -> ClusterFacts:
        """The cluster that was recorded. Raises BadFile where none was."""
        if self.incident.cluster is None:
            raise BadFile(self.folder / "incident.yaml", "no cluster was recorded, so none can be served")
        return self.incident.cluster

    @property
    def clock(self) -> datetime:
        """The "now" of the recording; nothing in it is later."""
        return self.incident.clock

    @cached_property
    def revision(self) -> int:
        """The highest resourceVersion of any object."""
        versions = (obj["metadata"].get("resourceVersion", "") for obj in self.objects)
        return max((int(v) for v in versions if v.isdecimal()), default=1)

    def log(self, namespace: str, pod: str, container: str, previous: bool = False) -> list[str] | None:
        """The lines of a container's log, each with its time stamp; None if nothing was recorded."""
        file = self.folder / log_path(namespace, pod, container, previous)
        return log_lines(read_text(file)) if file.is_file() else None

    def lines(self, path: str) -> list[str]:
        """The lines of a log that a rule of world.yaml names, path relative to the folder."""
        return log_lines(read_text(self.folder / path))


def load(folder: Path) -> Recording:
    """The recording in a folder; BadFile with file, line and reason if it cannot be served."""
    if not folder.is_dir():
        raise BadFile(folder, "no such folder; a recording is a folder with an incident.yaml")
    incident = load_incident(folder)
    if incident.cluster is None:
        return Recording(
            folder, incident, WorldRules(outcomes=[], default=Default(pods=Fate(kind="ready"))), []
        )
    rules = read_yaml(folder / "world.yaml", WorldRules)
    for outcome in rules.outcomes:
        log = outcome.pods.crash.log if outcome.pods.crash else None
        if log and not (folder / log).is_file():
            raise BadFile(folder / "world.yaml", f"there is no log {log!r}", _line_of(folder, log))
    objects = read_objects(folder / "cluster" / "objects.jsonl.gz")
    for file in sorted((folder / "logs").rglob("*.log")):
        check_log(file)
    return Recording(folder, incident, rules, objects)


def load_incident(folder: Path) -> Incident:
    """What the on-call engineer sees before asking anything. Raises BadFile."""
    return read_yaml(folder / "incident.yaml", Incident)


def load_truth(folder: Path) -> Truth:
    """What was really wrong; for scorers and checks only."""
    return read_yaml(folder / "truth.yaml", Truth)


def _line_of(folder: Path, text: str) -> int | None:
    lines = read_text(folder / "world.yaml").splitlines()
    return next((number for number, line in enumerate(lines, 1) if text in line), None)
