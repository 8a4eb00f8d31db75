"""A policy that is rewritten while a conversation is open."""

from datetime import UTC, datetime
from pathlib import Path

from opssquad.gate.in_force import InForce
from opssquad.gate.policy import Policy
from tests.samples import a_call

NOON = datetime(2026, 3, 8, 12, tzinfo=UTC)


def rule(verdict: str) -> str:
    return f"rules:\n  - {{name: {verdict} all, effect: any, verdict: {verdict}}}\n"


def said(policy: InForce) -> str:
    verdict = policy.now().judge(a_call(), "read", NOON)
    return f"{verdict.outcome} by {verdict.rule}"


def test_a_file_that_is_rewritten_is_read_again_before_the_next_verdict(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(rule("allow"))
    policy = InForce(lambda: Policy.load(path))
    assert said(policy) == "allow by allow all"
    path.write_text(rule("refuse"))
    assert said(policy) == "refuse by refuse all"


def test_a_file_that_nothing_happened_to_is_read_once(tmp_path: Path) -> None:
    path, read = tmp_path / "policy.yaml", list[Path]()
    path.write_text(rule("allow"))

    def load() -> Policy:
        read.append(path)
        return Policy.load(path)

    policy = InForce(load)
    assert [said(policy) for _ in range(3)] == ["allow by allow all"] * 3
    assert len(read) == 1


def test_a_file_that_is_gone_or_broken_refuses_everything_until_it_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(rule("allow"))
    policy = InForce(lambda: Policy.load(path))
    path.unlink()
    assert said(policy) == "refuse by unreadable policy"
    path.write_text("rules: [{")
    assert said(policy) == "refuse by unreadable policy"
    path.write_text(rule("ask"))
    assert said(policy) == "ask by ask all"


def test_an_included_file_counts_as_well(tmp_path: Path) -> None:
    path, part = tmp_path / "policy.yaml", tmp_path / "part.yaml"
    path.write_text("include: [part.yaml]\n")
    part.write_text(rule("allow"))
    policy = InForce(lambda: Policy.load(path))
    assert said(policy) == "allow by allow all"
    part.write_text(rule("refuse"))
    assert said(policy) == "refuse by refuse all"
