"""The model that plays what was written down."""

from pathlib import Path

import pytest

from opssquad.errors import ModelBadReply, UsageError
from opssquad.models.base import Case, Request
from opssquad.models.scripted import Scripted
from tests.models.test_chat import Ear

ASKED = Request(system="", messages=(), tools=(), case=Case())
SCRIPT = """
replies:
  - text: let me look
    calls: [{tool: health, args: {namespace: shop}}]
  - text: all well
"""


async def test_a_script_is_played_in_order_and_then_is_over(tmp_path: Path) -> None:
    path = tmp_path / "script.yaml"
    path.write_text(SCRIPT)
    model, ear = Scripted.load(path), Ear()
    first, second = await model.reply(ASKED, ear), await model.reply(ASKED, ear)
    assert [(c.tool, c.args) for c in first.calls] == [("health", {"namespace": "shop"})]
    assert (first.finish, second.finish, second.text) == ("calls", "stop", "all well")
    assert ear.pieces == ["let me look", "all well"]
    with pytest.raises(ModelBadReply, match=r"script.yaml is over after 2 replies"):
        await model.reply(ASKED, ear)


def test_a_script_that_is_none_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "script.yaml"
    path.write_text("replies: [{txt: hello}]")
    with pytest.raises(
        UsageError, match=r"script.yaml, line 1: replies.0.txt: unknown key; did you mean 'text'"
    ):
        Scripted.load(path)
