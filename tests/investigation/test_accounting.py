"""The tool `differential`: what a model is told of the ranking, at the end of an investigation of its own."""

from pathlib import Path

import pytest

from opssquad import content
from opssquad.events import Returned
from opssquad.investigation import Investigation, Options

SCRIPT = """
replies:
  - calls:
      - {tool: health, args: {namespace: authentication}}
      - {tool: changes, args: {namespace: authentication}}
  - calls: [{tool: differential, args: {fault: "FAULT"}}]
  - text: That is what fits.
"""


async def told(folder: Path, fault: str) -> tuple[str, str]:
    """How the call ended and its text, after health and changes of a release that crashes."""
    script = folder / "script.yaml"
    script.write_text(SCRIPT.replace("FAULT", fault))
    options = Options(
        state=folder,
        by="ada",
        recording=content.recordings()["auth-0308"],
        model=f"scripted:{script}",
        mode="chat",
    )
    async with await Investigation.open(options) as run:
        events = [e async for e in run.ask("what fits?")]
    result = next(e.result for e in events if isinstance(e, Returned) and e.call.tool == "differential")
    return result.status, result.text


async def test_it_ranks_the_faults_with_what_spoke_for_them_and_what_would_tell_more(tmp_path: Path) -> None:
    status, text = await told(tmp_path, "")
    lines = text.splitlines()
    assert status == "ok"
    assert lines[0].startswith("K01 a release crashes at start at Deployment/authentication/auth-service: ")
    assert any(
        line.startswith("  for: auth-service revision 3 rolled out") and "[e" in line for line in lines
    )
    assert any(line.startswith("  would tell more: logs") for line in lines)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("K05", "nothing opened it. It wants one of:"),
        ("K24", "off the list: container.crash_loop: must not be seen, and was"),
    ],
)
async def test_it_says_why_a_fault_is_not_on_the_list(tmp_path: Path, fault: str, says: str) -> None:
    assert says in (await told(tmp_path, fault))[1]


async def test_a_fault_that_there_is_not_is_answered_with_the_nearest(tmp_path: Path) -> None:
    status, text = await told(tmp_path, "K1")
    assert status == "error"
    assert text.startswith("no fault 'K1'; there is: ")
