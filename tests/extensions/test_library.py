"""Which tools of one's own there are, and why others are left out: one line each, and the rest work."""

from pathlib import Path

import pytest

from opssquad.errors import UsageError
from opssquad.extensions.library import all_tools, library, tools
from opssquad.extensions.settings import ToolSettings
from opssquad.extensions.sources import trust
from opssquad.settings import load
from opssquad.squad.known import spec_of
from opssquad.toolbox import Toolbox
from tests.extensions.conftest import Write

SOUND = '''
@tool(effect="read", squads=["k8s"])
def ours(service: str) -> str:
    """What our pipeline says of a service."""
    return service
'''


def test_a_tool_is_found_and_joins_the_squad_that_it_names(write: Write) -> None:
    write("pipeline.py", SOUND)
    (tool,) = tools(["ours"])
    assert (tool.source, tool.effect, tool.description) == (
        "user",
        "read",
        "What our pipeline says of a service.",
    )
    assert "ours" in spec_of("k8s").tools
    assert "ours" not in spec_of("database").tools
    assert "ours" in all_tools()


BROKEN = {
    "it needs the package 'no_such', which is not installed where opssquad is": "import no_such",
    "it is no Python: ": "def oops(:",
    "it fails when it is imported: ValueError: out of order": "raise ValueError('out of order')",
    "it fails when it is imported: SystemExit: 3": "import sys; sys.exit(3)",
    "it defines no tool": "x = 1",
    "tool 'bare' has no docstring": '@tool(effect="read")\ndef bare() -> str:\n    return ""',
    "tool loose: parameter 'x' has no type": '@tool(effect="read")\ndef loose(x):\n    """Say x."""',
    "tool 'many' takes *rest": '@tool(effect="read")\ndef many(*rest: str) -> str:\n    """Say."""',
    "tool 'Loud' is no name that models take": '@tool(effect="read")\ndef Loud() -> str:\n    """Say."""',
    "tool 'health' has the name of one of ours": '@tool(effect="read")\ndef health() -> str:\n    """Say."""',
    "joins squad 'k9', which there is not": '@tool(effect="read", squads=["k9"])\ndef a():\n    """Say."""',
    "effect must be one of": '@tool(effect="write")\ndef a() -> str:\n    """Say."""',
    "lacks preview: add a function": '@tool(effect="mutate")\ndef act() -> str:\n    """Do."""',
}


@pytest.mark.parametrize("why", BROKEN)
def test_what_is_broken_is_told_in_one_line_and_the_others_work(write: Write, why: str) -> None:
    write("sound.py", SOUND)
    file = write("wrong.py", BROKEN[why])
    (broken,) = library().broken
    said = str(broken)
    assert said.startswith(f"{file}")
    assert why in said
    assert "\n" not in said
    assert broken.line in range(4)
    assert [tool.name for tool in tools(["ours"])] == ["ours"]
    assert "ours" in spec_of("k8s").tools


def test_the_line_of_a_syntax_error_and_of_an_import_is_told(write: Write) -> None:
    write("a.py", "\n\nimport no_such")
    write("b.py", "\nx = (")
    assert [each.line for each in library().broken] == [4, 3]


def test_a_tool_that_changes_something_says_how_it_is_foreseen_taken_back_and_checked(write: Write) -> None:
    write(
        "act.py",
        '''
        @tool(effect="mutate", squads=["k8s"], irreversible="mail that was sent stays sent")
        def mail(to: str) -> str:
            """Send a mail."""
            return "sent"

        @mail.preview
        def _(to: str) -> str:
            return f"one mail to {to}"

        @mail.verify
        def _() -> bool:
            return True
    ''',
    )
    assert library().broken == ()
    assert "mail" in Toolbox(tools(["mail"]))


async def test_a_sentence_is_preview_enough_and_its_card_rests_on_it(write: Write) -> None:
    write(
        "act.py",
        '''
        state = {"n": 0}

        @tool(effect="mutate", irreversible="it counts")
        def count() -> str:
            """Count."""
            return "counted"

        @count.preview
        def _() -> str:
            return f"from {state['n']}"

        @count.verify
        def _(before: dict) -> str:
            return "who knows"

        @tool(effect="read")
        def step() -> str:
            """Step."""
            state["n"] += 1
            return "ok"
    ''',
    )
    count, step = tools(["count", "step"])
    preview, undo = await count.foresee({}, {})
    assert (preview.impact, preview.risk, preview.command) == ("from 0", "medium", "count()")
    assert undo.note == "It cannot be undone: it counts"
    assert await count.observed({}, {}) == preview.binding
    await step.run({}, {})
    assert await count.observed({}, {}) != preview.binding
    assert (await count.check({}, {}, {})).outcome == "unknown"


def test_two_of_one_name_leave_the_second_out(write: Write) -> None:
    first = write("a.py", SOUND)
    write("b.py", SOUND)
    assert [str(each).partition(": ")[2] for each in library().broken] == [
        f"tool 'ours' is there already, in {first}; rename one"
    ]


def test_files_share_helpers_and_are_read_anew_when_they_change(write: Write) -> None:
    write("_common.py", "WORD = 'one'")
    body = '@tool(effect="read")\ndef a() -> str:\n    """Say."""\n    return WORD\na.description = WORD'
    file = write("a.py", f"from ._common import WORD\n{body}")
    assert tools(["a"])[0].description == "one"
    write("_common.py", "WORD = 'another'")
    assert tools(["a"])[0].description == "another"
    file.unlink()
    with pytest.raises(UsageError, match="no tool 'a'"):
        tools(["a"])


def test_an_unknown_name_is_told_the_nearest_of_ours_and_of_ones_own(write: Write) -> None:
    write("pipeline.py", SOUND)
    with pytest.raises(UsageError, match="no tool 'our'; there is: ours"):
        tools(["our"])


def test_a_project_counts_once_it_is_trusted(own: Path, tmp_path: Path) -> None:
    project = tmp_path / "work" / "opssquad"
    (project / "tools").mkdir(parents=True)
    (project / "tools" / "theirs.py").write_text(f"raise SystemExit\n{SOUND}")
    (broken,) = library().broken
    assert f"opssquad tool trust {project}" in str(broken)
    (project / "tools" / "theirs.py").write_text(f"from opssquad import tool\n{SOUND}")
    trust(load().state, Path("opssquad"))
    assert library().broken == ()
    assert tools(["ours"])[0].source == "project"


def test_a_list_of_trusted_folders_that_cannot_be_read_is_said(own: Path, tmp_path: Path) -> None:
    (tmp_path / "work" / "opssquad" / "tools").mkdir(parents=True)
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "trusted.json").write_text("{")
    with pytest.raises(UsageError, match=r"trusted\.json cannot be read: .*; delete it"):
        library()


def test_the_entry_points_of_installed_packages_are_tools_too(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    info = site / "acme_ops-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "acme_ops.py").write_text(f"from opssquad import tool\n{SOUND}")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-ops\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[opssquad.tools]\nacme = acme_ops\n")
    monkeypatch.syspath_prepend(str(site))
    (own / "tools" / "stamp.py").write_text(f"from opssquad import tool\n{SOUND.replace('ours', 'another')}")
    assert tools(["ours"])[0].source == "package acme-ops"


def test_settings_are_a_handle_and_no_argument(write: Write) -> None:
    write(
        "api.py",
        '''
        from pydantic import SecretStr
        from opssquad import ToolSettings

        class Api(ToolSettings):
            url: str
            token: SecretStr

        @tool(effect="read")
        def ask(api: Api, service: str) -> str:
            """Ask our API."""
            return f"{api.url} {service}"
    ''',
    )
    (tool,) = tools(["ask"])
    assert list(tool.args.model_fields) == ["service"]
    assert issubclass(tool.act.handles["api"], ToolSettings)
