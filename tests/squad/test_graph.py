"""The graph on a small stage: what runs, what waits, what is never done twice, and how it ends."""

from pathlib import Path

from opssquad.errors import ModelUnreachable
from opssquad.events import Answered, Called, Concluded, Decided, Returned, Verified, Warned
from opssquad.findings import Hypothesis, Inadmissible, ToolResult
from opssquad.models.base import ModelCall, Reply
from opssquad.squad.fence import fenced
from opssquad.testing import scripted, wants
from tests.squad.stage import COUNTER, Counter, conclude, stage


async def test_reads_flow_and_the_answer_ends_the_utterance(tmp_path: Path) -> None:
    model = scripted([wants("look"), wants("look")], Reply(text="It is low."))
    async with stage(tmp_path, model) as s:
        kinds = await s.ask("how is it?")
        assert kinds.count("returned") == 2
        assert kinds[-1] == "answered"
        assert s.events[-1].answer.text == "It is low."
        asked = model.asked[-1].messages
        assert fenced("The counter stands at 0.", "t-0.1") in [m.text for m in asked]
        assert "[e1]" in asked[-1].text, "the ledger shows what can be cited"


async def test_a_mutation_waits_for_a_decision_and_happens_once_after_a_yes(tmp_path: Path) -> None:
    async with stage(tmp_path, scripted(wants("bump", by=2), Reply(text="done"))) as s:
        assert (await s.ask("raise it"))[-1] == "requested"
        assert s.counter.value == 0
        await s.decide("approved")
        await s.go_on()
        assert s.counter.value == 2
        checks = [e.check.outcome for e in s.events if isinstance(e, Verified)]
        assert checks == ["better"]
        assert s.events[-1].kind == "answered"


async def test_what_the_check_of_a_change_found_can_be_cited_afterwards(tmp_path: Path) -> None:
    model = scripted(wants("bump", by=2), Reply(text="done"), conclude(["e1"]))
    async with stage(tmp_path, model) as s:
        await s.ask("raise it")
        await s.decide("approved")
        await s.go_on()
        checks = [e.check for e in s.events if isinstance(e, Verified)]
        assert checks[0].sources == (), "what was read is kept once, as an output"
        assert (await s.ask("is it better now?", mode="ask"))[-1] == "concluded"
        (finding,) = s.events[-1].conclusion.causes[0].findings
        assert finding.claim == "the counter stands at 2"
        assert [e.text for e in finding.evidence] == ["checked value=2"]


async def test_a_refusal_reaches_the_model_with_its_reason_and_nothing_happens(tmp_path: Path) -> None:
    model = scripted(wants("bump"), Reply(text="as you wish"))
    async with stage(tmp_path, model) as s:
        await s.ask("raise it")
        await s.decide("refused", "not on a Friday")
        await s.go_on()
        assert s.counter.value == 0
        assert "not on a Friday" in model.asked[-1].messages[-1].text or any(
            "not on a Friday" in m.text for m in model.asked[-1].messages
        )


async def test_a_world_that_changed_since_the_card_voids_the_approval(tmp_path: Path) -> None:
    async with stage(tmp_path, scripted(wants("bump"), Reply(text="oh"))) as s:
        await s.ask("raise it")
        s.counter.add(5)
        await s.decide("approved")
        await s.go_on()
        assert s.counter.value == 5
        decided = [e.decision for e in s.events if isinstance(e, Decided)]
        assert decided[-1].outcome == "voided"
        assert "Counter/ns/main changed after the card was shown: version 1 -> 2" in decided[-1].reason


async def test_a_card_outlives_the_process_that_put_it_up(tmp_path: Path) -> None:
    counter = Counter()
    async with stage(tmp_path, scripted(wants("bump")), counter=counter) as first:
        await first.ask("raise it")
    async with stage(tmp_path, scripted(Reply(text="done")), counter=counter) as second:
        await second.decide("approved")
        assert await second.engine.go_on()
        assert counter.value == 1


async def test_an_act_that_began_and_did_not_end_is_checked_and_never_repeated(tmp_path: Path) -> None:
    counter = Counter()
    async with stage(tmp_path, scripted(wants("bump"), Reply(text="hm")), counter=counter) as s:
        await s.ask("raise it")
        await s.decide("approved")
        (waiting,) = await s.engine.waiting()
        card = await s.store.approval(waiting)
        assert await s.store.claim(card.call.id, card.call.digest)
        await s.go_on()
        returned = [e.result for e in s.events if isinstance(e, Returned)]
        assert [r.status for r in returned] == ["unknown"]
        assert counter.value == 0


async def test_unknown_tools_and_broken_arguments_go_back_to_the_model(tmp_path: Path) -> None:
    broken = ModelCall(id="x", tool="look", problem="arguments are not JSON: {")
    model = scripted([wants("lok"), broken, wants("look", depth=3)], Reply(text="sorry"))
    async with stage(tmp_path, model) as s:
        await s.ask("how is it?")
        said = " ".join(m.text for m in model.asked[-1].messages if m.role == "tool")
        assert "nearest: look" in said
        assert "arguments are not JSON" in said
        assert "depth: Extra inputs" in said


async def test_a_kubectl_line_is_judged_by_the_namespace_it_names(tmp_path: Path) -> None:
    lines = ("kubectl -n other get pods", "kubectl get pods -A", "kubectl get pods")
    model = scripted([*(wants("kubectl", line=line) for line in lines)], Reply(text="sorry"))
    async with stage(tmp_path, model) as s:
        await s.ask("how is it?")
        called = [e.call.target.namespace for e in s.events if isinstance(e, Called)]
    assert called == ["other", "", "ns"]


async def test_a_conclusion_keeps_only_evidence_that_stands(tmp_path: Path) -> None:
    model = scripted(wants("look"), conclude(["e1", "e99"]))
    async with stage(tmp_path, model) as s:
        await s.ask("why?", mode="ask")
        concluded = s.events[-1]
        assert isinstance(concluded, Concluded)
        finding = concluded.conclusion.causes[0].findings[0]
        assert [(e.id, e.text) for e in finding.evidence] == [("e1", "value=0")]
        assert finding.claim == "the counter is low"


async def test_what_does_not_help_is_told_to_the_model_and_kept_with_the_cause(tmp_path: Path) -> None:
    refused = Inadmissible(action="restart", reason="it counts from where it stood")
    low = Hypothesis(
        fault="F1", title="low", component=COUNTER, score=0.9, confidence="confirmed", root_cause="it is low",
        inadmissible=(refused,),
    )  # fmt: skip
    other = low.model_copy(update={"fault": "F2", "inadmissible": ()})
    model = scripted(wants("look"), conclude(["e1"]))
    async with stage(tmp_path, model) as s:
        s.ctx.rank = lambda case: case.model_copy(update={"differential": (other, low)})
        await s.ask("why?", mode="ask")
        page = model.asked[-1].messages[-1].text.splitlines()
        first = next(n for n, line in enumerate(page) if line.startswith("2. F1 "))
        assert page[first + 1] == "   not: restart - it counts from where it stood"
        assert sum("not: " in line for line in page) == 1
    async with stage(tmp_path, scripted()) as s:
        conclusion = (await s.engine.state()).conclusion
        assert conclusion is not None
        assert [cause.inadmissible for cause in conclusion.causes] == [(refused,)]


async def test_invented_evidence_is_sent_back_and_in_the_end_not_said(tmp_path: Path) -> None:
    invented = [conclude(["e7"])] * 2
    async with stage(tmp_path, scripted(wants("look"), *invented), scripted(*invented)) as s:
        await s.ask("why?", mode="ask")
        concluded = s.events[-1]
        assert isinstance(concluded, Concluded)
        assert concluded.conclusion.status == "inconclusive"
        assert concluded.conclusion.causes == ()


async def test_exact_text_of_a_call_can_be_cited_without_an_id(tmp_path: Path) -> None:
    model = scripted(wants("look"), conclude(["t-0.1: value=0"]))
    async with stage(tmp_path, model) as s:
        await s.ask("why?", mode="ask")
        assert s.events[-1].conclusion.causes[0].findings[0].evidence[0].locator == "Counter/ns/main"


async def test_a_model_that_fails_hands_over_and_the_run_says_so(tmp_path: Path) -> None:
    async with stage(tmp_path, scripted(ModelUnreachable("503")), scripted(Reply(text="offline here"))) as s:
        kinds = await s.ask("how is it?")
        assert "warned" in kinds
        assert isinstance(s.events[-1], Answered)
        assert s.events[-1].answer.text == "offline here"


async def test_an_endless_loop_of_calls_ends_at_the_budget(tmp_path: Path) -> None:
    looping = [wants("look")] * 30
    async with stage(tmp_path, scripted(*looping), scripted(conclude()), calls_soft=3, calls_hard=5) as s:
        kinds = await s.ask("why?", mode="ask")
        assert kinds.count("returned") == 5
        assert kinds[-1] == "concluded"


async def test_calls_past_the_budget_are_not_made_even_when_asked_for_at_once(tmp_path: Path) -> None:
    flood = [*[wants("look") for _ in range(200)]]
    async with stage(tmp_path, scripted(flood, conclude())) as s:
        kinds = await s.ask("how is it?")
        assert kinds.count("called") == kinds.count("returned") == s.ctx.squad.limits.calls_hard
        said = [e.text for e in s.events if isinstance(e, Warned)]
        assert said == [
            "200 calls were asked for at once; the budget has room for 25",
            "the question has used up its calls (25 of 25); the squad must conclude with what it has",
        ]
        assert kinds[-1] == "concluded"


async def test_an_end_that_was_recorded_and_not_yet_told_is_told_on_resuming(tmp_path: Path) -> None:
    async with stage(tmp_path, scripted(wants("bump", by=2))) as s:
        await s.ask("raise it")
        await s.decide("approved")
        (card,) = [r.approval for r in await s.store.approvals("approved")]
        assert await s.store.claim(card.call.id, card.call.digest)
        s.counter.add(2)
        await s.store.done(card.call.id, ToolResult(call=card.call.id, status="ok", text="raised by 2"))
        counter = s.counter
    async with stage(tmp_path, scripted(Reply(text="done")), counter=counter) as s:
        await s.go_on()
        assert s.counter.value == 2
        assert [e.result.status for e in s.events if isinstance(e, Returned)] == ["ok"]
        assert [e.check.outcome for e in s.events if isinstance(e, Verified)] == ["better"]
