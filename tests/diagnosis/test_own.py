"""What an organisation adds to a squad's catalogue, replaces in it and switches off."""

import re
from pathlib import Path

import pytest

from opssquad import UsageError, content
from opssquad.diagnosis.own import KnownFaults, read_known_faults
from opssquad.squad.knowledge import known_faults, own_file, read_known, toolbox_of
from tests.diagnosis.catalogues import SIGNALS, TOOLBOX, line_of, written

ROOT = Path(__file__).resolve().parents[2]
ADDED = "{id: A1, title: the wind, anchor: [{signal: wind.strong}], root_cause: 'Wind at {name}.'}"


def known(folder: Path, own: str) -> KnownFaults:
    """The catalogue of these tests with that file of the organisation's beside it."""
    path = folder / "own.yaml"
    path.write_text(own)
    return read_known_faults(written(folder), path)


def test_what_is_added_comes_last_with_its_place(tmp_path: Path) -> None:
    found = known(tmp_path, f"faults:\n- {ADDED}\n")
    assert found.flaws(TOOLBOX, SIGNALS) == []
    assert [f.id for f in found.catalogue.faults] == ["F1", "A1"]
    assert [(e.origin, e.file.name, e.line) for e in found.entries] == [
        ("squad", "faults.yaml", 4),
        ("organisation", "own.yaml", 2),
    ]


def test_what_is_replaced_takes_the_place_of_the_squads(tmp_path: Path) -> None:
    found = known(tmp_path, f"faults:\n- {ADDED.replace('A1', 'F1, replaces: true')}\n")
    assert found.flaws(TOOLBOX, SIGNALS) == []
    (entry,) = found.entries
    assert (entry.fault.title, entry.origin, entry.replaces) == ("the wind", "organisation", True)
    assert [f.title for f in found.catalogue.faults] == ["the wind"]


def test_what_is_off_is_no_longer_ranked_and_can_still_be_shown_with_the_reason(tmp_path: Path) -> None:
    found = known(tmp_path, "faults: [{id: F1, off: true, reason: there are no doors here}]")
    assert found.flaws(TOOLBOX, SIGNALS) == []
    assert found.catalogue.faults == []
    assert (found.entry("f1").fault.title, found.entry("F1").off) == (
        "the door is open",
        "there are no doors here",
    )


def test_calls_that_show_a_signal_can_be_added_and_told(tmp_path: Path) -> None:
    clause = "for: [{signal: door.forced, tell: my look}]"
    shows = "shows: {my look: {label: Look, tool: look, args: {at: '{name}'}}}\n"
    found = known(tmp_path, f"{shows}faults:\n- {ADDED.replace('root_cause', f'{clause}, root_cause')}")
    assert found.flaws(TOOLBOX, SIGNALS) == []
    assert {*found.catalogue.shows} == {"door.forced", "my look"}


@pytest.mark.parametrize(
    ("own", "on", "said"),
    [
        (f"faults:\n- {ADDED.replace('A1', 'F1')}", "F1",
         "F1.id: the squad has a fault of this id; say `replaces: true`, or take another id"),
        (f"faults:\n- {ADDED.replace('A1', 'F2, replaces: true')}", "F2",
         "F2.id: it replaces a fault that the squad does not have; there is: F1"),
        ("faults:\n- {id: F2, off: true, reason: x}", "F2",
         "F2.id: it switches off a fault that the squad does not have; there is: F1"),
        (f"faults:\n- {ADDED}\n- {{id: A1, title: b, anchor: [{{signal: wind.x}}], root_cause: c}}",
         "title: b",
         "A1.id: another entry has this id, at line 2"),
        (f"faults:\n- {ADDED.replace('{name}', '{nobody}')}", "nobody",
         "A1.root_cause: nothing fills {nobody}; there is:"),
        ("shows:\n  door.forced: {label: Look, tool: look, args: {at: x}}", "Look",
         "shows.door.forced: the squad has one of this name; take another, and `tell` it"),
        ("shows:\n  wind.x: {label: Look, tool: lok, args: {at: x}}", "Look",
         "shows.wind.x.tool: the squad has no tool 'lok'"),
        (f"faults:\n- {ADDED.replace('wind.strong', 'wnd.strong')}", "wnd",
         "A1.anchor[0].signal: no tool gives 'wnd.strong'; there is: "),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_found_with_its_place(tmp_path: Path, own: str, on: str, said: str) -> None:
    (flaw,) = known(tmp_path, own).flaws(TOOLBOX, SIGNALS)
    path = tmp_path / "own.yaml"
    assert str(flaw).startswith(f"{path}:{line_of(path, on)}: {said}")


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{id: A1, anchor: [{signal: wind.x}], root_cause: c}", "faults.0: title is missing"),
        ("{id: A1, title: a, root_cause: c}", "faults.0: anchor is missing"),
        ("{id: F1, off: true}", "faults.0: say why it is off, as `reason`"),
        ("{id: F1, off: true, reason: ' '}", "faults.0: say why it is off, as `reason`"),
        ("{id: F1, off: true, reason: x, replaces: true}", "faults.0: it is off: replaces has no effect"),
        (ADDED.replace("A1", "A1, reason: x"), "faults.0: reason says why a fault is off; this one is not"),
        (ADDED.replace("A1", "A1, replace: true"), "did you mean 'replaces'?"),
        (ADDED.replace("root_cause", "inadmissible: [{action: rollback}], root_cause"), "reason: is missing"),
    ],
)
def test_an_entry_is_added_replaces_or_is_off_and_nothing_between(
    tmp_path: Path, entry: str, said: str
) -> None:
    with pytest.raises(UsageError, match=r"own\.yaml, line 2: ") as caught:
        known(tmp_path, f"faults:\n- {entry}\n")
    assert said in str(caught.value)


def test_the_file_for_a_squad_is_found_in_the_folder(tmp_path: Path) -> None:
    assert own_file("k8s", None) is None
    assert own_file("k8s", tmp_path) is None
    (tmp_path / "k8s.yaml").write_text("faults: []")
    assert own_file("k8s", tmp_path) == tmp_path / "k8s.yaml"
    for path in (tmp_path / "absent", tmp_path / "k8s.yaml"):
        with pytest.raises(UsageError, match=f"OPSSQUAD_FAULTS: {path} is no folder that can be read"):
            own_file("k8s", path)


def test_a_file_that_is_not_sound_keeps_the_squad_from_being_opened(tmp_path: Path) -> None:
    own = tmp_path / "k8s.yaml"
    own.write_text("faults:\n- {id: K99, off: true, reason: x}\n")
    with pytest.raises(UsageError, match=r"k8s\.yaml, line 2: K99\.id: it switches off a fault"):
        known_faults("k8s", tmp_path)


def test_the_example_of_the_documentation_is_sound_and_does_all_three() -> None:
    found = read_known("k8s", ROOT / "docs" / "examples" / "faults")
    assert found.flaws(toolbox_of("k8s"), content.signal_ids()) == []
    own = {e.fault.id: (e.replaces, bool(e.off)) for e in found.entries if e.origin != "squad" or e.off}
    assert own == {"ACME1": (False, False), "K03": (True, False), "K04": (False, True)}


def test_what_the_page_writes_down_can_be_written_so(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "k8s.yaml").write_text("".join(blocks))
    found = read_known("k8s", tmp_path)
    assert found.flaws(toolbox_of("k8s"), content.signal_ids()) == []
    assert [e.fault.id for e in found.entries if e.origin == "organisation"] == ["ACME1"]
