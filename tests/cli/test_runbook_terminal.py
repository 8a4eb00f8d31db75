"""A runbook at a terminal: it stops at its card, is killed there, and goes on in another process."""

from pathlib import Path

from tests.cli.terminal import Terminal, run

RUN = ("runbook", "run", "crash-loop", "-n", "haul", "--set", "name=pricing", "--recording", "haul-0914")


def test_a_run_that_is_killed_at_its_card_is_taken_up_and_mends_at_most_once(tmp_path: Path) -> None:
    first = Terminal(tmp_path, *RUN)
    first.wait("y approve · n [reason] refuse")
    assert "Check the steady state, before not as expected" in first.seen
    thread = first.seen.rpartition("approval a-")[2].partition("-")[0]
    first.kill()

    again = Terminal(tmp_path, "runbook", "run", "--resume", thread)
    again.wait("y approve · n [reason] refuse")
    again.say("y", "holds again")
    again.drain()
    again.process.wait()
    assert again.process.exitstatus == 0
    # The steps before the card are behind: they are not taken again.
    assert "Check the steady state, before" not in again.seen
    assert "better: pricing is settled" in " ".join(again.seen.split())
    assert f"opssquad chat --resume {thread}" in again.seen

    told = run(tmp_path, "incident", "show", thread).stdout
    assert told.count("Done: kubectl -n haul rollout undo deployment/pricing") == 1
    assert "asked: runbook crash-loop for" in " ".join(told.split())
    over = run(tmp_path, "runbook", "run", "--resume", thread)
    assert over.returncode == 0
    assert run(tmp_path, "audit", "verify").returncode == 0


def test_a_no_at_the_terminal_changes_nothing_and_says_what_is_left(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, *RUN)
    terminal.wait("y approve · n [reason] refuse")
    terminal.say("n not during the sale", "Nothing was changed, and the steady state is broken")
    terminal.drain()
    terminal.process.wait()
    assert terminal.process.exitstatus == 3
    seen = " ".join(terminal.seen.split())
    assert "left: roll pricing back to the revision before the release" in seen
    assert "not during the sale" in seen
