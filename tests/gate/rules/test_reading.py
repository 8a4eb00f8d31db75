"""Policy files that include others, what each may say, and that any text is read or refused in one line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opssquad.documents import BadFile
from opssquad.gate.policy import Policy
from opssquad.gate.rules.reading import Layer, Origin
from tests.gate.rules.made import NOON, call


def write(folder: Path, **texts: str) -> Path:
    """Files by their names; the path of the first."""
    for name, text in texts.items():
        (folder / f"{name}.yaml").parent.mkdir(exist_ok=True, parents=True)
        (folder / f"{name}.yaml").write_text(text)
    return folder / f"{next(iter(texts))}.yaml"


def rules(*names: str) -> str:
    return "\nrules:\n" + "".join(f"- name: {name}\n  verdict: ask\n" for name in names)


def test_included_files_come_first_in_their_order_and_each_once(tmp_path: Path) -> None:
    top = write(
        tmp_path,
        top="include: [one.yaml, two.yaml]" + rules("top"),
        one="include: shared.yaml" + rules("one"),
        two="include: ./shared.yaml" + rules("two"),
        shared=rules("shared"),
    )
    layer = Layer.read(top)
    assert [each.rule.name for each in layer.rules] == ["shared", "one", "two", "top"]
    assert [each.own for each in layer.rules] == [False, False, False, True]
    assert [(path.name, len(digest)) for path, digest in layer.files] == [
        (f"{name}.yaml", 64) for name in ("top", "one", "shared", "two")
    ]


def test_a_path_is_relative_to_the_file_that_includes(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    write(tmp_path / "parts", first="include: ../other.yaml", second=rules("second"))
    top = write(tmp_path, top="include: [parts/first.yaml, parts/second.yaml]", other=rules("other"))
    assert [each.rule.name for each in Layer.read(top).rules] == ["other", "second"]


def test_a_rule_knows_where_it_stands(tmp_path: Path) -> None:
    top = write(tmp_path, top="# what\n" + rules("a", "b"))
    assert [str(each) for each in Layer.read(top).rules] == [f"{top}:4", f"{top}:6"]


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (
            {"top": "\ninclude:\n- absent.yaml"},
            "top.yaml, line 3: include: {0}/absent.yaml: this file is missing",
        ),
        ({"top": "include: ."}, "top.yaml, line 1: include: {0}: cannot be read: Is a directory"),
        ({"top": "include: top.yaml"}, "top.yaml, line 1: include: {0}/top.yaml includes this file again"),
        (
            {"top": "include: one.yaml", "one": "\ninclude: two.yaml", "two": "\n\ninclude: [one.yaml]"},
            "two.yaml, line 3: include: {0}/one.yaml includes this file again, and so on for ever",
        ),
        ({"top": "include: one.yaml", "one": "\nrulse: []"}, "one.yaml, line 2: rulse: unknown key; did you"),
        ({"top": 'include: "a\\0b"'}, "top.yaml, line 1: include.0: 'a\\x00b' is no path of a file"),
        ({"top": 'include: "\\ud800"'}, "is no path of a file"),
        ({"top": 'include: " "'}, "' ' is no path of a file"),
        ({"top": f"include: {'a' * 300}"}, "cannot be read: File name too long"),
        ({"top": "include: one.yaml", "one": "\nmay_loosen: true"}, "one.yaml, line 2: may_loosen: only the"),
    ],
)
def test_an_include_that_cannot_be_is_refused_with_file_and_line(
    tmp_path: Path, texts: dict[str, str], said: str
) -> None:
    with pytest.raises(BadFile) as caught:
        Layer.read(write(tmp_path, **texts), "organisation")
    assert said.format(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_include_each_other_only_so_deep(tmp_path: Path) -> None:
    for number in range(40):
        write(tmp_path, **{f"f{number}": f"include: f{number + 1}.yaml"})
    with pytest.raises(
        BadFile, match=r"f20.yaml, line 1: include: files include each other more than 20 deep"
    ):
        Layer.read(tmp_path / "f0.yaml")


@pytest.mark.parametrize(
    ("origin", "text", "said"),
    [
        ("bundled", "may_loosen: true", "line 1: may_loosen: only the organisation's own file may say so"),
        ("squad", "rules: []\nmay_loosen: true", "line 2: may_loosen: only the organisation's own file"),
        ("squad", "rules: []\nroles: {sre: [kim]}", "line 2: roles: who holds a role is said by the org"),
    ],
)
def test_only_the_organisation_may_loosen_and_no_squad_makes_people_approvers(
    tmp_path: Path, origin: Origin, text: str, said: str
) -> None:
    with pytest.raises(BadFile, match=said):
        Layer.read(write(tmp_path, policy=text), origin)
    assert Layer.read(tmp_path / "policy.yaml", "organisation").files


def test_a_squad_cannot_include_people_either(tmp_path: Path) -> None:
    top = write(tmp_path, policy="include: people.yaml", people="roles: {sre: [kim]}")
    with pytest.raises(BadFile, match="people.yaml, line 1: roles: "):
        Layer.read(top, "squad")
    assert Layer.read(top, "organisation").roles == {"sre": ("kim",)}


def test_a_rule_of_an_included_file_does_not_loosen(tmp_path: Path) -> None:
    strict = write(tmp_path, strict="rules: [{name: never, verdict: refuse}]")
    own = write(
        tmp_path,
        own="may_loosen: true\ninclude: part.yaml\nrules: [{name: own, verdict: allow, tool: health}]",
        part="rules: [{name: part, verdict: allow, tool: logs}]",
    )
    policy = Policy.read([("bundled", strict), ("organisation", own)])
    assert policy.judge(call("health"), "read", NOON).rule == "own"
    assert policy.judge(call("logs"), "read", NOON).rule == "never"


WORDS = st.sampled_from(
    ["rules:\n", "- ", "  ", "\n", "name: a", "verdict: ask", "when: ", "{", "}", "[", "]", "dates: "]
    + ["args: ", "include: ", "roles: ", "2026-12-24", "18:00", "!!bool ", "!!int ''", "!!timestamp x", "&a "]
    + [
        "*a",
        "sre",
        ": ",
        "max: 1e999",
        "zone: ",
        "'",
        "policy.yaml",
        "#",
        "\t",
        "? ",
        "|",
        "<<: ",
        "-1",
        ".nan",
    ]
)


@given(st.one_of(st.text(max_size=40), st.lists(WORDS, max_size=14).map("".join)))
def test_any_text_is_a_policy_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "policy.yaml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    policy = Policy.load(path)
    assert "\n" not in policy.problem
    assert policy.judge(call(), "mutate", NOON).outcome == ("refuse" if policy.problem else "ask")


@given(st.binary(max_size=30))
def test_any_bytes_are_a_policy_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes.yaml"
    path.write_bytes(content)
    assert "\n" not in Policy.load(path).problem
