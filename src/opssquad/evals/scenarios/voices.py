"""What the containers of a story write: each in its workload's own form, at the times of its instances."""

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from string import Template
from typing import NamedTuple

from opssquad.evals.scenarios.spec import Said, Voice
from opssquad.times import parse_time
from opssquad.types import Json
from opssquad.worlds.kube.controllers import naming
from opssquad.worlds.kube.logbook import stamp
from opssquad.worlds.kube.recording.files import log_path

KEPT = timedelta(minutes=100)
"""How far back a log goes; what is older was rotated away."""
WITHIN = timedelta(milliseconds=999)
AT_ONCE = timedelta(milliseconds=40)
CLOCKS = {"iso": "%Y-%m-%dT%H:%M:%S", "comma": "%Y-%m-%d %H:%M:%S", "slash": "%Y/%m/%d %H:%M:%S"}


class Instance(NamedTuple):
    """A run of a container: until when, None while it goes on; `bad`: it did not end as it should."""

    began: datetime
    ended: datetime | None = None
    bad: bool = False


class Voices:
    """The logs of all containers of a recording, by path."""

    def __init__(
        self, voices: Mapping[str, Voice], said: Sequence[Said], clock: datetime, rng: random.Random
    ) -> None:
        self._voices, self._said, self._clock, self._rng = voices, said, clock, rng

    def logs(self, pods: Sequence[Json], workload_of: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """Path and text of each log; `workload_of` gives the workload of a pod's uid."""
        for pod in pods:
            meta, workload = pod["metadata"], workload_of[pod["metadata"]["uid"]]
            parts = (("initContainerStatuses", "initContainers"), ("containerStatuses", "containers"))
            found = [(s, part) for field, part in parts for s in pod["status"].get(field) or ()]
            for status, part in found:
                container = next(c for c in pod["spec"][part] if c["name"] == status["name"])
                for previous, instance in _instances(status):
                    lines = list(self._lines(workload, container, meta["name"], instance, part))
                    path = log_path(meta["namespace"], meta["name"], status["name"], previous)
                    yield path, "".join(f"{line}\n" for line in sorted(lines))

    def _lines(self, workload: str, container: Json, pod: str, run: Instance, part: str) -> Iterator[str]:
        told = [s for s in self._said if s.workload == workload and fnmatchcase(container["image"], s.image)]
        told = [s for s in told if s.container in (None if part == "containers" else "", container["name"])]
        voice = self._voice(workload, container["name"], told, part)
        if voice is None:
            return
        # Times in the API are cut to seconds: what lasts less than one ends after it has begun all the same.
        end = run.ended + WITHIN if run.ended and part != "containers" else run.ended or self._clock
        start = next((s.start for s in told if s.start), voice.start)
        at = run.began + AT_ONCE
        # Of an init container that has ended nothing is rotated away.
        ended = run.ended and part != "containers"
        first = run.began if ended else max(run.began, self._clock - KEPT)
        for text in start:
            if at >= first and at <= end:
                yield self._line(voice, at, text, container, pod)
            at += timedelta(milliseconds=self._rng.randint(30, 900))
        hums = [] if any(s.only for s in told) else [(voice.hum, first, end)]
        hums += [(s.hum, self._moment(s.since, first), self._moment(s.until, end)) for s in told]
        for hum, since, until in hums:
            moment = max(at, since)
            while hum and (moment := moment + hum.every * self._rng.uniform(0.4, 1.6)) < min(end, until):
                yield self._line(voice, moment, self._rng.choice(hum.lines), container, pod)
        last = [text for s in told if run.bad for text in s.ends] or (
            voice.stop if run.ended and not run.bad else []
        )
        for number, text in enumerate(last):
            left = (len(last) - number) * AT_ONCE
            yield self._line(voice, max(run.began, end - left), text, container, pod)

    def _voice(self, workload: str, container: str, told: Sequence[Said], part: str) -> Voice | None:
        """How a container writes: as it does itself, or for a main one its workload, or as it is told to."""
        own = self._voices.get(f"{workload}/{container}")
        voice = own or (self._voices.get(workload) if part == "containers" else None)
        change = {name: s for t in told for name in ("form", "clock") if (s := getattr(t, name))}
        if voice is None and told:
            voice = Voice()
        return voice.model_copy(update=change) if voice else None

    def _moment(self, span: timedelta | None, otherwise: datetime) -> datetime:
        return otherwise if span is None else self._clock + span

    def _line(self, voice: Voice, at: datetime, said: str, container: Json, pod: str) -> str:
        level, _, text = said.partition(" ")
        text = Template(text).safe_substitute(self._drawn(container, pod))
        around = self._drawn(container, pod) | {"time": _time(voice, at), "level": level, "text": text}
        return f"{stamp(at)} {Template(voice.form).safe_substitute(around)}"

    def _drawn(self, container: Json, pod: str) -> dict[str, str]:
        rng = self._rng
        return {
            "n": str(rng.randint(2, 990)),
            "ms": str(rng.randint(3, 420)),
            "id": f"{rng.getrandbits(32):08x}",
            "trace": f"{rng.getrandbits(64):016x}",
            "ip": f"10.244.{rng.randint(1, 3)}.{rng.randint(4, 250)}",
            "tag": naming.tag(container["image"]),
            "pod": pod,
        }


def _time(voice: Voice, at: datetime) -> str:
    match voice.clock:
        case "none":
            return ""
        case "epoch":
            return f"{at.timestamp():.3f}"
        case "slash":
            return at.strftime(CLOCKS["slash"])
        case "comma":
            return f"{at.strftime(CLOCKS['comma'])},{at.microsecond // 1000:03}"
        case "iso":
            return f"{at.strftime(CLOCKS['iso'])}.{at.microsecond // 1000:03}Z"


def _instances(status: Json) -> Iterator[tuple[bool, Instance]]:
    """The runs of a container whose logs can be read: the last one that began, and the one before. One that
    could not be started never ran."""
    state, last = status["state"], status["lastState"]
    if (last.get("terminated") or {}).get("reason") == "StartError":
        return
    if "running" in state:
        yield False, Instance(parse_time(state["running"]["startedAt"]))
        if ended := last.get("terminated"):
            yield True, _ended(ended)
    elif ended := state.get("terminated") or last.get("terminated"):
        run = _ended(ended)
        yield False, run
        if status["restartCount"] > 1 or "terminated" in state and "terminated" in last:
            # The one before ended a pause earlier, which is at most five minutes, and lasted as long.
            pause = timedelta(seconds=min(10 * 2 ** min(status["restartCount"] - 2, 5), 300))
            lasted = (run.ended or run.began) - run.began
            began = run.began - max(pause, timedelta(seconds=10)) - lasted
            yield True, Instance(began, began + lasted, run.bad)


def _ended(state: Json) -> Instance:
    return Instance(parse_time(state["startedAt"]), parse_time(state["finishedAt"]), state["exitCode"] != 0)
