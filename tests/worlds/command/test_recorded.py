"""Programs that were recorded."""

from pathlib import Path

import pytest

from opssquad.documents import BadFile
from opssquad.errors import ToolError
from opssquad.worlds.command.commands import Commands
from opssquad.worlds.command.recorded import RecordedCommands

TOLD = """
- argv: [queuectl, depth, orders]
  out: "12000\\n"
  ms: 41.5
- argv: [queuectl, depth, bills]
  code: 3
  err: "no such queue\\n"
- argv: [queuectl, depth, orders]
  out: "3\\n"
  after: [queuectl, drain, orders]
- argv: [queuectl, drain, orders]
"""


@pytest.fixture
def commands(tmp_path: Path) -> Commands:
    (tmp_path / "commands").mkdir()
    (tmp_path / "commands" / "commands.yaml").write_text(TOLD)
    return Commands(RecordedCommands(tmp_path))


async def test_exact_arguments_are_answered(commands: Commands) -> None:
    ran = await commands.run(["queuectl", "depth", "bills"])
    assert (ran.code, ran.out, ran.err) == (3, "", "no such queue\n")
    assert "nothing was run" in ran.sandbox


async def test_what_a_program_changed_shows_after_it(commands: Commands) -> None:
    assert (await commands.run(["queuectl", "depth", "orders"])).out == "12000\n"
    assert (await commands.run(["queuectl", "depth", "orders"])).out == "12000\n"
    await commands.run(["queuectl", "drain", "orders"])
    assert (await commands.run(["queuectl", "depth", "orders"])).out == "3\n"


async def test_what_was_not_recorded_says_so_with_the_nearest(commands: Commands) -> None:
    with pytest.raises(ToolError, match="not recorded: queuectl depth bill; the nearest .* depth bills"):
        await commands.run(["queuectl", "depth", "bill"])


async def test_the_cap_holds_for_recorded_output(commands: Commands) -> None:
    ran = await commands.run(["queuectl", "depth", "orders"], cap=3)
    assert (ran.out, ran.cut) == ("120", True)


async def test_a_recording_without_programs_says_so(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="this recording has no programs"):
        await Commands(RecordedCommands(tmp_path)).run(["ls"])


async def test_two_answers_to_one_are_refused(tmp_path: Path) -> None:
    (tmp_path / "commands").mkdir()
    (tmp_path / "commands" / "commands.yaml").write_text("- argv: [ls]\n- argv: [ls]\n  out: x\n")
    with pytest.raises(BadFile, match="line 2: ls stands twice"):
        RecordedCommands(tmp_path)


async def test_a_key_that_is_none_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "commands").mkdir()
    (tmp_path / "commands" / "commands.yaml").write_text("- argv: [ls]\n  output: x\n")
    with pytest.raises(BadFile, match="line 2.*did you mean 'out'"):
        RecordedCommands(tmp_path)
