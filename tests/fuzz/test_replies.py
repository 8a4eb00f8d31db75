"""What an endpoint sends, of any shape, and whole runs with a model that asks for anything at all."""

import asyncio
import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from opssquad.errors import ModelError
from opssquad.models.assembly import Assembly, whole
from opssquad.models.base import CONCLUDE, ModelCall, Reply
from opssquad.testing import scripted
from opssquad.types import Usage
from tests.fuzz.amounts import each_amount, fuzzed
from tests.fuzz.odd import Json, anything, mutated
from tests.squad.stage import stage

CALL = {"index": 0, "id": "c1", "type": "function", "function": {"name": "health", "arguments": '{"a": 1}'}}
MESSAGE = {"role": "assistant", "content": "so", "tool_calls": [CALL, {**CALL, "index": 1, "id": "c2"}]}
BODY = {
    "choices": [{"index": 0, "message": MESSAGE, "finish_reason": "tool_calls"}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 5},
}
CHUNKS = [
    {"choices": [{"delta": {"content": "so "}}]},
    {"choices": [{"delta": {"tool_calls": [{**CALL, "function": {"name": "health", "arguments": ""}}]}}]},
    {"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": '{"namespace": "x"}'}}]}}]},
    {"choices": [{"delta": {}, "finish_reason": "tool_calls"}], "usage": {"prompt_tokens": 1}},
]


def keeps(reply: Reply) -> None:
    """What later steps do with a reply: write it down, and read it again."""
    assert Reply.model_validate_json(reply.model_dump_json()) == reply
    assert all(call.tool or call.problem for call in reply.calls)


@each_amount
def test_a_body_of_any_shape_is_a_reply_or_a_bad_one(many: bool) -> None:
    def check(body: Any) -> None:
        try:
            keeps(whole(body))
        except ModelError as error:
            assert str(error)  # noqa: PT017

    fuzzed("bodies", many, st.one_of(mutated(st.just(BODY)), anything), check)


@each_amount
def test_a_stream_of_any_chunks_is_a_reply_or_a_bad_one(many: bool) -> None:
    def check(chunks: list[Any]) -> None:
        assembly = Assembly()
        try:
            for chunk in chunks:
                if isinstance(chunk, dict):
                    assembly.add(chunk)
        except ModelError as error:
            assert str(error)  # noqa: PT017
            return
        keeps(assembly.reply())

    some = st.lists(st.one_of(*(mutated(st.just(each)) for each in CHUNKS), anything), max_size=8)
    fuzzed("streams", many, st.one_of(mutated(st.just(CHUNKS)).filter(_listed), some), check)


def _listed(value: Any) -> bool:
    return isinstance(value, list)


arguments: st.SearchStrategy[Json] = st.one_of(
    st.just({}),
    st.just({"by": 1}),
    st.dictionaries(st.sampled_from(("by", "counter", "namespace", "causes", "")), anything, max_size=3),
    mutated(
        st.just(
            {
                "summary": "it is low",
                "causes": [
                    {"component": "Counter/ns/main", "fault": "F1", "root_cause": "low", "evidence": ["e1"]}
                ],
                "options": [
                    {"label": "raise", "action": "patch", "target": "Counter/ns/main", "tool": "bump"}
                ],
                "missing": ["x"],
            }
        )
    ).filter(lambda value: isinstance(value, dict)),
)


def kept(args: Json) -> Json:
    """As an endpoint's answer would bring it: what cannot be kept goes back to the model by its own door."""
    body = {**MESSAGE, "tool_calls": [{**CALL, "function": {"name": "x", "arguments": json.dumps(args)}}]}
    (call,) = whole({"choices": [{"message": body}]}).calls
    return call.args


made = st.builds(
    ModelCall,
    id=st.sampled_from(("x", "x", "", "y" * 300)),
    tool=st.one_of(
        st.sampled_from(("look", "look", "bump", CONCLUDE, CONCLUDE, "nothing", "")), st.text(max_size=9)
    ),
    args=arguments.map(kept),
    problem=st.sampled_from(("", "", "", "the arguments are not valid JSON")),
)
replies = st.lists(
    st.builds(
        Reply,
        text=st.one_of(st.just(""), st.text(max_size=40), st.just("«data» x «/data»" * 500)),
        calls=st.lists(made, max_size=4).map(tuple),
        usage=st.builds(Usage, prompt=st.integers(0, 10**9), completion=st.integers(0, 10**9)),
        finish=st.sampled_from(("stop", "calls", "length", "refusal")),
    ),
    max_size=6,
)


@each_amount
def test_a_run_with_any_replies_ends_in_a_conclusion_an_answer_or_a_card(many: bool, tmp_path: Path) -> None:
    number = iter(range(10**6))

    async def run(played: list[Reply], mode: str) -> None:
        folder = tmp_path / str(next(number))
        folder.mkdir(mode=0o700)
        # Whatever fails is answered for by the fallback, which concludes.
        end = Reply(calls=(ModelCall(id="e", tool=CONCLUDE, args={"summary": "unknown"}),), finish="calls")
        async with stage(folder, scripted(*played), scripted(*[end] * 40), rounds=12, calls_hard=9) as s:
            kinds = await s.ask("why?", mode)
            if await s.engine.waiting():
                assert "Requested" in kinds or "requested" in kinds
                return
            state = await s.engine.state()
            assert {kind.lower() for kind in kinds} & {"concluded", "answered"}
            assert state.conclusion is None or state.conclusion.status in ("concluded", "inconclusive")

    modes = st.sampled_from(("ask", "chat"))
    fuzzed("runs", many, st.tuples(replies, modes), lambda example: asyncio.run(run(*example)))
