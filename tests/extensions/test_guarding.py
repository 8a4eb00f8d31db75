"""Whatever a tool of one's own does, it ends as a result or as one line, and nothing else stops for it."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import pytest

from opssquad.errors import ToolError
from opssquad.extensions import stepping
from opssquad.extensions.guarding import MOST
from opssquad.extensions.library import tools
from opssquad.findings import Result
from tests.extensions.conftest import Write


async def ran(write: Write, body: str, returns: str = "str", head: str = "") -> Result:
    """What a read of that body comes to."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    write("mine.py", f'{head}\n@tool(effect="read")\ndef mine() -> {returns}:\n    """Say."""\n{lines}\n')
    return await tools(["mine"])[0].run({}, {})


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise KeyError('x')", "mine failed: KeyError: 'x' (mine.py:6)"),
        ("raise ValueError('two\\nlines')", "mine failed: ValueError: two lines (mine.py:6)"),
        ("import sys; sys.exit('over')", "over"),
        ("raise StopIteration", "StopIteration"),
        ("return 7", "mine returned int, and declares str; mend it in mine.py:3"),
    ],
)
async def test_what_fails_is_one_line_with_the_place(write: Write, body: str, said: str) -> None:
    with pytest.raises(ToolError) as failed:
        await ran(write, body)
    assert said in str(failed.value)
    assert "\n" not in str(failed.value)


@pytest.mark.parametrize("kind", ["def", "async def"])
async def test_async_or_not_it_is_told_alike(write: Write, kind: str) -> None:
    write("mine.py", f'@tool(effect="read")\n{kind} mine() -> str:\n    """Say."""\n    raise KeyError(1)')
    with pytest.raises(ToolError, match=r"mine failed: KeyError: 1 \(mine\.py:5\)"):
        await tools(["mine"])[0].run({}, {})


async def test_what_it_says_for_people_is_told_as_it_is(write: Write) -> None:
    with pytest.raises(ToolError, match="^no such service; try cart$"):
        await ran(write, "from opssquad import ToolError\nraise ToolError('no such service; try cart')")


async def test_what_is_printed_stays_off_our_screen_and_is_told(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    found = await ran(
        write, "import sys\nprint('to the', 'screen')\nprint('err', file=sys.stderr)\nreturn 'x'"
    )
    assert found.text == "x\nprinted:\nto the screen\nerr"
    sys.stdout.write("ours")
    out = capsys.readouterr()
    assert (out.out, out.err) == ("ours", "")


async def test_a_flood_is_cut_and_counted(write: Write) -> None:
    found = await ran(write, f"print('y' * 9000)\nreturn 'x' * {3 * MOST}")
    assert len(found.text) < MOST + 3000
    assert f"cut: it returned {3 * MOST:,} characters, {MOST:,} are kept" in found.text
    assert "7,001 characters more" in found.text


async def test_rows_models_and_nothing_are_told_and_can_be_cited(write: Write) -> None:
    head = "from pydantic import BaseModel\nclass Row(BaseModel):\n    name: str\n    size: int | None = None"
    rows = await ran(write, "return [Row(name='a', size=1), Row(name='bb')]", "list[Row]", head)
    assert rows.text.splitlines() == ["name  size", "a     1", "bb"]
    assert rows.sources[0].text == rows.text
    assert rows.data == {"rows": [{"name": "a", "size": 1}, {"name": "bb", "size": None}]}
    assert (await ran(write, "return {'a': [1, 2]}", "dict[str, list[int]]")).text == "a: 1, 2"
    assert (await ran(write, "return None", "None")).text == "nothing"


async def test_one_that_never_ends_holds_nothing_up(write: Write) -> None:
    write(
        "mine.py",
        '''
        import time
        @tool(effect="read")
        def mine() -> str:
            """Sleep."""
            time.sleep(3600)
            return ""
    ''',
    )
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await tools(["mine"])[0].run({}, {})


def test_the_process_ends_though_a_tool_does_not(own: Path) -> None:
    (own / "tools" / "mine.py").write_text(
        "import time\nfrom opssquad import tool\n@tool(effect='read')\ndef mine() -> str:\n"
        "    '''Sleep.'''\n    time.sleep(3600)\n    return ''\n"
    )
    code = (
        "import asyncio\nfrom opssquad.extensions.library import tools\n"
        "async def main():\n    try:\n        async with asyncio.timeout(0.2):\n"
        "            await tools(['mine'])[0].run({}, {})\n    except TimeoutError:\n        print('late')\n"
        "asyncio.run(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "late\n"


async def test_an_async_one_that_blocks_all_others_is_ended(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stepping, "BLOCKED", 0.2)
    write(
        "mine.py",
        '''
        import asyncio, time
        @tool(effect="read")
        async def mine(how: str) -> str:
            """Block."""
            await asyncio.sleep(0)
            if how == "await":
                await asyncio.sleep(0.5)
                return "fine"
            time.sleep(3600)
            return ""
    ''',
    )
    (tool,) = tools(["mine"])
    began = time.monotonic()
    with pytest.raises(ToolError, match="it is async and kept everything else waiting"):
        await tool.run({"how": "block"}, {})
    assert time.monotonic() - began < 60
    assert (await tool.run({"how": "await"}, {})).text == "fine"


API = '''
from pydantic import SecretStr
from opssquad import Result, ToolSettings

class Api(ToolSettings):
    section = "deploys"
    url: str
    token: SecretStr

@tool(effect="read")
def ask(api: Api, how: str) -> {returns}:
    """Ask our API."""
    token = api.token.get_secret_value()
    if how == "raise":
        raise ValueError("refused " + token)
    return {value}
'''


async def test_a_secret_of_its_settings_does_not_leave_a_tool(
    own: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEPLOY_TOKEN", "hunter2hunter2")
    (own / "tools.yaml").write_text("deploys: {url: 'http://d', token: {env: DEPLOY_TOKEN}}\n")
    for value, returns in (
        ("token", "str"),
        ("{'a': [token]}", "dict[str, list[str]]"),
        ("Result(text=token)", "Result"),
    ):
        write("api.py", API.format(value=value, returns=returns))
        found = await tools(["ask"])[0].run({"how": ""}, {})
        assert "hunter2" not in found.model_dump_json()
        assert "(a secret of its settings)" in found.text
    with pytest.raises(ToolError) as failed:
        await tools(["ask"])[0].run({"how": "raise"}, {})
    assert "refused (a secret of its settings)" in str(failed.value)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("", "tools.yaml: deploys: url: is missing"),
        (
            "deploys: {url: a, token: abc}",
            "token: a secret does not stand here; write {env: NAME} or {file: PATH}",
        ),
        ("deploys: {url: a, token: {env: NOT_SET}}", "token: the variable NOT_SET is not set"),
        ("deploys: {url: a, token: {file: /no/such}}", "token: /no/such cannot be read"),
        ("deploys: {ur: a, token: {env: HOME}}", "ur: unknown key"),
        ("deploys: {url: a, url: b}", "url"),
        ("deploys: 7", "deploys"),
    ],
)
async def test_settings_that_will_not_do_are_told_with_what_to_write(
    own: Path, write: Write, settings: str, said: str
) -> None:
    (own / "tools.yaml").write_text(settings)
    write("api.py", API.format(value="''", returns="str"))
    with pytest.raises(ToolError) as failed:
        await tools(["ask"])[0].run({"how": ""}, {})
    assert said in str(failed.value)
    assert str(own / "tools.yaml") in str(failed.value)
