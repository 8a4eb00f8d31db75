"""What the looks at a revision prove of it: that it ran well, that it did not, or neither.

`restartCount` counts for as long as a pod lives, so a pod that is there at two looks tells of all the time
between them. One that went, or came and went, between two looks does not: that time is a gap.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from opssquad.observations.values import PodSeen, Stretch
from opssquad.times import duration
from opssquad.types import Value

MOST_GAP = timedelta(minutes=10)
"""Time between two looks in which pods may come and go and still count as watched. A container that crashes
again and again is started anew every five minutes at the latest: the next looks meet it."""
STARTING = timedelta(minutes=10)
"""What a pod may take until it is ready: as long as a Deployment lets a rollout take by default."""
PROVEN = timedelta(hours=1)
"""What a revision must have run without a doubt for it to count as good: within it a rollout that hangs is
given up (10 min) and a container that crashes is started anew (5 min at most) many times over."""

Verdict = Literal["ok", "risk", "unknown"]


class Known(Value):
    """What is known of a revision. `begun` and `ended` are the first and the last look at it, `looks` how
    many there were, `gap` the longest time between two of them and `blind` the longest in which its pods
    changed unseen, in seconds. `steady_since`: from then to `ended` it ran without a doubt."""

    begun: datetime
    ended: datetime
    looks: int
    gap: float
    blind: float
    pods: int
    restarts: int
    steady_since: datetime | None
    verdict: Verdict
    text: str


@dataclass
class _Run:
    """The walk over the stretches: since when nothing speaks against it, and what was seen on the way."""

    since: datetime | None = None
    gap: timedelta = timedelta()
    widest: timedelta = timedelta()
    blind: timedelta = timedelta()
    ailing: Stretch | None = None
    was_ready: set[str] = field(default_factory=set)

    def go_on(self, before: Stretch | None, each: Stretch) -> None:
        """Take the next stretch in."""
        apart = max(each.begun - before.ended, timedelta()) if before else timedelta()
        self.widest = max(self.widest, apart, timedelta(seconds=each.gap))
        blind = before is not None and apart > MOST_GAP and not _lived_through(before, each)
        if blind:
            self.blind = max(self.blind, apart)
        self.ailing = each if _ails(each, self.was_ready) else None
        if self.ailing or not each.ready:
            self.since = None
        elif self.since is None or blind or before is None:
            self.since, self.gap = max(_ready_times(each)), timedelta(seconds=each.gap)
        else:
            self.since = max([self.since, *_lapses(before, each)])
            self.gap = max(self.gap, apart, timedelta(seconds=each.gap))
        self.was_ready |= {pod.uid for pod in each.staying if pod.ready_since}


def judged(stretches: Iterable[Stretch], until: datetime | None = None) -> Known | None:
    """What the stretches of one revision prove, None where there are none; `until` is when another one took
    its place, where that is known."""
    found = sorted(stretches, key=lambda each: (each.begun, each.ended))
    if not found:
        return None
    # Pods that are taken away at its end are not to be ready; what they restarted counts all the same.
    standing = [each for each in found if each.desired or each.staying]
    run, before = _Run(), None
    for each in standing:
        run.go_on(before, each)
        before = each
    last = (standing or found)[-1]
    pods = _last_seen(found)
    verdict, text = _verdict(found[0], last, run, pods, until)
    return Known(
        begun=found[0].begun,
        ended=last.ended,
        looks=sum(each.looks for each in found),
        gap=run.widest.total_seconds(),
        blind=run.blind.total_seconds(),
        pods=len(pods),
        restarts=sum(each.restarts for each in pods),
        steady_since=run.since,
        verdict=verdict,
        text=text,
    )


def _last_seen(found: Sequence[Stretch]) -> list[PodSeen]:
    """Every pod as it was at its last look: the one with most restarts, for looks may come out of order."""
    pods: dict[str, PodSeen] = {}
    for pod in (pod for each in found for pod in each.pods):
        if pod.uid not in pods or pod.restarts >= pods[pod.uid].restarts:
            pods[pod.uid] = pod
    return list(pods.values())


def _lived_through(before: Stretch, each: Stretch) -> bool:
    return {pod.uid for pod in before.staying} <= {pod.uid for pod in each.pods}


def _ready_times(each: Stretch) -> list[datetime]:
    return [pod.ready_since for pod in each.staying if pod.ready_since]


def _lapses(before: Stretch | None, each: Stretch) -> list[datetime]:
    """When pods became ready again that were ready before, and so were not for a while between two looks."""
    was = {pod.uid: pod.ready_since for pod in before.staying if pod.ready_since} if before else {}
    now = [(pod, pod.ready_since) for pod in each.staying if pod.ready_since]
    return [since for pod, since in now if pod.uid in was and since > was[pod.uid]]


def _ails(each: Stretch, was_ready: set[str]) -> bool:
    """Whether pods of it are not ready that were, or have had their time; or some are missing for long."""
    waiting = [pod for pod in each.staying if not pod.ready_since]
    late = [p for p in waiting if p.uid in was_ready or (p.started and each.ended - p.started > STARTING)]
    short = len(each.staying) < each.desired and each.ended - each.begun > STARTING
    return bool(late) or short


def _verdict(
    first: Stretch, last: Stretch, run: _Run, pods: Sequence[PodSeen], until: datetime | None
) -> tuple[Verdict, str]:
    """The verdict, and the words for it."""
    restarts = sum(each.restarts for each in pods)
    if restarts:
        return "risk", _restarted(first, last, pods, restarts)
    if run.ailing:
        count, all_ = run.ailing.ready, max(run.ailing.desired, len(run.ailing.staying))
        return "risk", f"{count} of {all_} pods were ready when it was last looked at, {_at(last.ended)}"
    if run.since is None:
        return "unknown", f"no pod of it was ready yet when it was last looked at, {_at(last.ended)}"
    ran = last.ended - run.since
    healthy = f"healthy from {_at(run.since)} to {_at(last.ended)} ({duration(ran)}), 0 restarts"
    looked = f"{healthy}; {_looked(first, run, pods, last)}"
    if until and until - last.ended > MOST_GAP:
        return (
            "unknown",
            f"{looked}; not looked at for the {duration(until - last.ended)} until it was replaced",
        )
    if ran < PROVEN:
        return "unknown", f"{looked}; less than {duration(PROVEN)} proves nothing"
    return "ok", looked


def _restarted(first: Stretch, last: Stretch, pods: Sequence[PodSeen], restarts: int) -> str:
    ends = sorted((each.fell_at, each.fell) for each in pods if each.fell and each.fell_at)
    how = f", the last {_at(ends[-1][0])}: {ends[-1][1]}" if ends else ""
    many = f"{restarts} restart{'s' * (restarts != 1)}"
    return f"{many} of its pods seen by looks from {_at(first.begun)} to {_at(last.ended)}{how}"


def _looked(first: Stretch, run: _Run, pods: Sequence[PodSeen], last: Stretch) -> str:
    """How well it was looked at while it ran without a doubt."""
    many = f"{len(pods)} pod{'s' * (len(pods) != 1)}"
    if first.begun == last.ended:
        return f"one look at {many}, whose counts go back to their start"
    said = f"looks at {many} from {_at(first.begun)} on, at most {duration(run.gap)} apart"
    if run.gap > MOST_GAP:
        said += ", with the same pods before and after, whose counts cover that"
    if run.blind:
        said += f"; before that {duration(run.blind)} in which its pods changed unseen"
    return said


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def replaced(of: Sequence[Stretch], others: Iterable[Stretch]) -> datetime | None:
    """When another revision was first seen in the place of the one that these stretches are of."""
    last = max((each.ended for each in of if each.current), default=None)
    later = [each.begun for each in others if each.current and last and each.begun >= last]
    return min(later, default=None)
