"""The verdict on a call, and what is said of a policy that cannot be read."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opssquad import content
from opssquad.gate.policy import STRICTNESS, Policy, Rule, Rules
from opssquad.types import Target, ToolCall

BUNDLED = Policy.load(content.policy())


def call(tool: str = "restart", cluster: str = "production", namespace: str = "web") -> ToolCall:
    return ToolCall(id="c1", tool=tool, target=Target(cluster=cluster, namespace=namespace))


def policy(*rules: dict[str, Any]) -> Policy:
    named = [{"name": f"rule {n}", **rule} for n, rule in enumerate(rules, 1)]
    return Policy([Rules.model_validate({"rules": named})])


def test_the_bundled_policy_lets_reads_pass_asks_about_mutations_and_refuses_the_unknown() -> None:
    assert BUNDLED.problem == ""
    assert BUNDLED.judge(call("health"), "read").outcome == "allow"
    asked = BUNDLED.judge(call(), "mutate")
    assert (asked.outcome, asked.rule, asked.reason) == ("ask", "mutations ask", "it changes the system")
    refused = BUNDLED.judge(call("format_disk"), None)
    assert (refused.outcome, refused.reason) == ("refuse", "no tool 'format_disk' is known")


def test_the_first_rule_that_matches_decides() -> None:
    rules = policy(
        {"tool": ["restart", "scale"], "namespace": "kube-*", "verdict": "refuse", "reason": "not ours"},
        {"effect": "mutate", "verdict": "ask"},
    )
    assert rules.judge(call(namespace="kube-system"), "mutate").outcome == "refuse"
    assert rules.judge(call("rollback", namespace="kube-system"), "mutate").rule == "rule 2"
    assert rules.judge(call(namespace="web"), "mutate").rule == "rule 2"


def test_a_rule_can_name_clusters() -> None:
    rules = policy({"cluster": "prod*", "verdict": "refuse"}, {"verdict": "allow"})
    assert rules.judge(call(), "read").outcome == "refuse"
    assert rules.judge(call(cluster="staging"), "read").outcome == "allow"


def test_what_no_rule_matches_is_asked_about() -> None:
    rules = policy({"tool": "health", "verdict": "allow"})
    assert rules.judge(call("logs"), "read").outcome == "ask"
    assert rules.judge(call(), "mutate").outcome == "ask"


def test_a_call_without_a_namespace_may_touch_all_of_them() -> None:
    refusing = policy({"namespace": "kube-*", "verdict": "refuse"}, {"verdict": "allow"})
    assert refusing.judge(call(namespace=""), "read").outcome == "refuse"
    allowing = policy({"namespace": ["web", "shop"], "verdict": "allow"}, {"verdict": "refuse"})
    assert allowing.judge(call(namespace=""), "read").outcome == "refuse"
    assert policy({"verdict": "allow"}).judge(call(namespace=""), "read").outcome == "allow"


def test_a_mutation_is_never_less_than_asked_about() -> None:
    verdict = policy({"verdict": "allow"}).judge(call(), "mutate")
    assert (verdict.outcome, verdict.reason) == ("ask", "a mutation is always asked about")


@pytest.mark.parametrize("outcomes", [("allow", "ask"), ("refuse", "allow"), ("ask", "refuse")])
def test_of_several_files_the_strictest_verdict_holds(tmp_path: Path, outcomes: tuple[str, str]) -> None:
    paths = [tmp_path / f"{n}.yaml" for n in range(2)]
    for path, outcome in zip(paths, outcomes, strict=True):
        path.write_text(f"rules: [{{name: r, verdict: {outcome}}}]")
    strictest = max(outcomes, key=["allow", "ask", "refuse"].index)
    assert Policy.load(*paths).judge(call(), "read").outcome == strictest


@pytest.mark.parametrize(
    ("text", "said"),
    {
        "": "line 1: the whole file: must be a mapping",
        "rules:\n- name: a\n  verdct: ask\n  verdict: ask": "line 3: rules.0.verdct: unknown key; did you",
        "rules:\n- name: a\n  verdict: maybe": "line 3: rules.0.verdict: input should be 'allow', 'ask' or",
        "rules:\n- name: a\n  verdict: ask\n  verdict: allow": "line 4: key 'verdict' stands twice",
        "rules: [{name: a, verdict: refuse, tool: []}]": "rules.0.tool: value should have at least 1 item",
        "rules:\n- {name: a, verdict: ask, tool: 3}": "line 2: rules.0.tool: input should be a valid tuple",
    }.items(),
)
def test_a_bad_policy_refuses_everything_with_file_line_and_reason(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    verdict = Policy.load(path).judge(call(), "read")
    assert verdict.outcome == "refuse"
    assert verdict.reason.startswith(f"policy {path}")
    assert said in verdict.reason


def test_a_policy_that_cannot_be_read_refuses_everything_and_says_why(tmp_path: Path) -> None:
    closed = Policy.load(content.policy(), tmp_path / "absent.yaml")
    for effect in ("read", "mutate", None):
        verdict = closed.judge(call(), effect)
        assert (verdict.outcome, verdict.rule) == ("refuse", "unreadable policy")
        assert "absent.yaml: this file is missing" in verdict.reason


texts = st.sampled_from(["", "*", "web", "kube-*", "health", "re*", "production", "p?oduction", "["])
rules = st.builds(
    Rule,
    name=st.just("r"),
    verdict=st.sampled_from(sorted(STRICTNESS)),
    effect=st.sampled_from(["read", "mutate", "any"]),
    tool=st.lists(texts, min_size=1, max_size=2).map(tuple),
    cluster=st.lists(texts, min_size=1, max_size=2).map(tuple),
    namespace=st.lists(texts, min_size=1, max_size=2).map(tuple),
)
files = st.lists(st.builds(Rules, rules=st.lists(rules, max_size=4).map(tuple)), max_size=3)
calls = st.builds(
    call,
    st.sampled_from(["health", "restart", ""]),
    st.sampled_from(["production", "staging"]),
    st.sampled_from(["", "web", "kube-system"]),
)


@given(files, calls)
def test_no_policy_allows_a_mutation_or_an_unknown_tool(given_files: list[Rules], each: ToolCall) -> None:
    assert Policy(given_files).judge(each, "mutate").outcome != "allow"
    assert Policy(given_files).judge(each, None).outcome == "refuse"


@given(files, files, calls)
def test_another_file_can_only_tighten(first: list[Rules], more: list[Rules], each: ToolCall) -> None:
    if all(file.judge(each, "read") is None for file in first):
        return
    before = Policy(first).judge(each, "read").outcome
    after = Policy([*first, *more]).judge(each, "read").outcome
    assert STRICTNESS[after] >= STRICTNESS[before]
