"""What a conversation's looks leave for the next one, and what they must not."""

from datetime import timedelta
from pathlib import Path

from opssquad import content
from opssquad.evals.playing import options_like
from opssquad.events import Answered, Event, Requested, Returned
from opssquad.investigation import Investigation, Options
from opssquad.observations import Observation
from opssquad.store.sqlite import Store
from opssquad.toolbox import History
from opssquad.worlds.kube.identity import SKEW, observed_as
from opssquad.worlds.kube.serve import open_recording
from tests.tools.lived import lived

GOLDEN = content.recordings()["auth-0308"]


async def said(run: Investigation, text: str) -> list[Event]:
    return [e async for e in run.ask(text)]


def answered(events: list[Event]) -> str:
    return next(e.answer.text for e in events if isinstance(e, Answered))


async def spaces(state: Path) -> set[str]:
    async with await Store.open(state) as store:
        return {each.cluster for each in await store.all_stretches()}


async def test_a_question_about_the_previous_revision_is_answered_and_can_be_cited(tmp_path: Path) -> None:
    options = Options(state=tmp_path, by="ada", recording=GOLDEN, mode="chat")
    async with await Investigation.open(options) as run:
        await said(run, "logins fail at auth-service, can you check the pods?")
        before = answered(await said(run, "did the previous revision ever restart?"))
        events = await said(run, "roll it back")
        (card,) = [e.approval for e in events if isinstance(e, Requested)]
        await run.decide(card.id, "approved", by="ada")
        assert [e async for e in run.resume()]
        events = await said(run, "did the previous revision ever restart?")
        (result,) = [e.result for e in events if isinstance(e, Returned)]
    assert "2 [the one before] not known: no look at it is kept" in before
    assert "3 [the one before] did not run well: " in answered(events)
    assert "exit code 1 (Error)" in answered(events)
    signal = next(each for each in result.signals if each.data["revision"] == 3)
    assert (signal.id, result.status) == ("revision.unsteady", "ok")


async def test_each_conversation_about_a_recording_has_a_history_of_its_own(tmp_path: Path) -> None:
    options = Options(state=tmp_path, by="ada", recording=GOLDEN, mode="chat")
    threads = []
    for _ in range(2):
        async with await Investigation.open(options) as run:
            await said(run, "logins fail at auth-service, can you check the pods?")
            threads.append(run.thread)
    assert await spaces(tmp_path) == {f"recording=auth-0308 thread={each}" for each in threads}


async def test_a_run_of_a_suite_keeps_nothing(tmp_path: Path) -> None:
    async with open_recording(GOLDEN) as served:
        options = options_like(
            tmp_path / "state", served.kubeconfig, "k8s", "offline", sampling={}, tape=None, replay=False
        )
        async with await Investigation.open(options) as run:
            await said(run, "logins fail, why?")
    assert await spaces(tmp_path / "state") == set()


async def test_conversations_about_one_cluster_share_what_they_have_seen(tmp_path: Path) -> None:
    async with open_recording(GOLDEN) as served:
        options = Options(state=tmp_path, by="ada", kubeconfig=served.kubeconfig, mode="chat")
        for _ in range(2):
            async with await Investigation.open(options) as run:
                await said(run, "logins fail at auth-service, can you check the pods?")
    (space,) = await spaces(tmp_path)
    assert space.startswith("uid=")
    # Its clock stands in another year than ours, so it is a recording, whatever cluster it was made of.
    assert space.endswith(f" served at {served.url}")


async def test_a_cluster_is_told_from_its_recording_by_its_clock(tmp_path: Path) -> None:
    async with lived(tmp_path) as s:
        name = await s.who()
        assert await observed_as(s.cluster, s.cluster.now) == name
        assert await observed_as(s.cluster, lambda: s.cluster.now() - SKEW * 2) != name
        assert await observed_as(s.cluster, lambda: s.cluster.now() + SKEW * 2) != name


async def test_what_is_later_than_now_was_seen_in_another_world(tmp_path: Path) -> None:
    async with lived(tmp_path) as s:
        await s.look()
        (stretch,) = await s.kept()
        history = s.handles[History]
        assert isinstance(history, History)
        assert list(await history.of(stretch.uid)) == [stretch]
    # The same recording served anew begins where the first did, a moment before that look.
    async with lived(tmp_path) as s:
        fields = stretch.model_dump(exclude={"begun", "ended", "looks", "gap", "revision"})
        later = Observation(**fields, revision="later", at=s.cluster.now() + timedelta(days=1))
        await s.store.note(await s.who(), "production", [later])
        history = s.handles[History]
        assert isinstance(history, History)
        assert "later" in {each.revision for each in await s.kept()}
        assert "later" not in {each.revision for each in await history.of(stretch.uid)}
