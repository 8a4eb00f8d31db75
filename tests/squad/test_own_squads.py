"""Squads of one's own: what a folder says, what it stands on, and what of it is left out."""

from pathlib import Path

import pytest

from opssquad import UsageError, content
from opssquad.extensions.sources import trust
from opssquad.squad.knowledge import known_faults
from opssquad.squad.known import broken, known, spec_of, squads
from opssquad.squad.known import squad as standing
from opssquad.squad.runbooks.known import shelf, whose
from opssquad.squad.spec import load_squad
from tests.squad.own_squads import line_of, squad

SHOP = "extends: k8s\ntitle: The shop\n"
FAULT = "{id: S1, title: the queue is full, anchor: [{signal: queue.full}], root_cause: '{name} is full.'}"
ALONE = "title: Queues\ndescription: What waits.\nprompt: k8s\ntools: [find, logs]\n"
BOOK = (content.squad("k8s") / "runbooks" / "pending.md").read_text("utf-8")
BOOK = BOOK.replace("id: pending", "id: s1")


def k8s() -> tuple[str, ...]:
    return load_squad(content.squad("k8s")).tools


def test_what_a_folder_does_not_say_is_its_parents(own: Path) -> None:
    squad(own, "shop", f"{SHOP}tools: [resolve]\nwithout: [cordon, uncordon]\nlimits: {{calls_hard: 7}}\n")
    made, parent = spec_of("shop"), load_squad(content.squad("k8s"))
    assert (made.name, made.title, made.description) == ("shop", "The shop", parent.description)
    assert made.tools == (*(name for name in k8s() if name not in ("cordon", "uncordon")), "resolve")
    assert made.limits == parent.limits.model_copy(update={"calls_hard": 7})
    assert (made.hands_over, made.knows, made.world) == (parent.hands_over, parent.knows, "cluster")
    assert standing("shop").prompt() == content.prompt("k8s")


def test_a_squad_may_extend_one_that_extends_another(own: Path) -> None:
    squad(
        own,
        "shop",
        f"{SHOP}tools: [resolve]\n",
        faults=f"faults: [{FAULT}]\n",
        book_s1=BOOK.replace("id: pending", "id: s1"),
    )
    squad(own, "till", "extends: shop\nwithout: [resolve]\ntools: [ping]\n", prompt="You watch {cluster}.\n")
    assert spec_of("till").tools == (*k8s(), "ping")
    assert spec_of("till").title == "The shop"
    assert standing("till").names == ("till", "shop", "k8s")
    assert standing("till").prompt() == "You watch {cluster}.\n"
    assert known_faults("till", None).entry("S1").file == own / "squads" / "shop" / "faults.yaml"
    assert "s1" in {book.id for book in shelf("till", None).books}
    assert whose("s1", None) == "shop"


def test_a_folder_of_the_parents_own_name_amends_it_in_place_for_all_that_stand_on_it(own: Path) -> None:
    squad(
        own,
        "k8s",
        "extends: k8s\ntools: [ping]\n",
        faults="faults: [{id: K14, off: true, reason: night}]\n",
    )
    squad(own, "shop", SHOP)
    for name in ("k8s", "shop"):
        assert spec_of(name).tools[-1] == "ping"
        assert known_faults(name, None).entry("K14").off == "night"
    entry = next(e for e in known_faults("network", None).entries if e.fault.id == "K14")
    assert entry.off == "night"


def test_one_that_extends_nothing_says_it_all_and_needs_no_faults(own: Path) -> None:
    squad(own, "queues", ALONE)
    assert spec_of("queues").tools == ("find", "logs")
    assert known_faults("queues", None).entries == ()
    assert list(squads()) == ["database", "k8s", "network", "queues"]


def test_the_organisations_files_for_a_squad_count_for_what_stands_on_it(own: Path, tmp_path: Path) -> None:
    squad(own, "shop", SHOP, faults=f"faults: [{FAULT}]\n")
    folder = tmp_path / "faults"
    folder.mkdir()
    (folder / "k8s.yaml").write_text("faults: [{id: K14, off: true, reason: night}]\n")
    (folder / "shop.yaml").write_text("faults: [{id: S1, off: true, reason: never}]\n")
    found = known_faults("shop", folder)
    assert (found.entry("K14").off, found.entry("S1").off) == ("night", "never")


def test_a_tool_that_joins_the_parent_joins_what_stands_on_it(own: Path) -> None:
    (own / "tools" / "deploys.py").write_text(
        "from opssquad import tool\n\n@tool(effect='read', squads=['shop', 'k8s'])\n"
        "def deploys(service: str) -> str:\n    \"\"\"Deploys of a service.\"\"\"\n    return service\n"
    )  # fmt: skip
    squad(own, "shop", SHOP)
    squad(own, "till", "extends: shop\nwithout: [deploys]\n")
    assert [spec_of(name).tools.count("deploys") for name in ("k8s", "shop", "till")] == [1, 1, 0]
    assert broken() == ()


@pytest.mark.parametrize(
    ("text", "on", "said"),
    [
        ("extends: k8\n", "k8", "extends: no squad 'k8'; there is: k8s"),
        ("extends: bad\n", "bad", "extends: bad extends bad, and so on for ever"),
        ("extends: k8s\ntols: [ping]\n", "tols", "tols: unknown key; did you mean 'tools'?"),
        ("extends: k8s\ntools:\n- ping\n- pnig\n", "pnig", "tools: no tool 'pnig'; there is: ping"),
        ("extends: k8s\nwithout: [pathh]\n", "pathh", "without: squad 'k8s' has no tool 'pathh'; there is:"),
        ("extends: k8s\nname: good\n", "name", "name: it is called 'good', and its folder 'bad'"),
        ("extends: k8s\nprompt: k9s\n", "k9s", "prompt: no prompt 'k9s'"),
        ("title: x\n", "", "description is missing; say it, or `extends: k8s`"),
        ("extends: [k8s\n", "", "not YAML"),
        (f"{ALONE}without: [find]\n", "without", "without: it extends no squad, so nothing is to take away"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_one_line_and_all_others_work(
    own: Path, text: str, on: str, said: str
) -> None:
    folder = squad(own, "bad", text)
    squad(own, "good", SHOP)
    squad(own, "worse", "extends: bad\n")
    first, second = known().broken
    path = folder / "squad.yaml"
    place = f"{path}:{line_of(path, on)}: " if on else str(path)
    assert str(first).startswith(place)
    assert said in str(first)
    assert "\n" not in str(first)
    assert second.why == "extends: squad 'bad' is left out, so this one is too"
    assert list(squads()) == ["database", "k8s", "network", "good"]
    with pytest.raises(UsageError, match=r"bad/squad\.yaml"):
        standing("bad")


def test_a_cycle_leaves_out_its_squads_and_no_other(own: Path) -> None:
    squad(own, "a", "extends: b\n")
    squad(own, "b", "extends: c\n")
    squad(own, "c", "extends: a\n")
    squad(own, "shop", SHOP)
    assert {each.name for each in known().broken} == {"a", "b", "c"}
    assert "extends: a extends b extends c extends a, and so on for ever" in {e.why for e in known().broken}
    assert "shop" in squads()


def test_a_name_that_is_taken_is_told(own: Path, tmp_path: Path) -> None:
    squad(own, "network", ALONE)
    assert "squad 'network' is one of ours; say `extends: network` to amend it" in known().broken[0].why
    assert standing("network").folder == content.squad("network")
    squad(own, "shop", SHOP)
    project = tmp_path / "work" / "opssquad"
    squad(project, "shop", SHOP)
    assert [each.name for each in known().broken] == ["network"]
    trust(tmp_path / "state", project)
    again = known().broken[-1]
    assert (again.name, again.file) == ("shop", project / "squads" / "shop" / "squad.yaml")
    assert f"squad 'shop' is there already, in {own / 'squads' / 'shop'}" in again.why


def test_a_project_that_is_not_trusted_brings_no_squads(own: Path, tmp_path: Path) -> None:
    project = tmp_path / "work" / "opssquad"
    squad(project, "shop", SHOP)
    assert "shop" not in squads()
    trust(tmp_path / "state", project)
    assert "shop" in squads()


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"faults": "faults: [{id: K14, title: x, anchor: [{signal: a.b}], root_cause: y}]"},
         "K14.id: the squad has a fault of this id; say `replaces: true`, or take another id"),
        ({"faults": "faults: [{id: K99, off: true, reason: x}]"}, "switches off a fault that the squad"),
        ({"faults": "shows: {a.b: {label: x, tool: lgs}}"}, "shows.a.b.tool: the squad has no tool 'lgs'"),
        ({"faults": "fault: []"}, "did you mean 'faults'?"),
        ({"prompt": "You watch {clustre}."}, "nothing fills {clustre}; there is: cluster"),
        ({"prompt": "Say {"}, "a brace that is none of a hole is written twice"),
    ],
)  # fmt: skip
def test_a_file_beside_it_that_cannot_be_used_leaves_it_out(
    own: Path, files: dict[str, str], said: str
) -> None:
    squad(own, "bad", SHOP, **files)
    squad(own, "k8s", "extends: k8s\n", **files)
    assert {each.name for each in known().broken} == {"bad", "k8s"}
    assert all(said in each.why for each in known().broken)
    assert spec_of("k8s") == load_squad(content.squad("k8s"))
    assert known_faults("k8s", None).entry("K14").off == ""
