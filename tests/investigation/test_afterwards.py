"""What a card rests on, and what is said after the fix: that it holds, from what the tools read then."""

from pathlib import Path

import pytest

from opssquad import content
from opssquad.events import Concluded, Event, Requested, Warned
from opssquad.investigation import Investigation, Options

RECORDINGS = content.recordings()


async def said(run: Investigation, text: str) -> list[Event]:
    return [e async for e in run.ask(text)]


async def fixed(run: Investigation, complaint: str) -> list[Event]:
    """Ask why, take the first option, approve it; the events of the act."""
    await said(run, complaint)
    (card,) = [e.approval for e in await said(run, "1") if isinstance(e, Requested)]
    await run.decide(card.id, "approved", by="ada")
    return [e async for e in run.resume()]


async def test_a_card_tells_alike_reasons_once_with_their_number(tmp_path: Path) -> None:
    options = Options(state=tmp_path, by="ada", recording=RECORDINGS["auth-0308"], mode="chat")
    async with await Investigation.open(options) as run:
        await said(run, "why do logins fail?")
        (card,) = [e.approval for e in await said(run, "1") if isinstance(e, Requested)]
        assert card.why.count("exits with code 1") == 1, "three pods of one workload crash alike"
        assert "(+2 alike)" in card.why
        assert card.evidence


@pytest.mark.parametrize(
    ("id", "complaint"),
    [("media-0702", "play is broken, why?"), ("auth-0308", "why do logins fail?")],
)
async def test_after_a_fix_that_helped_there_is_no_fault_and_the_evidence_for_that_stands(
    tmp_path: Path, id: str, complaint: str
) -> None:
    options = Options(state=tmp_path, by="ada", recording=RECORDINGS[id], mode="chat")
    async with await Investigation.open(options) as run:
        await fixed(run, complaint)
        events = await said(run, "are we good?")
        (conclusion,) = [e.conclusion for e in events if isinstance(e, Concluded)]
        assert (conclusion.status, conclusion.no_fault) == ("concluded", True)
        assert not [e for e in events if isinstance(e, Warned)]
        for evidence in (e for c in conclusion.causes for f in c.findings for e in f.evidence):
            whole = (await run.evidence(evidence.id))[1]
            assert evidence.text in whole, "a citation stands in what was read"
