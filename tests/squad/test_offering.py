"""Which tools a request carries where a squad has more than one should: the right one, for few tokens."""

from dataclasses import replace
from pathlib import Path

import pytest

from opssquad import Toolbox, content
from opssquad.diagnosis.catalogue import Catalogue
from opssquad.extensions import library
from opssquad.findings import Choice, Hypothesis, Option, Signal
from opssquad.models.base import CONCLUDE, MORE, Case, Reply, SeenSignal
from opssquad.models.offline import Offline
from opssquad.models.phrases import load_book
from opssquad.models.scripted import Scripted
from opssquad.squad.crew import Member
from opssquad.squad.known import spec_of
from opssquad.squad.offering import ROOM, WHOLE, Offering, tokens
from opssquad.squad.offering import spec_of as tool_spec
from opssquad.squad.thinking import tool_specs
from opssquad.squad.words import stems
from opssquad.testing import scripted, wants
from tests.squad.questions import corpus, missed, platform
from tests.squad.stage import COUNTER, bump, look, stage

QUESTION = "what is this?"


def names(offering: Offering, question: str, **case: object) -> list[str]:
    made = Case.model_validate({"question": question, **case})
    return [spec.name for spec in offering.of(made)]


def test_the_right_tool_is_offered_for_nearly_every_question_of_the_corpus() -> None:
    asked = corpus()
    assert len(asked) == 100
    assert len(platform().tools) > 60
    assert len(missed(asked)) <= 5
    # Of those by which nothing was tuned there are too few for a share in hundredths.
    assert len(missed([q for q in asked if q.held_out])) <= 3


def test_no_question_gets_more_tokens_of_tools_than_there_is_room() -> None:
    offering = platform()
    sizes = [sum(map(tokens, offering.of(Case(question=q.text)))) for q in corpus()]
    assert max(sizes) <= ROOM
    assert sum(tokens(tool_spec(tool)) for tool in offering.tools) > 2 * WHOLE


@pytest.mark.parametrize("name", ["k8s", "database", "network"])
def test_a_bundled_squad_offers_all_its_tools_as_they_are(name: str) -> None:
    spec = spec_of(name)
    tools = library.tools(spec.tools)
    offering = Offering(tuple(tools), Catalogue(faults=[]))
    assert offering.whole
    specs = tool_specs(Toolbox(tools), spec)
    assert Member(spec, str, specs, offering).offered(Case(question=QUESTION), ()) == specs
    assert MORE not in {each.name for each in specs}


def test_what_is_always_of_use_is_always_offered_and_in_the_squads_order() -> None:
    offering = platform()
    offered = names(offering, QUESTION)
    assert {"find", "health", "workload", "timeline", "differential"} <= {*offered}
    order = [tool.name for tool in offering.tools]
    assert offered == sorted(offered, key=order.index)


def test_what_the_differential_and_earlier_offers_name_is_offered() -> None:
    option = Option(label="x", action="none", target="Service/a/b", tool="rotate_secret")
    tells = Choice(label="x", tool="costs")
    fault = Hypothesis(
        fault="F1", title="t", component=COUNTER, score=0.5, confidence="likely", root_cause="r",
        options=(option,), next_calls=(tells,),
    )  # fmt: skip
    led, offered = Choice(label="x", tool="load_balancer"), Choice(label="x", tool="drop_slot")
    wanted = {"rotate_secret", "costs", "load_balancer", "drop_slot"}
    assert not wanted & {*names(platform(), QUESTION)}
    case = {"differential": (fault,), "leads": (led,), "choices": (offered,)}
    assert wanted <= {*names(platform(), QUESTION, **case)}


def test_what_was_seen_counts_as_what_was_asked() -> None:
    signal = Signal(
        id="sockets.conntrack", entity=COUNTER, owner=COUNTER, text="the conntrack table is full", quotes=()
    )
    assert "sockets" not in names(platform(), "it is slow for some")
    assert "sockets" in names(platform(), "it is slow for some", signals=(SeenSignal(signal=signal),))


def test_what_is_asked_for_is_offered_and_the_same_question_gets_the_same_tools() -> None:
    offering = platform()
    first = names(offering, QUESTION)
    further = offering.further("drop a replication slot", first)
    assert "drop_slot" in further
    assert not {*further} & {*first}
    asked = [spec.name for spec in offering.of(Case(question=QUESTION), further)]
    assert {*further} <= {*asked}
    assert names(Offering(offering.tools, offering.catalogue), QUESTION) == first


def test_forms_of_a_word_are_one_word() -> None:
    assert len({stems(form)[0] for form in ("restart", "restarts", "restarted", "restarting")}) == 1
    assert len({stems(form)[0] for form in ("query", "queries")}) == 1
    assert stems("FailedScheduling of a ConfigMap") == stems("failed scheduling config map")
    assert stems("is it the") == []


def crowd() -> tuple[Member, Toolbox]:
    """The squad of the stage with the tools of the platform before its own."""
    # So long that it is not what fills the last of the room.
    long = replace(bump, description="Raise the counter. " * 50)
    tools = (*platform().tools, look, long)
    offering = Offering(tools, Catalogue(faults=[]))
    return Member(spec_of("k8s"), str, tool_specs(Toolbox(tools)), offering), Toolbox([look, bump])


async def test_a_model_asks_for_more_tools_within_the_turn(tmp_path: Path) -> None:
    member, toolbox = crowd()
    model = scripted([wants(MORE, about="drop a replication slot"), wants("look")], "I see.")
    async with stage(tmp_path, model, toolbox=toolbox) as scene:
        scene.ctx.members = {"s": member}
        kinds = await scene.ask(QUESTION)
        state = await scene.engine.state()
    first, second = ({spec.name for spec in request.tools} for request in model.asked)
    assert {MORE, CONCLUDE} <= first
    assert "drop_slot" not in first
    assert "drop_slot" in second
    assert "drop_slot" in state.more
    # What was called beside it went its way.
    assert "returned" in kinds
    answered = [m.text for m in model.asked[1].messages if m.role == "tool"]
    assert answered[0].startswith("offered from now on: ")
    assert len(answered) == 2


async def test_a_call_of_a_tool_that_was_not_offered_is_made_all_the_same(tmp_path: Path) -> None:
    member, toolbox = crowd()
    model = scripted(wants("bump", by=2), "done")
    async with stage(tmp_path, model, toolbox=toolbox) as scene:
        scene.ctx.members = {"s": member}
        kinds = await scene.ask(QUESTION)
    assert "bump" not in {spec.name for spec in model.asked[0].tools}
    assert "requested" in kinds


@pytest.mark.parametrize("about", ["", "   "])
async def test_who_asks_for_nothing_is_told_what_to_say(tmp_path: Path, about: str) -> None:
    member, toolbox = crowd()
    model = scripted(wants(MORE, about=about), "done")
    async with stage(tmp_path, model, toolbox=toolbox) as scene:
        scene.ctx.members = {"s": member}
        await scene.ask(QUESTION)
    assert model.asked[1].messages[-1].text.startswith("say `about`")


async def test_a_model_that_reads_no_words_is_offered_everything(tmp_path: Path) -> None:
    class Wordless(Scripted):
        def wordless(self, case: Case) -> bool:
            return True

    member, toolbox = crowd()
    model = Wordless([Reply(text="done")])
    async with stage(tmp_path, model, toolbox=toolbox) as scene:
        scene.ctx.members = {"s": member}
        await scene.ask(QUESTION)
    assert model.asked[0].tools == member.specs
    assert Offline({"": load_book(content.phrase_books()[""])}).wordless(Case())
