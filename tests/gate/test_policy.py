"""The verdict on a call: of one layer, of several, and of a policy that cannot be read."""

from pathlib import Path
from typing import Any

import pytest

from opssquad import content
from opssquad.gate.layers import load_policy
from opssquad.gate.policy import Policy
from opssquad.types import Needs, ToolCall, Verdict
from tests.gate.rules.made import NOON, call, layer, rule

BUNDLED = Policy.load(content.policy())


def policy(*rules: dict[str, Any]) -> Policy:
    named = [rule(**{"name": f"rule {n}", **each}) for n, each in enumerate(rules, 1)]
    return Policy([layer(*named)], squad="k8s")


def judged(rules: Policy, made: ToolCall | None = None, effect: Any = "mutate") -> Verdict:
    return rules.judge(made or call(), effect, NOON)


def test_the_bundled_policy_lets_reads_pass_asks_about_mutations_and_refuses_the_unknown() -> None:
    assert BUNDLED.problem == ""
    assert judged(BUNDLED, call("health"), "read").outcome == "allow"
    asked = judged(BUNDLED)
    assert (asked.outcome, asked.rule, asked.reason) == ("ask", "mutations ask", "it changes the system")
    refused = judged(BUNDLED, call("format_disk"), None)
    assert (refused.outcome, refused.reason) == ("refuse", "no tool 'format_disk' is known")


def test_an_effect_that_is_none_is_refused() -> None:
    verdict = judged(policy({"verdict": "allow"}), effect="look")
    assert (verdict.outcome, verdict.rule) == ("refuse", "unknown effect")
    assert verdict.reason == "'restart' says of itself that it would 'look'; a tool reads or mutates"


def test_the_first_rule_that_matches_decides() -> None:
    rules = policy(
        {"tool": ["restart", "scale"], "namespace": "kube-*", "verdict": "refuse", "reason": "not ours"},
        {"effect": "mutate", "verdict": "ask"},
    )
    assert judged(rules, call(namespace="kube-system")).outcome == "refuse"
    assert judged(rules, call("rollback", namespace="kube-system")).rule == "rule 2"
    assert judged(rules, call(namespace="web")).rule == "rule 2"


def test_what_no_rule_matches_is_asked_about() -> None:
    rules = policy({"tool": "health", "verdict": "allow"})
    assert judged(rules, call("logs"), "read").rule == "no rule matches"
    assert judged(rules).outcome == "ask"
    assert judged(Policy([])).outcome == "ask"


def test_what_the_first_layer_does_not_name_no_later_one_allows() -> None:
    rules = Policy([layer(), layer(rule("allow"), origin="organisation")])
    assert judged(rules, effect="read").outcome == "ask"


def test_a_call_without_a_namespace_may_touch_all_of_them() -> None:
    refusing = policy({"namespace": "kube-*", "verdict": "refuse"}, {"verdict": "allow"})
    assert judged(refusing, call(namespace=""), "read").outcome == "refuse"
    allowing = policy({"namespace": ["web", "shop"], "verdict": "allow"}, {"verdict": "refuse"})
    assert judged(allowing, call(namespace=""), "read").outcome == "refuse"
    assert judged(policy({"verdict": "allow"}), call(namespace=""), "read").outcome == "allow"


def test_a_rule_that_may_be_meant_does_not_keep_a_stricter_one_from_being_meant() -> None:
    rules = policy({"namespace": "web", "verdict": "ask"}, {"namespace": "kube-*", "verdict": "refuse"})
    assert judged(rules, call(namespace="")).outcome == "refuse"
    assert judged(rules, call(namespace="web")).outcome == "ask"


BOUND = (
    {"tool": "scale", "args": {"replicas": {"max": 20}}, "verdict": "ask"},
    {"tool": "scale", "verdict": "refuse", "reason": "too many"},
)


@pytest.mark.parametrize(
    ("args", "outcome", "reason"),
    [
        ({"replicas": 20}, "ask", "replicas 20 is at most 20"),
        ({"replicas": 21}, "refuse", "too many; replicas 21 is above 20, the bound of rule 'rule 1'"),
        ({"replicas": "21"}, "refuse", "too many"),
        ({"replicas": None}, "refuse", "too many"),
        ({}, "refuse", "too many"),
    ],
)
def test_to_scale_within_a_bound_is_asked_about_and_beyond_it_refused(
    args: dict[str, Any], outcome: str, reason: str
) -> None:
    verdict = judged(policy(*BOUND), call("scale", **args))
    assert (verdict.outcome, verdict.reason) == (outcome, reason)


def test_the_bound_of_another_rule_is_told_only_where_it_alone_made_the_difference() -> None:
    below = policy(
        {"tool": "scale", "args": {"replicas": {"min": 1}}, "verdict": "ask"}, {"verdict": "refuse"}
    )
    said = judged(below, call("scale", replicas=0)).reason
    assert said == "replicas 0 is below 1, the bound of rule 'rule 1'"
    assert judged(below, call("restart", replicas=0)).reason == ""
    exact = policy({"args": {"replicas": 3}, "verdict": "ask"}, {"verdict": "refuse"})
    assert judged(exact, call("scale", replicas=0)).reason == ""


def test_a_mutation_is_never_less_than_asked_about() -> None:
    verdict = judged(policy({"verdict": "allow"}))
    assert (verdict.outcome, verdict.reason) == ("ask", "a mutation is always asked about")


def test_a_rule_says_who_must_approve() -> None:
    verdict = judged(
        policy({"verdict": "ask", "approvers": 2, "roles": "sre", "requester_may_approve": False})
    )
    assert verdict.needs == Needs(approvers=2, roles=("sre",), requester_may_approve=False)


@pytest.mark.parametrize("key", [{"approvers": 2}, {"roles": ["sre"]}, {"requester_may_approve": False}])
def test_who_must_approve_is_for_rules_that_ask(key: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(key))} is for rules that ask, and this one says allow"):
        rule("allow", **key)


# what cannot be read

ASKS = "rules:\n- name: a\n  verdict: ask\n"


@pytest.mark.parametrize(
    ("text", "said"),
    {
        "": "line 1: the whole file: must be a mapping",
        "rules:\n- name: a\n  verdct: ask\n  verdict: ask": "line 3: rules.0.verdct: unknown key; did you",
        "rules:\n- name: a\n  verdict: maybe": "line 3: rules.0.verdict: input should be 'allow', 'ask' or",
        "rules:\n- name: a\n  verdict: ask\n  verdict: allow": "line 4: key 'verdict' stands twice",
        "rules: [{name: a, verdict: refuse, tool: []}]": "rules.0.tool: value should have at least 1 item",
        "rules:\n- {name: a, verdict: ask, tool: 3}": "line 2: rules.0.tool: input should be a valid tuple",
        "rules:\n- {name: a, verdict: ask, when: }": "line 2: rules.0.when.0: must be a mapping",
        f"{ASKS}  when:\n    form: 10:00": "line 5: rules.0.when.0.form: unknown key; did you mean 'from'?",
        f"{ASKS}  args:\n    n: {{max: x}}": "line 5: rules.0.args.n: min and max are",
        "rules:\n- {name: a, verdict: ask, approvers: 0}": "rules.0.approvers: input should be greater than",
        "rules:\n- {name: a, verdict: refuse, roles: sre}": "line 2: rules.0: roles is for rules that ask",
        "may_loosen: true": "line 1: may_loosen: only the organisation's own file may say so",
    }.items(),
)
def test_a_bad_policy_refuses_everything_with_file_line_and_reason(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    verdict = judged(Policy.load(path), effect="read")
    assert verdict.outcome == "refuse"
    assert verdict.reason.startswith(f"policy {path}")
    assert said in verdict.reason


@pytest.mark.parametrize("which", [1, 2])
def test_a_layer_that_cannot_be_read_refuses_everything_and_says_why(tmp_path: Path, which: int) -> None:
    given_files: list[Path | None] = [None, None]
    given_files[which - 1] = tmp_path / "absent.yaml"
    closed = load_policy(content.policy(), *given_files, "k8s")
    for effect in ("read", "mutate", None):
        verdict = judged(closed, effect=effect)
        assert (verdict.outcome, verdict.rule) == ("refuse", "unreadable policy")
        assert "absent.yaml: this file is missing" in verdict.reason
    assert (closed.fingerprint, closed.roles("kim")) == ("", ())


def test_the_layers_are_read_from_where_they_lie_and_the_squad_is_known(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("rules: [{name: a, verdict: refuse, squad: db}]")
    (tmp_path / "squad.yaml").write_text("rules: [{name: b, verdict: ask, approvers: 2, effect: mutate}]")
    paths = (content.policy(), tmp_path / "own.yaml", tmp_path / "squad.yaml")
    assert judged(load_policy(*paths, "db")).rule == "a"
    assert judged(load_policy(*paths, "k8s")).needs.approvers == 2
    assert [each.origin for each in load_policy(*paths, "k8s").layers] == ["bundled", "organisation", "squad"]


def test_the_fingerprint_follows_what_was_read_and_not_where_it_lay(tmp_path: Path) -> None:
    texts = {"a": "rules: []", "b": "rules: []", "c": "rules: [{name: a, verdict: ask}]"}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    print_of = {name: Policy.load(tmp_path / name).fingerprint for name in texts}
    assert len(print_of["a"]) == 64
    assert print_of["a"] == print_of["b"] != print_of["c"]
    both = Policy.load(tmp_path / "a", tmp_path / "c").fingerprint
    assert both not in print_of.values()
    assert both != Policy.load(tmp_path / "c", tmp_path / "a").fingerprint
