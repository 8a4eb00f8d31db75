"""A process is killed at any line of thinking, judging, acting, checking and recording; another goes on."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from opssquad.events import Returned
from opssquad.findings import ToolResult
from tests.crash import scene
from tests.crash.judging import wrong
from tests.crash.points import SOURCE, Point, after, chosen

SOME = 16
FEW = 0.05
"""Of the points, so many may not be reached: how often a line runs is not the same in every run."""


def killed(*arguments: str) -> list[dict[str, Any]]:
    """Run the list, or some of it, in a process of its own: it forks, and has no threads."""
    command = [sys.executable, "-m", "tests.crash", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def judged(told: list[dict[str, Any]], at_least: int) -> None:
    *lines, end = told
    sys.stderr.write(f"\n{json.dumps([line for line in lines if 'play' in line])} {json.dumps(end)}\n")
    assert [line for line in lines if "wrong" in line] == []
    assert end["tried"] >= at_least
    assert end["missed"] <= FEW * end["tried"]


def test_killed_at_points_all_over_a_run_nothing_is_done_twice_or_lost() -> None:
    judged(killed(str(SOME)), SOME)


@pytest.mark.long
def test_killed_at_every_line_of_a_run_nothing_is_done_twice_or_lost() -> None:
    told = killed()
    lines = max(line["lines"] for line in told if "lines" in line)
    judged(told, sum(line.get("points", 0) for line in told))
    assert lines > 800, "fewer lines than these would mean that the list misses a module"


def test_of_the_lines_between_two_changes_of_the_files_the_last_one_is_a_point() -> None:
    file, empty, full = str(SOURCE / "executor.py"), (("/s/worlds", "t", 0, 0),), (("/s/worlds", "t", 9, 1),)
    hits = [
        (file, 7, empty),
        (file, 7, empty),
        (file, 7, full),
        (file, 7, full),
        (file, 7, full),
        (file, 9, full),
    ]
    assert chosen(hits) == [Point("executor.py", 7, 2), Point("executor.py", 9, 1)]
    assert after(hits, "worlds") == Point("executor.py", 7, 3)


async def test_the_judge_finds_a_change_made_twice_and_an_end_that_is_lost_or_invented(
    tmp_path: Path,
) -> None:
    await scene.ask(tmp_path / "state")
    await scene.choose(tmp_path / "state")
    await scene.take_up(tmp_path / "state")
    good = await scene.left(tmp_path / "state")
    assert wrong(good, good, asking=False) == []
    (call,) = good.ledger
    twice = good.model_copy(update={"patches": 2})
    assert "the change was made 2 times" in wrong(good, twice, asking=False)
    never = good.model_copy(update={"patches": 0})
    assert "the world lost a change" in wrong(good, never, asking=False)
    died = good.model_copy(update={"ledger": {call: None}})
    assert f"{call} had no end when the process died, and is ok now" in wrong(died, good, asking=False)
    silent = good.model_copy(
        update={
            "events": tuple(e for e in good.events if not (isinstance(e, Returned) and e.call.id == call))
        }
    )
    assert any(
        "told as called judged requested decided started verified" in said
        for said in wrong(good, silent, asking=False)
    )
    unknown = good.model_copy(update={"ledger": {call: ToolResult(call=call, status="unknown", text="?")}})
    assert "nobody is told that the end of the change is unknown" in wrong(unknown, unknown, asking=False)
