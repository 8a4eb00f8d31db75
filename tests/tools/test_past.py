"""What is known of a revision whose pods are gone, in a recorded cluster that lives on for days."""

from datetime import timedelta
from pathlib import Path

from tools.rollback import rollback_check
from tools.workload import workload

from opssquad import Cluster, Result
from opssquad.executor import cited
from opssquad.findings import place
from opssquad.toolbox import History
from tests.tools.lived import AUTH, Lived, lived

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


async def replaced(s: Lived) -> None:
    """The bad release comes again, so that the good one is the one before, and its pods are gone."""
    await s.to(3)
    await s.look()


def line(result: Result, number: int) -> str:
    return next(each for each in result.text.splitlines() if each.startswith(f"{number:>3} [the one before]"))


async def test_a_revision_that_was_watched_for_five_days_without_a_restart_counts_as_stable(
    tmp_path: Path,
) -> None:
    async with lived(tmp_path) as s:
        before, _ = await s.check()
        assert before["stability"]["outcome"] == "unknown"
        assert (await s.card()).risk_rule.startswith("the stability of the old revision is unknown")
        await s.to(2)
        await s.looks(5 * DAY, HOUR)
        await replaced(s)
        checks, result = await s.check()
        card, history = await s.card(), await s.history()
    assert checks["stability"]["outcome"] == "ok"
    assert "2026-03-08 14:37 to 2026-03-13 14:40 (5 d), 0 restarts" in checks["stability"]["text"]
    # A migration that the application runs itself is not seen by looks at pods.
    assert checks["migrations"]["outcome"] == "unknown"
    assert result.data["verdict"] == "unknown"
    assert card.risk == "medium"
    assert card.risk_rule.startswith("the old revision is known to run well; no pod is ready now")
    assert "ran well: healthy from 2026-03-08 14:37" in line(history, 4)


async def test_what_is_known_can_be_cited(tmp_path: Path) -> None:
    async with lived(tmp_path) as s:
        await s.to(2)
        await s.looks(2 * HOUR, MINUTE)
        await replaced(s)
        _, result = await s.check()
    assert cited(rollback_check, result) == result
    (signal,) = result.signals
    assert (signal.id, signal.severity) == ("revision.steady", "info")
    (quote,) = signal.quotes
    (source,) = (each for each in result.sources if each.locator == quote.locator)
    assert "120 looks, at most 1 min apart: revision 4: 3 of 3 ready, 0 restarts" in source.text
    assert place(quote.locator) == ("what was seen of Deployment authentication/auth-service, revision 4")


async def test_restarts_that_were_seen_speak_against_a_revision_though_its_pods_are_gone(
    tmp_path: Path,
) -> None:
    async with lived(tmp_path) as s:
        await s.look()
        await s.to(2)
        await s.look()
        result = await s.history()
    assert "did not run well: 41 restarts of its pods seen" in line(result, 3)
    assert "exit code 1 (Error)" in line(result, 3)


async def test_a_rollback_to_a_revision_that_restarted_is_risky_and_its_card_says_so(tmp_path: Path) -> None:
    async with lived(tmp_path) as s:
        await s.look()
        await s.to(2)
        checks, result = await s.check()
        card = await s.card()
    assert checks["stability"]["outcome"] == "risk"
    assert result.data["verdict"] == "risky"
    assert (card.risk, card.risk_rule) == ("high", "a rollback check speaks against it: stability")
    assert [each.id for each in result.signals] == ["revision.unsteady"]


async def test_few_looks_are_enough_where_the_same_pods_lived_through_them(tmp_path: Path) -> None:
    async with lived(tmp_path) as s:
        await s.to(2)
        await s.look()
        s.pass_(4 * DAY + MINUTE, DAY + MINUTE / 4)
        await s.look()
        await replaced(s)
        checks, _ = await s.check()
    assert checks["stability"]["outcome"] == "ok"
    assert "at most 4 d apart, with the same pods before and after" in checks["stability"]["text"]


async def test_pods_that_changed_between_two_looks_leave_a_gap_and_only_what_came_after_it_counts(
    tmp_path: Path,
) -> None:
    async with lived(tmp_path) as s:
        await s.to(2)
        await s.looks(DAY, HOUR)
        for pod in await s.cluster.list("Pod", "authentication", labels="app=auth-service"):
            await s.cluster.delete("Pod", pod["metadata"]["name"], "authentication")
        s.pass_(20 * MINUTE)
        s.pass_(DAY, HOUR)
        await s.looks(20 * MINUTE, MINUTE)
        first = await s.history()
    text = [each for each in first.text.splitlines() if each.startswith("  4 [current]")][-1]
    assert "ran well" in text
    assert "before that 1 d" in text
    assert "in which its pods changed unseen" in text
    assert "2026-03-09 14:4" in text.partition(" to ")[0]


async def test_a_revision_that_nobody_looked_at_in_its_last_days_is_not_known(tmp_path: Path) -> None:
    async with lived(tmp_path) as s:
        await s.to(2)
        await s.looks(2 * DAY, HOUR)
        s.pass_(3 * DAY, DAY)
        await replaced(s)
        checks, _ = await s.check()
    assert checks["stability"]["outcome"] == "unknown"
    assert "not looked at for the 3 d" in checks["stability"]["text"]


async def test_half_an_hour_proves_nothing(tmp_path: Path) -> None:
    async with lived(tmp_path) as s:
        await s.to(2)
        await s.looks(30 * MINUTE, MINUTE)
        await replaced(s)
        checks, _ = await s.check()
    assert checks["stability"]["outcome"] == "unknown"
    assert "less than 1 h proves nothing" in checks["stability"]["text"]


async def test_of_a_revision_that_was_never_looked_at_nothing_is_known(tmp_path: Path) -> None:
    async with lived(tmp_path) as s:
        result = await s.history()
    assert line(result, 2) == (
        "  2 [the one before] not known: no look at it is kept, and a cluster keeps no record of pods that"
        " are gone"
    )


async def test_a_cluster_that_was_replaced_starts_with_nothing_known(tmp_path: Path) -> None:
    async with lived(tmp_path) as s:
        await s.to(2)
        await s.looks(2 * HOUR, MINUTE)
        await replaced(s)
        s.name = "uid=another"
        checks, _ = await s.check()
        assert checks["stability"]["outcome"] == "unknown"
        s.name = ""
        checks, _ = await s.check()
    assert checks["stability"]["outcome"] == "ok"


async def made_anew(s: Lived) -> str:
    """Delete the workload and make it again as it was; gives the uid of the new one."""
    old = await s.cluster.get("Deployment", "auth-service", "authentication")
    await s.cluster.delete("Deployment", "auth-service", "authentication")
    s.pass_(2 * MINUTE)
    meta = {key: value for key, value in old["metadata"].items() if key in {"name", "labels"}}
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": old["spec"]}
    new = await s.cluster.create("Deployment", body, "authentication")
    s.pass_(3 * MINUTE)
    return str(new["metadata"]["uid"])


async def test_a_workload_that_was_deleted_and_made_anew_inherits_nothing(tmp_path: Path) -> None:
    async with lived(tmp_path) as s:
        await s.to(2)
        first = await made_anew(s)
        await s.looks(2 * HOUR, MINUTE)
        second = await made_anew(s)
        await s.look()
        result = await s.history()
        name = await s.who()
        old, new = await s.store.stretches(name, first), await s.store.stretches(name, second)
    # The same template under the same name, and none of the hours of the old one count.
    assert sum(each.looks for each in old) == 120
    assert sum(each.looks for each in new) == 2
    assert "  1 [current] not known" in result.text


async def test_looks_of_the_usual_tools_are_kept_too(tmp_path: Path) -> None:
    async with lived(tmp_path) as s:
        await workload.run({"name": "auth-service", "namespace": "authentication"}, s.handles)
        (stretch,) = await s.kept()
    assert (stretch.number, stretch.desired, stretch.ready, stretch.restarts) == (3, 3, 0, 41)


async def test_without_a_place_to_keep_looks_the_tools_answer_as_ever(tmp_path: Path) -> None:
    async with lived(tmp_path) as s:
        for handles in ({Cluster: s.cluster}, {Cluster: s.cluster, History: History()}):
            result = await rollback_check.run(AUTH, handles)
            assert result.data["verdict"] == "unknown"
            assert result.signals == ()
        assert await s.store.all_stretches() == []
