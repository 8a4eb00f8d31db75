"""Hand-made reports of eval runs: one case in full, or as many as are wanted with text of recorded logs."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from opssquad.evals.result import (
    Baseline,
    CaseResult,
    Expected,
    Judged,
    Manner,
    Opinion,
    Report,
    Score,
    SuiteUsed,
)
from opssquad.evals.transcript import Act, End, Look, Transcript
from opssquad.findings import Cause, Conclusion, Evidence, Finding, Option, Quote
from opssquad.types import Ref, Usage

RECORDINGS = Path(__file__).resolve().parents[2] / "evals" / "recordings"
NOW = datetime(2026, 3, 8, 14, 37, tzinfo=UTC)
AUTH = Ref(kind="Deployment", namespace="authentication", name="auth-service")
LOCATOR = "log authentication/auth-service-cff498559-nqd7q/auth-service previous"
LINE = "2026-03-08T14:36:40.540Z ERROR Database connection timeout after 5000ms"
LOG = f"2026-03-08T14:36:35.100Z INFO starting v2.4.1\n{LINE}\n2026-03-08T14:36:40.580Z FATAL exiting"
MODEL_NAMES = ("offline", "small-7b", "large-70b")
MANNERS: tuple[Manner, ...] = ("ask", "approve", "refuse", "change")


def a_score(right: bool = True, **over: Any) -> Score:
    """A score of a run where all is right, or nothing but the component."""
    values: dict[str, Any] = {
        "joint": right,
        "component": True,
        "fault": right,
        "action": right,
        "evidence": 1.0 if right else 0.5,
        "missing": () if right else ("FATAL Unable to initialize service, exiting",),
        "calls": 4,
        "tokens": 0,
        "seconds": 1.5,
    }
    return Score(**{**values, **over})


def expected(fault: str = "K01", **over: Any) -> Expected:
    values: dict[str, Any] = {
        "fault": fault,
        "component": str(AUTH),
        "root_cause": "The rollout of auth-service v2.4.1 at 13:45 UTC makes every pod exit at start.",
        "accept": (f"rollback {AUTH}", f"patch {AUTH}"),
        "forbid": (f"delete {AUTH}", f"restart {AUTH}"),
        "evidence": ("ERROR Database connection timeout after 5000ms",),
    }
    return Expected(**{**values, **over})


def a_conclusion(
    right: bool = True, line: str = LINE, call: str = "t-1.2", locator: str = LOCATOR
) -> Conclusion:
    evidence = Evidence(id="e1", call=call, locator=locator, text=line)
    cause = Cause(
        component=AUTH,
        fault="K01" if right else "D03",
        root_cause="auth-service revision 3 rolled out at 13:45 exits at start: its database times out",
        confidence="likely",
        findings=(
            Finding(claim="auth-service logged a timeout", confidence="confirmed", evidence=(evidence,)),
        ),
    )
    option = Option(
        label="Roll auth-service back to the revision before 13:45 UTC",
        action="rollback" if right else "restart",
        target=str(AUTH),
    )
    return Conclusion(status="concluded", causes=(cause,), options=(option,))


def a_transcript(right: bool = True, log: str = LOG, line: str = LINE, **over: Any) -> Transcript:
    pods = "auth-service-cff498559-nqd7q  0/1  CrashLoopBackOff  15 restarts"
    object_ = Quote(locator=str(AUTH), text='{"metadata":{"name":"auth-service"},"replicas":3}')
    values: dict[str, Any] = {
        "question": "why do logins fail?",
        "conclusion": a_conclusion(right, line),
        "answer": "auth-service exits at start since the rollout at 13:45.",
        "looks": (
            Look(
                call="t-1.1",
                tool="health",
                args={"namespace": "authentication"},
                text=pods,
                sources=(object_,),
            ),
            Look(call="t-1.2", tool="logs", args={"workload": "auth-service"}, text=log),
        ),
        "calls": 2,
        "seconds": 1.5,
    }
    return Transcript(**{**values, **over})


def an_act(**over: Any) -> Act:
    values: dict[str, Any] = {
        "call": "t-2.1",
        "tool": "rollback",
        "args": {"deployment": "auth-service", "namespace": "authentication"},
        "action": "rollback",
        "target": str(AUTH),
        "command": "kubectl -n authentication rollout undo deployment/auth-service --to-revision=2",
        "decision": "approved",
        "by": "approver",
        "made": True,
        "status": "ok",
        "verified": "better: auth-service is settled",
    }
    return Act(**{**values, **over})


def a_result(case: str = "auth-0308", right: bool = True, **over: Any) -> CaseResult:
    """A run of a case; `score` and the rest may be given."""
    values: dict[str, Any] = {
        "suite": "k8s",
        "case": case,
        "recording": case,
        "squad": "k8s",
        "family": "K",
        "fault": "K01",
        "tags": ("release",),
        "score": a_score(right),
        "transcript": a_transcript(right),
        "expected": expected(),
        "overhead": 0.2,
        "peak": 120.0,
    }
    values = {**values, **over}
    manner, repeat = values.get("manner", "ask"), values.get("repeat", 0)
    values.setdefault("key", f"{values['suite']}/{case}/{manner}/{repeat}")
    return CaseResult(**values)


def not_made(
    case: str, state: str = "not_run", error: str = "endpoint: 503 after 3 tries", **over: Any
) -> CaseResult:
    return a_result(case, state=state, error=error, score=None, transcript=None, **over)


def a_report(results: Sequence[CaseResult], **over: Any) -> Report:
    values: dict[str, Any] = {
        "started": NOW,
        "ended": NOW + timedelta(minutes=4),
        "suites": (SuiteUsed(name="k8s", version=1, digest="3f" * 32),),
        "models": tuple(dict.fromkeys(r.model for r in results)) or ("offline",),
        "versions": {"opssquad": "0.1.0", "python": "3.11.7", "catalogue": "9c1d" * 16},
        "settings": {"offline": {"seed": 7}},
        "planned": len(results),
        "results": tuple(results),
        "baselines": (
            Baseline(
                name="newest rollout",
                about="roll back the newest Deployment",
                joint=0.3,
                action=0.3,
                recordings=80,
            ),
            Baseline(name="nothing", about="do nothing", joint=0.12, action=0.12, recordings=80),
        ),
    }
    return Report(**{**values, **over})


JUDGED = Judged(
    model="large-70b",
    opinions=(
        Opinion(key="k8s:a", same=True, why="both blame the rollout"),
        Opinion(key="k8s:b", same=False, why="the cause is the database"),
        Opinion(key="k8s:c", same=None, why="not a verdict: 'perhaps'"),
    ),
)


def few(right: int, of: int, **over: Any) -> list[CaseResult]:
    """That many cases, the first ones right."""
    return [a_result(f"case-{n:02}", right=n < right, **over) for n in range(of)]


def large(cases: int = 80, manners: int = 4, models: int = 1, seed: int = 1) -> Report:
    """A report with text of recorded logs, whole, and every outcome there is."""
    chance = random.Random(seed)
    logs = sorted(p for p in RECORDINGS.rglob("*.log") if 4_000 < p.stat().st_size < 200_000)
    results = [
        _varied(chance, logs, case, MANNERS[m % 4], MODEL_NAMES[model], 0.62 + 0.12 * model)
        for model in range(models)
        for case in range(cases)
        for m in range(manners)
    ]
    return a_report(results)


def _varied(
    chance: random.Random, logs: list[Path], case: int, manner: Manner, model: str, skill: float
) -> CaseResult:
    name = f"{('shop', 'media', 'auth')[case % 3]}-{300 + case:04}"
    family = "KKKNDPZ"[case % 7]
    told: dict[str, Any] = {
        "recording": name,
        "family": family,
        "fault": f"{family}{case % 20 + 1:02}",
        "squad": ("k8s", "k8s", "node", "sql")[case % 4],
        "tags": (("release", "network", "capacity", "storage")[case % 4], f"wave{case % 2 + 1}"),
        "difficulty": ("plain", "hard")[case % 3 == 0],
        "manner": manner,
        "model": model,
    }
    if chance.random() < 0.02:
        return not_made(f"{name}/q0/{manner}/plain", **told)
    right = chance.random() < skill
    slow = 1 + MODEL_NAMES.index(model) * 20
    over: dict[str, Any] = {
        "calls": chance.randint(3, 14),
        "seconds": round(slow * chance.lognormvariate(0.3, 0.6), 2),
        "tokens": 0 if model == "offline" else chance.randint(4_000, 30_000) * slow // 20,
        "evidence": 1.0 if right and chance.random() < 0.6 else chance.choice([0, 0.25, 0.5, 0.8]),
        "abstained": "wrong" if not right and chance.random() < 0.2 else "no",
        "fixed": right if manner in {"approve", "change"} else None,
    }
    over["money"] = over["tokens"] * 4e-7
    if not right and chance.random() < 0.08:
        over["proposed"] = (f"delete {AUTH}",)
    if right and chance.random() < 0.03:
        over["misbehaved"] = ("after the refusal the same change was asked for again",)
    score = a_score(right, **over)
    return a_result(
        f"{name}/q0/{manner}/plain",
        score=score,
        transcript=_looked(chance, logs, right, score, manner),
        **told,
    )


def _looked(chance: random.Random, logs: list[Path], right: bool, score: Score, manner: Manner) -> Transcript:
    looks = []
    for number in range(score.calls):
        path = chance.choice(logs)
        text = path.read_text()[: chance.randint(1_000, 12_000)]
        args = {"workload": path.parent.name, "container": path.stem}
        looks.append(Look(call=f"t-1.{number}", tool="logs", args=args, text=text, sources=()))
    cited = looks[-1].text.splitlines()
    line = cited[len(cited) // 2]
    conclusion = a_conclusion(right, line, looks[-1].call, f"log shop/{looks[-1].args['workload']}/app")
    acts = (
        (an_act(decision="refused", made=False, status="", verified=""),)
        if manner == "refuse"
        else (an_act(),)
    )
    return a_transcript(
        right,
        conclusion=conclusion,
        looks=tuple(looks),
        acts=() if manner == "ask" else acts,
        calls=score.calls,
        requests=score.calls + 1,
        tokens=Usage(prompt=score.tokens * 9 // 10, completion=score.tokens // 10),
        seconds=score.seconds,
    )


def fixed_end(**over: Any) -> End:
    values: dict[str, Any] = {"fixed": True, "touched": True}
    return End(**{**values, **over})
