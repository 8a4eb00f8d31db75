"""One run of one case, from its recording to its result: staged, played, looked at, scored."""

import asyncio
import contextlib
import re
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from opssquad.errors import ModelError, OpsError, UsageError
from opssquad.evals.evidence import cited, stands
from opssquad.evals.fold import fold
from opssquad.evals.oracle import Kin, Window, judged
from opssquad.evals.oracle_rows import Span, with_rows
from opssquad.evals.plan import Case, Job
from opssquad.evals.playing import APPROVER, begun, options_like, play, record_of
from opssquad.evals.result import CaseResult, Expected
from opssquad.evals.score import score
from opssquad.evals.stage import Stage, staged
from opssquad.evals.steps import spelled
from opssquad.evals.transcript import Look, Transcript
from opssquad.events import Decided, Event, Returned, Started, Verified
from opssquad.findings import Evidence, Quote
from opssquad.investigation import Options
from opssquad.settings import OFFLINE
from opssquad.types import Json
from opssquad.worlds.kube.recording import load_truth
from opssquad.worlds.kube.recording.spec import Truth

AROUND = 200
"""Characters on either side of a citation that a report keeps of what was read."""


async def work(job: Job) -> CaseResult:
    """Make a run. What fails is in the result: `not_run` where the endpoint did, `broken` where we did."""
    began = time.perf_counter()
    with TemporaryDirectory(prefix="opssquad-eval-") as temporary:
        try:
            return await _worked(job, Path(temporary), began)
        except ModelError as error:
            return _result(job, state="not_run", error=f"model {job.model}: {error}")
        except OpsError as error:
            return broken(job, str(error))


def broken(job: Job, error: str) -> CaseResult:
    """A run that we could not make."""
    return _result(job, state="broken", error=error)


async def _worked(job: Job, temporary: Path, began: float) -> CaseResult:
    case = job.case
    folder = _perturbed(case, temporary)
    truth, state = load_truth(folder), temporary / "state"
    question = _question(case, folder)
    async with staged(folder, temporary, case.withheld) as stage:
        options = options_like(
            state, stage.kubeconfig, case.squad, job.model,
            sampling=job.sampling, tape=_tape(job), replay=job.replay, part=stage.part,
        )  # fmt: skip
        played = time.perf_counter()
        thread = await _thread(case.model_copy(update={"question": question}), stage, options)
        played = time.perf_counter() - played
        events, outputs = await record_of(state, thread)
        transcript = fold(events, outputs, question=question, squad=case.squad, model=job.model)
        if job.model != OFFLINE and not transcript.requests and transcript.status == "failed":
            raise ModelError(f"nothing came back in the {case.seconds:g} s that a run may take")
        end = judged(stage, truth, _windows(stage, events))
        if stage.has_rows:
            end = with_rows(end, stage.part, truth, _spans(events))
    top = Kin(stage.recording.objects).top
    scored = score(case, truth, transcript, end, top, job.prices.get(job.model))
    return _result(
        job,
        score=scored,
        transcript=_short(transcript),
        end=end,
        expected=_expected(truth),
        overhead=round(time.perf_counter() - began - played, 3),
        peak=_peak(),
    )


def _tape(job: Job) -> Path | None:
    """Where the run's exchanges are kept; a run that is made again has them anew."""
    if job.tape and not job.replay:
        job.tape.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for old in (job.tape, job.tape.with_suffix(".killed.jsonl")):
            old.unlink(missing_ok=True)
    return job.tape


async def _thread(case: Case, stage: Stage, options: Options) -> str:
    """Play the case as long as it may take; what is not over by then is scored as it stands."""
    try:
        async with asyncio.timeout(case.seconds):
            return await play(case, stage, options)
    except TimeoutError:
        threads = await begun(options.state)
        if not threads:
            raise UsageError(f"nothing was begun in {case.seconds:g} s; give the case more") from None
        return threads[-1]


def _perturbed(case: Case, temporary: Path) -> Path:
    if case.shift is None and case.noise is None:
        return case.folder
    from opssquad.evals.perturb import perturbed

    return perturbed(case.folder, temporary / "recordings", shift=case.shift, noise=case.noise)


def _question(case: Case, folder: Path) -> str:
    """The case's question; of a recording under other names, the same one under those."""
    if folder == case.folder:
        return case.question
    from opssquad.worlds.kube.recording.load import load_incident

    asked, now = load_incident(case.folder).questions, load_incident(folder).questions
    return now[asked.index(case.question)] if case.question in asked else case.question


def _windows(stage: Stage, events: Sequence[Event]) -> list[Window]:
    """From the start to the end of each change that the approver said yes to, and what its card was about."""
    yes = {
        e.approval.call.id: frozenset(spelled(ref) for ref in e.approval.preview.binding)
        for e in events
        if isinstance(e, Decided) and e.decision.outcome == "approved" and e.decision.by == APPROVER
    }
    starts = {e.call.id: e.recorded_at for e in events if isinstance(e, Started) and e.call.id in yes}
    ends = {e.call.id: e.recorded_at for e in events if isinstance(e, Returned | Verified)}
    return [
        Window(start=stage.when(start).timestamp(), end=stage.when(ends[call]).timestamp(), objects=yes[call])
        for call, start in starts.items()
        if call in ends
    ]


def _spans(events: Sequence[Event]) -> list[Span]:
    """From the start to the end of each change that the approver said yes to, in real time."""
    yes = {e.approval.call.id for e in events if isinstance(e, Decided) and e.decision.by == APPROVER}
    starts = {e.call.id: e.recorded_at for e in events if isinstance(e, Started) and e.call.id in yes}
    ends = {e.call.id: e.recorded_at for e in events if isinstance(e, Returned | Verified)}
    return [(start, ends[call]) for call, start in starts.items() if call in ends]


def _short(transcript: Transcript) -> Transcript:
    """Of what the calls read, which is megabytes, only what stands around each citation."""
    citations = cited(transcript.conclusion)
    looks = tuple(
        look.model_copy(
            update={"sources": tuple(_around(look, each) for each in citations if stands(look, each))}
        )
        for look in transcript.looks
    )
    return transcript.model_copy(update={"looks": looks})


def _around(look: Look, evidence: Evidence) -> Quote:
    text = next(s.text for s in look.sources if evidence.text in s.text)
    at = text.index(evidence.text)
    return Quote(locator=evidence.locator, text=text[max(0, at - AROUND) : at + len(evidence.text) + AROUND])


def _expected(truth: Truth) -> Expected:
    component = truth.component
    return Expected(
        fault=truth.fault,
        component=f"{component.kind}/{component.namespace}/{component.name}",
        root_cause=truth.root_cause,
        accept=tuple(f"{a.action} {a.target}: {a.detail}".rstrip(": ") for a in truth.fix.accept),
        forbid=tuple(f"{a.action} {a.target}: {a.detail}".rstrip(": ") for a in truth.fix.forbid),
        evidence=tuple(f"{p.kind} {p.where}: {p.contains}" for p in truth.evidence),
    )


def _result(job: Job, **found: Any) -> CaseResult:
    case = job.case
    fields: Json = {
        "key": job.key,
        "suite": case.suite,
        "case": case.id,
        "recording": case.recording,
        "squad": case.squad,
        "family": case.family,
        "fault": case.fault,
        "tags": case.tags,
        "difficulty": case.difficulty,
        "expect": case.expect,
        "manner": case.manner,
        "variant": case.variant,
        "model": job.model,
        "repeat": job.repeat,
    }
    return CaseResult(**fields, **found)


def _peak() -> float:
    """The most memory that this process has held, in MB. Elsewhere than on Linux that may be its parent's,
    from which it was made."""
    with contextlib.suppress(OSError):
        (held,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
        return round(int(held) / 1024, 1)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(most / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)
