"""Tools: what a signature becomes, what is injected, and what may not register."""

from typing import Annotated, Self

import pytest
from pydantic import Field

from opssquad import (
    Check,
    Handle,
    Preview,
    Ref,
    Result,
    Signal,
    Tool,
    Toolbox,
    ToolError,
    Undo,
    UsageError,
    tool,
)
from opssquad.types import Effect


class Counter(Handle):
    def __init__(self, writable: bool = True) -> None:
        self.writable = writable

    def limited(self, effect: Effect) -> Self:
        return type(self)(writable=effect == "mutate")


@tool(effect="read")
async def peek(
    counter: Counter, name: str, depth: Annotated[int, Field(description="how deep")] = 1
) -> Result:
    """Look at a counter."""
    return Result(text=f"{name} {depth} writable={counter.writable}")


def bump_tool() -> Tool:
    @tool(effect="mutate")
    async def bump(counter: Counter, by: int = 1) -> Result:
        """Raise a counter."""
        return Result(text=f"raised by {by} writable={counter.writable}")

    return bump


def complete(bump: Tool) -> Tool:
    @bump.preview
    async def _(counter: Counter, by: int) -> Preview:
        return Preview(
            command=f"bump {by}", impact=str(counter.writable), risk="low", risk_rule="counters are cheap"
        )

    @bump.undo
    def _(by: int) -> Undo:
        return Undo(note="lower it again", tool="bump", args={"by": -by})

    @bump.verify
    async def _(before: dict[str, int]) -> Check:
        return Check(outcome="better", text=f"was {before['n']}")

    @bump.observe
    def _(counter: Counter, by: int) -> dict[str, str]:
        return {"Counter//it": f"writable={counter.writable} by={by}"}

    return bump


def test_the_schema_shows_arguments_and_hides_handles() -> None:
    schema = peek.parameters()
    assert set(schema["properties"]) == {"name", "depth"}
    assert schema["required"] == ["name"]
    assert schema["properties"]["depth"]["description"] == "how deep"


async def test_a_read_gets_a_handle_that_cannot_write() -> None:
    result = await peek.run({"name": "a"}, {Counter: Counter()})
    assert result.text == "a 1 writable=False"


async def test_a_mutation_gets_a_handle_that_can_write_and_its_preview_does_not() -> None:
    bump, handles = complete(bump_tool()), {Counter: Counter()}
    preview, undo = await bump.foresee({"by": 2}, handles)
    assert (preview.impact, undo.args) == ("False", {"by": -2})
    assert (await bump.run({"by": 2}, handles)).text == "raised by 2 writable=True"
    assert (await bump.check({"by": 2}, {"n": 7}, handles)).text == "was 7"


async def test_what_a_card_rests_on_is_read_anew_by_the_tool_without_the_right_to_write() -> None:
    seen = await complete(bump_tool()).observed({"by": 2}, {Counter: Counter()})
    assert seen == {"Counter//it": "writable=False by=2"}


def test_wrong_and_unknown_arguments_are_said_with_what_it_takes() -> None:
    with pytest.raises(ToolError, match=r"name: Field required.*It takes: name, depth"):
        peek.validate({})
    with pytest.raises(ToolError, match="colour: Extra inputs"):
        peek.validate({"name": "a", "colour": "red"})


async def test_a_missing_handle_is_a_tool_error() -> None:
    with pytest.raises(ToolError, match="no Counter is connected"):
        await peek.run({"name": "a"}, {})


def test_a_mutation_without_its_roles_does_not_register() -> None:
    with pytest.raises(UsageError, match="bump.*lacks preview: add .*; undo: add .*; verify: add "):
        Toolbox([bump_tool()])
    assert "bump" in Toolbox([complete(bump_tool())])


def test_duplicates_and_unknown_names_are_said() -> None:
    with pytest.raises(UsageError, match="two tools are called 'peek'"):
        Toolbox([peek, peek])
    with pytest.raises(ToolError, match="no tool 'peak'; nearest: peek"):
        Toolbox([peek]).get("peak")


def test_a_signal_that_names_no_owner_is_answered_for_by_its_entity() -> None:
    table = Ref(kind="Table", name="public.orders")
    assert Signal(id="table.old", entity=table, text="old").owner == table
