"""`opssquad policy`: verdicts on lines and calls, and files that are sound or not."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opssquad import content
from opssquad.cli.app import run
from opssquad.cli.roles import roles_of
from opssquad.errors import UsageError
from opssquad.settings import Settings

Ran = tuple[int, str, str]
Run = Callable[..., Ran]
SCALE = {"tool": "scale", "args": {"name": "api", "namespace": "web", "replicas": 30}}
OWN = """
roles: {sre: [Kim, sam]}
rules:
- name: freeze
  cluster: prod
  effect: mutate
  when: {zone: Europe/Berlin, dates: 2026-12-24}
  verdict: refuse
  reason: change freeze
- name: little
  tool: scale
  args: {replicas: {max: 20}}
  verdict: ask
  approvers: 2
  roles: [sre]
  requester_may_approve: false
- name: far
  tool: scale
  verdict: refuse
- name: kube
  namespace: kube-*
  verdict: refuse
  reason: not ours
"""


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `opssquad policy` with the organisation's policy above in force."""
    (tmp_path / "own.yaml").write_text(OWN)
    monkeypatch.setenv("OPSSQUAD_POLICY", str(tmp_path / "own.yaml"))
    monkeypatch.setenv("COLUMNS", "200")

    def said(*words: str) -> Ran:
        code = run(["policy", *words])
        out = capsys.readouterr()
        return code, out.out, out.err

    return said


def explain(policy: Run, *words: str) -> Any:
    code, out, _ = policy("explain", "--json", *words)
    assert code == 0
    return json.loads(out)


@pytest.mark.parametrize(
    ("asked", "words", "verdict", "rule"),
    [
        ("kubectl get pods -n web", (), "allow", "reads are free"),
        ("kubectl get pods -n kube-system", (), "refuse", "kube"),
        ("kubectl get pods -A", (), "refuse", "kube"),
        ("kubectl get pods", ("--namespace", "web"), "allow", "reads are free"),
        ("kubectl scale deploy/api --replicas=3 -n web", (), "ask", "little"),
        ("kubectl scale deploy/api --replicas=30 -n web", (), "refuse", "far"),
        ("kubectl rollout restart deploy/api", ("--namespace", "web"), "ask", "mutations ask"),
        ("kubectl rollout restart deploy/api", ("--namespace", "kube-x"), "refuse", "kube"),
        ("kubectl cordon n1", ("--cluster", "prod", "--at", "2026-12-24T12:00:00Z"), "refuse", "freeze"),
        ("kubectl cordon n1", ("--context", "dev", "--namespace", "web"), "ask", "mutations ask"),
        ("kubectl exec api-1 -- sh", (), "refuse", "lines of kubectl"),
        ("kubectl get pods | grep x", (), "refuse", "lines of kubectl"),
        ('{"tool": "health", "args": {"namespace": "web"}}', (), "allow", "reads are free"),
        ('{"tool": "nodes"}', ("--namespace", "web"), "allow", "reads are free"),
        (json.dumps(SCALE), (), "refuse", "far"),
    ],
)
def test_the_verdict_on_a_line_or_a_call_comes_first(
    policy: Run, asked: str, words: tuple[str, ...], verdict: str, rule: str
) -> None:
    code, out, err = policy("explain", asked, *words)
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == f"{verdict}  {rule}"


def test_a_change_names_the_tool_the_people_and_the_rules_that_counted(policy: Run, tmp_path: Path) -> None:
    _, out, _ = policy(
        "explain", "kubectl scale deploy/api --replicas=3 -n web", "--at", "2026-11-25T10:00:00Z"
    )
    told = " ".join(out.split())
    for words in (
        "ask little Reason replicas 3 is at most 20",
        "Approve 2 people of the role sre (kim, sam), and not whoever asked for it",
        "the tool `scale` does that, with a card to approve",
        'Call scale {"name": "api", "namespace": "web", "kind": "Deployment", "replicas": 3}',
        "Judged squad k8s, no cluster named, namespace web, at 2026-11-25T10:00:00Z",
        "Rule ask: mutations ask (bundled)",
        f"Rule ask: little (organisation) {tmp_path}/own.yaml:10",
    ):
        assert words in told


def test_all_of_it_is_there_as_json(policy: Run) -> None:
    said = explain(policy, "kubectl cordon n1", "--namespace", "web", "--at", "2026-12-24T10:00:00+01:00")
    assert said["verdict"]["outcome"] == "refuse"
    assert said["verdict"]["reason"] == (
        "change freeze; the call names no cluster, so it counts as any; until 2026-12-25 00:00 Europe/Berlin"
    )
    assert (said["line"], said["tool"], said["args"], said["at"]) == (
        "change", "cordon", {"node": "n1"}, "2026-12-24T09:00:00Z")  # fmt: skip
    assert [(each["layer"], each["rule"], each["sure"]) for each in said["rules"]] == [
        ("bundled", "mutations ask", True),
        ("organisation", "freeze", False),
    ]
    refused = explain(policy, "kubectl exec api-1 -- sh")
    assert (refused["line"], refused["tool"], refused["rules"]) == ("refuse", "", [])
    assert refused["verdict"]["reason"] == refused["line_reason"] != ""


def test_a_call_that_the_tool_would_not_take_is_judged_and_told(policy: Run) -> None:
    _, out, _ = policy(
        "explain", '{"tool": "scale", "args": {"name": "api", "replicas": 3}}', "--namespace", "web"
    )
    assert "Note       the call would go back to the model as it is: scale: namespace: Field required." in out


def test_a_tool_that_the_squad_does_not_have_is_refused(
    policy: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = content.root()
    (tmp_path / "squads" / "k8s").mkdir(parents=True)
    for name in ("tools", "squads/policy.yaml"):
        (tmp_path / name).symlink_to(here / name)
    spec = (here / "squads" / "k8s" / "squad.yaml").read_text().replace("  - scale\n", "")
    (tmp_path / "squads" / "k8s" / "squad.yaml").write_text(spec)
    monkeypatch.setattr(content, "root", lambda: tmp_path)
    said = explain(policy, json.dumps(SCALE))
    assert (said["verdict"]["outcome"], said["verdict"]["rule"]) == ("refuse", "unknown tool")
    assert said["notes"] == ["squad k8s does not have the tool scale"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("",), "'' is neither a line nor a call; give a kubectl line, or a call such as"),
        (("rm -rf /",), "'rm -rf /' is neither a line nor a call"),
        (("{",), "not JSON: "),
        (("[" * 9 + "{",), "is neither a line nor a call"),
        (('{"args": {}}',), "not a call: tool: field required"),
        (('{"tool": "scale", "arguments": {}}',), "not a call: arguments: extra inputs are not permitted"),
        (('{"tool": "scael"}',), "no tool 'scael'; there is: scale"),
        (("kubectl get pods", "--squad", "k9s"), "no squad 'k9s'; there is: k8s"),
        (
            ("kubectl get pods", "--at", "soon"),
            "--at 'soon' is no time; it is written like",
        ),
        (("kubectl get pods", "--policy", "absent.yaml"), "policy absent.yaml: this file is missing"),
    ],
)
def test_what_is_no_line_and_no_call_is_told_in_one_line(
    policy: Run, words: tuple[str, ...], said: str
) -> None:
    code, out, err = policy("explain", *words)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_files_are_checked_one_line_each(policy: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("rules:\n- name: a\n  verdict: mayb\n")
    (tmp_path / "top.yaml").write_text("include: own.yaml\nrules: [{name: a, verdict: ask}]")
    code, out, err = policy("check", *(str(tmp_path / f"{n}.yaml") for n in ("top", "bad", "absent")))
    assert (code, err) == (2, "")
    assert out.splitlines() == [
        f"{tmp_path}/top.yaml: ok, 1 rule",
        f"{tmp_path}/own.yaml: ok, 4 rules",
        f"{tmp_path}/bad.yaml:3: rules.0.verdict: input should be 'allow', 'ask' or 'refuse'",
        f"{tmp_path}/absent.yaml:1: this file is missing",
    ]


def test_without_a_file_what_is_in_force_is_checked(policy: Run, tmp_path: Path) -> None:
    code, out, _ = policy("check")
    assert (code, out.splitlines()) == (
        0,
        [f"{content.policy()}: ok, 2 rules, 5 about destinations", f"{tmp_path}/own.yaml: ok, 4 rules"],
    )


def test_a_file_beside_a_squad_is_read_as_the_squads(policy: Run, tmp_path: Path) -> None:
    (tmp_path / "squad.yaml").write_text("")
    code, out, _ = policy("check", str(tmp_path / "own.yaml"))
    assert (code, out.count("\n")) == (2, 1)
    assert "own.yaml:2: roles: who holds a role is said by the organisation's policy" in out


def test_what_is_odd_is_told_with_its_place_and_exit_code_1(policy: Run, tmp_path: Path) -> None:
    (tmp_path / "odd.yaml").write_text(
        "rules:\n"
        "- {name: a, verdict: ask, tool: s*}\n"
        "- {name: b, verdict: refuse, tool: scale}\n"
        "- {name: c, verdict: ask, tool: rollback, roles: [sre], approvers: 3}\n"
    )
    code, out, _ = policy("lint", str(tmp_path / "odd.yaml"))
    assert code == 1
    assert [line.partition(": ")[::2] for line in out.splitlines()] == [
        (
            f"{tmp_path}/odd.yaml:3",
            f"rule 'b' is shadowed by rule 'a' ({tmp_path}/odd.yaml:2), which comes first and matches every "
            "call that it matches",
        ),
        (f"{tmp_path}/odd.yaml:4", "rule 'c' wants 3 approvers, and 2 people have the role sre: kim, sam"),
    ]


def test_what_is_in_force_is_linted_and_nothing_is_odd(policy: Run) -> None:
    assert policy("lint") == (0, "11 rules, nothing is odd\n", "")


def test_the_bundled_policy_and_the_documented_one_are_sound(policy: Run) -> None:
    files = [str(content.policy()), str(content.root() / "docs" / "examples" / "policy.yaml")]
    assert policy("lint", *files)[0] == 0


def test_a_file_beside_a_squad_is_linted_above_the_others(policy: Run, tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "squad.yaml").write_text("")
    (tmp_path / "s" / "policy.yaml").write_text(
        "rules: [{name: a, verdict: ask, effect: read, namespace: kube-system, tool: health}]"
    )
    code, out, _ = policy("lint", str(tmp_path / "s" / "policy.yaml"))
    assert (code, out) == (0, "1 rule, nothing is odd\n")


def test_a_file_that_cannot_be_read_is_not_linted(policy: Run, tmp_path: Path) -> None:
    code, out, err = policy("lint", str(tmp_path / "absent.yaml"))
    assert (code, out, err) == (2, "", f"opssquad: {tmp_path}/absent.yaml: this file is missing\n")


def test_nobody_has_a_role_by_a_policy_that_cannot_be_read(tmp_path: Path) -> None:
    settings = Settings(state=tmp_path, by="kim", policy=tmp_path / "absent.yaml")
    with pytest.raises(UsageError, match=r"absent\.yaml: this file is missing"):
        roles_of(settings, "k8s")
