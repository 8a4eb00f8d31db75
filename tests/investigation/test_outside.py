"""The handles of tools from outside: live ones keep to policy, those of a recording reach nothing."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from opssquad import content
from opssquad.errors import ToolError
from opssquad.investigation.options import Options
from opssquad.investigation.outside import outside
from opssquad.worlds.command.commands import Commands
from opssquad.worlds.http.client import Http


def handles(options: Options) -> tuple[Commands, Http]:
    # Nothing is started before a tool is called, so there is nothing to close.
    found = outside(options, AsyncExitStack())
    commands, http = found[Commands], found[Http]
    assert isinstance(commands, Commands)
    assert isinstance(http, Http)
    return commands, http


async def test_live_programs_run_and_requests_ask_policy(tmp_path: Path) -> None:
    commands, http = handles(Options(state=tmp_path, by="kim"))
    assert (await commands.run(["echo", "here"])).out == "here\n"
    with pytest.raises(ToolError, match="is not asked: policy: .*metadata"):
        await http.get("http://169.254.169.254/latest/meta-data")


async def test_in_a_recording_nothing_is_run_and_nobody_is_called(tmp_path: Path) -> None:
    recording = next(iter(content.recordings().values()))
    commands, http = handles(Options(state=tmp_path, by="kim", recording=recording))
    with pytest.raises(ToolError, match="not recorded: echo here; this recording has no programs"):
        await commands.run(["echo", "here"])
    with pytest.raises(ToolError, match="not recorded: GET .*; this recording has no requests"):
        await http.get("http://127.0.0.1:9/")
