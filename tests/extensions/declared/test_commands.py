"""Declared commands, run on real programs: arguments stay arguments, output is cited, signals quote it."""

import sys
from pathlib import Path

import pytest

from opssquad.errors import Refused, ToolError
from opssquad.worlds.command.commands import Commands
from opssquad.worlds.command.live import LiveCommands
from tests.extensions.declared.making import handles, run, secrets, tool, tools

SHOWS = """
name: shows
description: Shows its arguments, one a line.
kind: command
effect: read
parameters:
  word: {type: string}
  other: {type: string, default: OTHER}
  count: {type: integer, default: 3}
  sure: {type: boolean, default: true}
  spare: {type: string, default: null}
argv: [printf, '%s\\n', "{word}", "--other={other}", "{count}/{sure}", "{{word}}", "--spare={spare}"]
"""
HOSTILE = [
    "a b", "; rm -rf /", "$(id)", "`id`", "{other}", "{{other}}", "a&b=c", "%2e%2e/", "../../etc/passwd",
    "line\nbreak", "'\"", "*", "|", "\u202e", "é", "{", "%s", "\\n",
]  # fmt: skip
QUEUES = """
name: queues
description: Messages that wait.
kind: command
effect: read
argv: [printf, '%s', '[{{"x": 1}, {{"name": "orders", "depth": 12000}, {{"name": "bills", "depth": "3"}]']
"""


@pytest.mark.parametrize("word", HOSTILE)
async def test_an_argument_stays_one_argument_and_is_never_a_template(tmp_path: Path, word: str) -> None:
    got = await run(tool(tmp_path, SHOWS), word=word)
    assert got.text == f"{word}\n--other=OTHER\n3/true\n{{word}}".rstrip()
    assert got.sources[0].text == f"{word}\n--other=OTHER\n3/true\n{{word}}\n"


async def test_what_is_left_out_is_left_out(tmp_path: Path) -> None:
    got = await run(tool(tmp_path, SHOWS), word="x", spare="y")
    assert got.text.endswith("--spare=y")
    assert got.commands == ("printf '%s\\n' x --other=OTHER 3/true '{word}' --spare=y",)


@pytest.mark.parametrize("word", ["-rf", "--output=/etc/passwd", "-"])
async def test_an_argument_that_would_be_an_option_is_refused(tmp_path: Path, word: str) -> None:
    with pytest.raises(ToolError, match="begins with -, which printf would take for an option"):
        await run(tool(tmp_path, SHOWS), word=word)
    # It is no option after the name of one.
    assert f"--other={word}" in (await run(tool(tmp_path, SHOWS), word="x", other=word)).text
    lenient = SHOWS.replace("word: {type: string}", "word: {type: string, allow_dash: true}")
    assert (await run(tool(tmp_path, lenient), word=word)).text.startswith(word)


@pytest.mark.parametrize(
    ("parameter", "given", "said"),
    [
        ("{type: string, pattern: '[a-z]+'}", "ab\n", "pattern"),
        ("{type: string, pattern: '[a-z]+'}", "ab;", "pattern"),
        ("{type: string, enum: [north, south]}", "east", "north"),
        ("{type: integer, minimum: 1, maximum: 5}", 6, "less than or equal to 5"),
        ("{type: string}", "x" * 5000, "at most 4000"),
    ],
)
async def test_parameters_are_checked(tmp_path: Path, parameter: str, given: object, said: str) -> None:
    text = f"""
    name: shows
    description: Shows.
    kind: command
    effect: read
    parameters: {{word: {parameter}}}
    argv: [echo, "{{word}}"]
    """
    with pytest.raises(ToolError, match=said):
        await run(tool(tmp_path, text), word=given)


def changed(text: str, **keys: str) -> str:
    return text + "".join(f"{key}: {value}\n" for key, value in keys.items())


async def test_a_list_of_objects_is_a_table_and_signals_quote_their_values(tmp_path: Path) -> None:
    text = QUEUES.replace("{{", "{") + (
        "signals:\n"
        "  - {id: queue.deep, when: {path: '[*].depth', above: 1000}, severity: critical,\n"
        "     text: 'queue {name} holds {depth}', entity: 'Queue//{name}'}\n"
        "  - {id: queue.shallow, when: {path: '[*].depth', equals: 3}, text: few, entity: 'Queue//{name}'}\n"
    )
    got = await run(tool(tmp_path, text))
    assert got.text.splitlines()[0].split() == ["x", "name", "depth"]
    deep, shallow = got.signals
    assert (deep.id, str(deep.entity), deep.text, deep.severity) == (
        "queue.deep", "Queue//orders", "queue orders holds 12000", "critical",
    )  # fmt: skip
    assert deep.quotes[0].text == "[1].depth=12000 name=orders depth=12000"
    assert str(shallow.entity) == "Queue//bills"
    assert got.data["answer"][1] == {"name": "orders", "depth": 12000}


async def test_a_path_picks_the_answer(tmp_path: Path) -> None:
    made = tool(tmp_path, changed(QUEUES.replace("{{", "{"), answer='"[1].name"'))
    assert (await run(made)).text == "orders"
    made = tool(tmp_path, changed(QUEUES.replace("{{", "{"), answer='"[9].name"'))
    with pytest.raises(ToolError, match=r"nothing at '\[9\].name'"):
        await run(made)
    made = tool(tmp_path, changed(SHOWS, answer="name"))
    with pytest.raises(ToolError, match="the output is no JSON"):
        await run(made, word="x")


async def test_lines_that_match_give_signals_with_the_line_as_quote(tmp_path: Path) -> None:
    text = SHOWS + (
        "signals:\n"
        "  - {id: word.seen, when: {regex: '^--other=(?P<found>\\w+)$'}, text: 'saw {found} in {word}',\n"
        "     entity: 'Word/{found}/{word}'}\n"
    )
    (seen,) = (await run(tool(tmp_path, text), word="w", other="north")).signals
    assert (str(seen.entity), seen.text) == ("Word/north/w", "saw north in w")
    assert seen.quotes[0].text == "--other=north"
    assert seen.data["found"] == "north"


async def test_a_program_that_fails_says_what_it_said(tmp_path: Path) -> None:
    text = """
    name: looks
    description: Looks.
    kind: command
    effect: read
    argv: [ls, /nowhere/at/all]
    """
    with pytest.raises(ToolError, match=r"ls /nowhere/at/all ended with \d: ls: .*nowhere") as told:
        await run(tool(tmp_path, text))
    assert "\n" not in str(told.value)
    assert (await run(tool(tmp_path, f"{text}codes: [0, 1, 2]\n".replace("    ", "")))).text.startswith(
        "It said"
    )


async def test_output_past_the_cap_is_told(tmp_path: Path) -> None:
    text = """
    name: floods
    description: Never ends.
    kind: command
    effect: read
    cap: 1000
    argv: ["yes"]
    """
    got = await run(tool(tmp_path, text))
    assert got.data["cut"]
    assert "It was killed after 1000 bytes of output" in got.text
    assert len(got.sources[0].text) == 1000


async def test_a_program_that_hangs_ends_at_the_deadline(tmp_path: Path) -> None:
    text = """
    name: hangs
    description: Never ends.
    kind: command
    effect: read
    deadline: 0.3
    argv: [sleep, "600"]
    """
    made = tool(tmp_path, text)
    # The call may take longer, so that it is this line that is told.
    assert made.deadline > 0.3
    with pytest.raises(ToolError, match=r"sleep did not end within 0.3 s and was killed"):
        await run(made)


async def test_a_secret_goes_into_the_environment_and_never_comes_out(tmp_path: Path) -> None:
    text = """
    name: shows
    description: Shows.
    kind: command
    effect: read
    env: {KEY: {secret: TOKEN}, REGION: "{region}"}
    parameters: {region: {type: string}}
    argv: [env]
    """
    got = await run(tool(tmp_path, text), region="north")
    assert "KEY=(a secret of its settings)" in got.text
    assert "REGION=north" in got.text
    assert secrets("TOKEN") not in got.model_dump_json()


async def test_a_read_cannot_write_though_its_program_tries(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    text = f"""
    name: writes
    description: Writes, and says that it reads.
    kind: command
    effect: read
    argv: [touch, {kept}/x]
    """
    live = LiveCommands(environ={"PATH": "/usr/bin:/bin"})
    if not live.held.abi and not live.held.wrap:
        pytest.skip("no sandbox here")
    with pytest.raises(ToolError, match="ended with 1: touch"):
        await run(tool(tmp_path, text))
    assert not list(kept.iterdir())


CHANGES = """
name: pause
description: Pause a queue.
kind: command
effect: mutate
parameters: {{queue: {{type: string, pattern: "[a-z]+"}}}}
argv: [touch, "{folder}/{{queue}}"]
writes: [{folder}]
preview: {{argv: [echo, "would pause {{queue}}"]}}
undo: {{argv: [rm, "{folder}/{{queue}}"], writes: [{folder}]}}
verify: {{argv: [ls, {folder}], reads: [{folder}], expect: {{regex: "^paused$"}}}}
"""


async def test_a_change_is_foreseen_done_verified_and_taken_back(tmp_path: Path) -> None:
    folder = tmp_path / "queues"
    folder.mkdir()
    pause, back = tools(tmp_path, CHANGES.format(folder=folder))
    args, given = {"queue": "paused"}, handles()
    preview, undo = await pause.foresee(args, given)
    assert (preview.command, preview.impact) == (f"touch {folder}/paused", "would pause paused")
    assert (preview.risk, preview.before) == ("medium", {"held": False})
    assert f"ls {folder}: a line of it matches ^paused$" in preview.verify_plan
    assert (undo.tool, undo.args, undo.command) == ("pause_undo", args, f"rm {folder}/paused")
    assert not list(folder.iterdir())
    assert (await pause.observed(args, given)) == preview.binding
    assert (await pause.check(args, preview.before, given)).outcome == "same"
    await pause.run(args, given)
    assert (folder / "paused").exists()
    checked = await pause.check(args, preview.before, given)
    assert (checked.outcome, checked.quotes[0].text) == ("better", "paused")
    again, _ = await pause.foresee(args, given)
    assert (await pause.check(args, again.before, given)).outcome == "same"
    before, forth = await back.foresee(args, given)
    assert (forth.tool, before.before) == ("pause", {"held": False})
    await back.run(args, given)
    assert (await back.check(args, before.before, given)).outcome == "better"
    assert not list(folder.iterdir())


async def test_a_preview_that_differs_voids_the_approval(tmp_path: Path) -> None:
    folder = tmp_path / "queues"
    folder.mkdir()
    shows = 'preview: {{argv: [ls, "{folder}"], reads: [{folder}]}}'
    text = CHANGES.replace('preview: {{argv: [echo, "would pause {{queue}}"]}}', shows)
    pause = tool(tmp_path, text.format(folder=folder))
    preview, _ = await pause.foresee({"queue": "a"}, handles())
    (folder / "other").touch()
    assert await pause.observed({"queue": "a"}, handles()) != preview.binding


async def test_what_helps_later_is_waited_for(tmp_path: Path) -> None:
    folder = tmp_path / "queues"
    folder.mkdir()
    text = CHANGES.replace("expect:", "within: 30, expect:").replace(
        'argv: [touch, "{folder}/{{queue}}"]', f'argv: [{sys.executable}, -c, "", "{{{{queue}}}}"]'
    )
    pause = tool(tmp_path, text.format(folder=folder))
    import asyncio

    check = asyncio.create_task(pause.check({"queue": "a"}, {"held": False}, handles()))
    await asyncio.sleep(0.3)
    assert not check.done()
    (folder / "paused").touch()
    assert (await check).outcome == "better"


async def test_the_preview_of_a_change_gets_no_hand_that_writes(tmp_path: Path) -> None:
    commands = Commands(LiveCommands(environ={"PATH": "/usr/bin:/bin"})).limited("read")
    folder = tmp_path / "queues"
    folder.mkdir()
    pause = tool(tmp_path, CHANGES.format(folder=folder))
    with pytest.raises(Refused):
        await pause.run({"queue": "a"}, {Commands: commands})
