"""Commands that look at what is on record or decide a card, over a store that another process filled."""

import asyncio
import io
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from datetime import timedelta
from pathlib import Path

import pytest

from opssquad.cli.app import run
from opssquad.events import Asked, Requested, Returned
from opssquad.store.base import ThreadRecord
from opssquad.store.sqlite import Store
from opssquad.times import wall_clock
from opssquad.types import Decision
from tests.cli.replay import NOW, recorded
from tests.samples import a_draft

CARD = "a-t-7k2m-5.1"


async def filled(state: Path) -> None:
    events = recorded("golden")
    card = next(e.approval for e in events if isinstance(e, Requested))
    card = card.model_copy(update={"expires_at": wall_clock() + timedelta(minutes=9, seconds=30)})
    asked = next(e for e in events if isinstance(e, Asked))
    async with await Store.open(state) as store:
        await store.create_thread(
            ThreadRecord(
                id="t-7k2m",
                squad="k8s",
                model="offline",
                cluster="production",
                title=asked.text,
                started_at=NOW,
                world_started_at=asked.at,
            )
        )
        lines = [a_draft(output_ref=event.call.id) for event in events if isinstance(event, Returned)]
        await store.append(*events, audit=lines)
        await store.add_approval(card)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    asyncio.run(filled(tmp_path / "state"))
    return tmp_path / "state"


def opssquad(state: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and everything that was printed."""
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        code = run(["--state", str(state), *arguments])
    return code, out.getvalue()


def test_a_waiting_card_is_listed_with_its_whole_command(state: Path) -> None:
    code, out = opssquad(state, "approvals", "list")
    assert code == 0
    assert f"{CARD}  pending" in out
    assert "cluster production · namespace authentication · thread t-7k2m" in out
    assert "$ kubectl -n authentication rollout undo deployment/auth-service \\" in out
    assert "expires in 9 min" in out


def test_a_card_is_approved_from_another_process_once(state: Path) -> None:
    code, out = opssquad(state, "approvals", "approve", CARD, "--yes")
    assert code == 0
    assert f"── approval {CARD} " in out
    assert "opssquad chat --resume t-7k2m" in out
    code, out = opssquad(state, "approvals", "refuse", CARD, "changed", "my", "mind")
    assert code == 1
    assert f"opssquad: {CARD} is approved already" in out
    assert opssquad(state, "approvals", "list")[1] == "no card waits\n"


def test_a_refusal_keeps_its_reason(state: Path) -> None:
    assert opssquad(state, "approvals", "refuse", CARD, "wrong", "cluster")[0] == 0
    out = opssquad(state, "approvals", "show", CARD)[1]
    assert "Status     refused" in out
    assert ": wrong cluster" in out


def test_an_unknown_card_names_the_nearest(state: Path) -> None:
    assert opssquad(state, "approvals", "show", "a-t-7k2m") == (
        2,
        f"opssquad: no approval 'a-t-7k2m'; nearest: {CARD}\n",
    )


def test_an_incident_shows_its_timeline(state: Path) -> None:
    assert "t-7k2m  2026-11-24 09:00 UTC · cluster production" in opssquad(state, "incident", "list")[1]
    code, out = opssquad(state, "incident", "show", "t-7k2m")
    assert code == 0
    assert "14:37 - " in out
    assert "opssquad chat --resume t-7k2m" in out


def test_decisions_are_in_the_audit_log_and_tampering_is_named(state: Path) -> None:
    opssquad(state, "approvals", "approve", CARD, "--yes")
    assert "rollback approved  production/authentication" in opssquad(state, "audit", "show")[1]
    code, out = opssquad(state, "audit", "verify")
    assert (code, "every one fits" in out) == (0, True)


def test_an_approval_by_another_is_not_overwritten(state: Path) -> None:
    async def refused() -> Decision:
        async with await Store.open(state) as store:
            card = await store.approval(CARD)
            no = Decision(
                approval=CARD, call_digest=card.call.digest, outcome="refused", by="bo", at=wall_clock()
            )
            return await store.decide(no)

    asyncio.run(refused())
    code, out = opssquad(state, "approvals", "approve", CARD, "--yes")
    assert code == 1
    assert "is refused already, by bo" in out
