"""The audit log tells a tool of one's own that is another than it was, also where it is no code."""

from pathlib import Path

from opssquad.extensions.library import tools
from opssquad.investigation.opening_audit import squad_of
from opssquad.squad.known import spec_of
from opssquad.toolbox import Toolbox
from tests.extensions.conftest import own

__all__ = ["own"]
TOOL = """
kind: command
name: queue_depth
description: How many messages wait.
effect: read
squads: [k8s]
argv: [echo, {word}]
"""


def code() -> object:
    spec = spec_of("k8s")
    return squad_of(spec, Toolbox(tools(spec.tools)), None)["code of tools"]


def test_a_declared_tool_that_changes_changes_the_line_of_its_squad(own: Path) -> None:
    without = code()
    file = own / "tools" / "queue.yaml"
    seen = []
    for word in ("one", "two", "one"):
        file.write_text(TOOL.format(word=word), encoding="utf-8")
        assert "queue_depth" in spec_of("k8s").tools
        seen.append(code())
    assert len({without, *seen}) == 3
    assert seen[0] == seen[2]
