"""What a squad of one's own may: its policy tightens what it stands on, and loosens none of it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from opssquad import UsageError
from opssquad.cli.explaining import Place, explained
from opssquad.investigation.in_force import held
from opssquad.investigation.opening_audit import squad_of
from opssquad.investigation.options import Options
from opssquad.squad.knowledge import toolbox_of
from opssquad.squad.known import spec_of
from opssquad.squad.ruled import policy_of_squad
from opssquad.types import Effect, Needs, Outcome, Target, ToolCall, Verdict
from tests.squad.own_squads import squad

NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)
SHOP = "extends: k8s\n"
ALLOWS = "rules: [{name: do it, verdict: allow}]\n"
REFUSES = "rules: [{name: no restarts, tool: restart, verdict: refuse, reason: not here}]\n"


def judged(name: str, tool: str, effect: Effect, organisation: Path | None = None) -> Verdict:
    call = ToolCall(id="c", tool=tool, args={"namespace": "a"}, target=Target(cluster="x", namespace="a"))
    return policy_of_squad(name, organisation).judge(call, effect, NOW)


def test_a_squads_policy_tightens(own: Path) -> None:
    squad(own, "shop", SHOP, policy=REFUSES)
    assert judged("shop", "restart", "mutate").outcome == "refuse"
    assert judged("k8s", "restart", "mutate").outcome == "ask"


@pytest.mark.parametrize("stands_on", ["shop", "k8s"])
def test_it_cannot_loosen_what_it_stands_on(own: Path, stands_on: str) -> None:
    squad(own, stands_on, SHOP, policy=REFUSES)
    squad(own, "till", f"extends: {stands_on}\n", policy=ALLOWS)
    assert judged("till", "restart", "mutate").outcome == "refuse"
    assert judged("till", "scale", "mutate").outcome == "ask"


@pytest.mark.parametrize(
    ("rules", "outcome"),
    [
        ("[{name: k, squad: k8s, verdict: refuse, reason: x}]", "refuse"),
        ("[{name: s, squad: shop, verdict: allow}, {name: k, squad: k8s, verdict: refuse}]", "refuse"),
        ("[{name: k, squad: k8s, verdict: allow}]", "ask"),
    ],
)  # fmt: skip
def test_what_the_organisation_says_of_the_parent_holds_for_it(
    own: Path, tmp_path: Path, rules: str, outcome: Outcome
) -> None:
    squad(own, "shop", SHOP)
    ours = tmp_path / "policy.yaml"
    ours.write_text(f"rules: {rules}\n")
    assert judged("shop", "restart", "mutate", ours).outcome == outcome


def test_approvers_that_are_wanted_of_the_parent_are_wanted_of_it(own: Path, tmp_path: Path) -> None:
    squad(
        own,
        "shop",
        SHOP,
        policy="rules: [{name: s, tool: scale, verdict: ask, requester_may_approve: false}]\n",
    )
    ours = tmp_path / "policy.yaml"
    ours.write_text("rules: [{name: two, squad: k8s, tool: scale, verdict: ask, approvers: 2}]\n")
    assert judged("shop", "scale", "mutate", ours).needs == Needs(approvers=2, requester_may_approve=False)
    told = explained(
        '{"tool": "scale", "args": {}}', Place(squad="shop", cluster="", namespace="a", at=""), ours
    )
    assert [(rule.layer, rule.rule) for rule in told.rules] == [
        ("bundled", "mutations ask"), ("squad", "s"), ("organisation", "two"),
    ]  # fmt: skip


@pytest.mark.parametrize("slip", ["extend: k8s\n", "extends: k8s\ntools: [nothing]\n"])
def test_the_policy_of_an_amendment_that_is_left_out_holds_all_the_same(own: Path, slip: str) -> None:
    squad(own, "k8s", slip, policy=REFUSES)
    assert judged("k8s", "restart", "mutate").outcome == "refuse"


@pytest.mark.parametrize(
    "text", ["may_loosen: true\n", "roles: {lead: [ada]}\n", "rules: [{name: x, verdct: allow}]\n"]
)
def test_one_that_cannot_be_meant_refuses_everything_of_that_squad(own: Path, text: str) -> None:
    squad(own, "shop", SHOP, policy=text)
    with pytest.raises(UsageError, match=r"shop/policy\.yaml, line 1"):
        policy_of_squad("shop", None)
    call = ToolCall(id="c", tool="find", args={}, target=Target(cluster="x"))
    now = held(Options(state=own, by="ada", squad="shop")).now()
    assert now.judge(call, "read", NOW).outcome == "refuse"
    assert judged("k8s", "find", "read").outcome == "allow"


def test_a_policy_that_comes_while_a_run_is_open_counts_and_one_that_goes_refuses(own: Path) -> None:
    folder = squad(own, "shop", SHOP)
    policy = held(Options(state=own, by="ada", squad="shop"))
    call = ToolCall(id="c", tool="restart", args={}, target=Target(cluster="x"))
    assert policy.now().judge(call, "mutate", NOW).outcome == "ask"
    (folder / "policy.yaml").write_text(REFUSES)
    assert policy.now().judge(call, "mutate", NOW).outcome == "refuse"
    (folder / "policy.yaml").unlink()
    assert policy.now().judge(call, "read", NOW).rule == "unreadable policy"
    policy.become(held(Options(state=own, by="ada", squad="shop"), (), policy.files))


def test_the_audit_line_covers_the_files_of_all_that_a_squad_stands_on(own: Path) -> None:
    base = squad(own, "shop", SHOP, prompt="Be brief.\n", book_x="x")
    squad(own, "till", "extends: shop\n")

    def line() -> dict[str, object]:
        return squad_of(spec_of("till"), toolbox_of("till"), None)

    seen = [line()]
    for path, text in ((base / "prompt.md", "Be clear.\n"), (base / "runbooks" / "x.md", "y"),
                       (base / "faults.yaml", "faults: []\n"), (base / "policy.yaml", REFUSES)):  # fmt: skip
        path.write_text(text)
        seen.append(line())
    changed = [{key for key in new if new[key] != old[key]} for old, new in zip(seen, seen[1:], strict=False)]
    assert changed == [{"own files", "prompt"}, {"own files"}, {"own files", "faults.yaml"}, {"own files"}]
    assert [Path(str(each)).name for each in seen[0]["stands on"]] == ["k8s", "shop", "till"]  # type: ignore[attr-defined]
