"""Transcripts written by hand against a real recording's truth: what a squad could have said and done."""

from typing import Any

from opssquad import content
from opssquad.evals.oracle import Kin
from opssquad.evals.plan import Case
from opssquad.evals.result import Expect, Manner, Score
from opssquad.evals.score import score
from opssquad.evals.suite import Price
from opssquad.evals.transcript import Act, End, Look, Transcript
from opssquad.findings import Action, Cause, Conclusion, Evidence, Finding, Option, Quote
from opssquad.types import Ref
from opssquad.worlds.kube.recording import Recording, load, load_truth

UNTOUCHED = End(fixed=False, left=("Deployment/shop/checkout 2/3 ready, 1 up to date",))
POD = "Pod/shop/checkout-656c54f46c-gx5rw"
NOT_FOUND = "registry.acme-retail.example/shop/checkout:7.2.0-gift: not found"
READ = (
    Quote(locator=POD, text='{"state":{"waiting":{"reason":"ImagePullBackOff"}}}'),
    Quote(locator=f"Event {POD}", text=f"Failed: Failed to pull image: {NOT_FOUND}"),
    Quote(
        locator="Deployment/shop/checkout",
        text='{"image":"registry.acme-retail.example/shop/checkout:7.2.0-gift"}',
    ),
)


def recording(id: str = "shop-0412") -> Recording:
    return load(content.recordings()[id])


def case(id: str = "shop-0412", manner: Manner = "ask", expect: Expect = "cause", **limits: int) -> Case:
    folder = content.recordings()[id]
    truth = load_truth(folder)
    fields: dict[str, Any] = {"suite": "s", "folder": folder, "recording": id, "squad": "k8s", "truth": ""}
    return Case(
        id=f"{id}/q0/{manner}/plain",
        **fields,
        fault=truth.fault,
        question="what is wrong?",
        manner=manner,
        variant="plain",
        tags=(),
        difficulty="plain",
        expect=expect,
        seconds=60,
        shift=None,
        noise=None,
        **limits,  # type: ignore[arg-type]
    )


def cause(component: str, fault: str, *evidence: Evidence) -> Cause:
    findings = (Finding(claim="said", confidence="likely", evidence=evidence),) if evidence else ()
    ref = Ref.parse(component)
    return Cause(component=ref, fault=fault, root_cause="so", confidence="likely", findings=findings)


def cite(locator: str, text: str, call: str = "c1") -> Evidence:
    return Evidence(id="e1", call=call, locator=locator, text=text)


def option(action: Action, target: str) -> Option:
    return Option(label=f"{action} {target}", action=action, target=target)


def act(action: Action, target: str, **fields: Any) -> Act:
    return Act(**{"call": "c9", "tool": action, "action": action, "target": target, **fields})


def transcript(*causes: Cause, options: tuple[Option, ...] = (), **fields: Any) -> Transcript:
    conclusion = Conclusion(status="concluded", causes=causes, options=options)
    looks = (Look(call="c1", tool="health", sources=READ),)
    return Transcript(**{"question": "why?", "conclusion": conclusion, "looks": looks, **fields})


def scored(
    given: Transcript, of: Case | None = None, end: End = UNTOUCHED, price: Price | None = None
) -> Score:
    of = of or case()
    top = Kin(recording(of.recording).objects).top
    return score(of, load_truth(of.folder), given, end, top, price)
