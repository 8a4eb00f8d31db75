"""A catalogue that says what cannot be is refused, or found by the lint, in a line with its place."""

from pathlib import Path

import pytest

from opssquad import UsageError, content
from opssquad.diagnosis.catalogue import load_catalogue
from opssquad.diagnosis.own import read_known_faults
from opssquad.squad.knowledge import read_known, toolbox_of
from tests.diagnosis.catalogues import FAULT, SIGNALS, TOOLBOX, line_of, written

# What is spoilt, the text on whose line that is said, and what is said.
BAD: dict[str, tuple[str, str, str, str]] = {
    "hole of root_cause": (
        "[[: {force.text}]]", "[[: {forse.text}]]",
        "root_cause", "F1.root_cause: nothing fills {forse.text}; there is: force",
    ),
    "hole of a label": (
        "'Close {name}'", "'Close {nmae}'",
        "Close", "F1.actions[0].label: nothing fills {nmae}; there is: name",
    ),
    "hole of an argument": (
        "door: '{name}'}, needs", "door: '{anchr.owner.name}'}, needs",
        "Close", "F1.actions[0].args: nothing fills {anchr.owner.name}; there is: anchor",
    ),
    "hole of a reason": (
        "also {name}", "also {who}",
        "also", "F1.inadmissible[0].reason: nothing fills {who}; there is:",
    ),
    "a part of a plain fact": (
        "'{name} stands", "'{name.first} stands",
        "root_cause", "F1.root_cause: {name.first}: name is plain text and has no parts",
    ),
    "brackets": ("{force.text}]]", "{force.text}", "root_cause", "F1.root_cause: `[[` and `]]` do not match"),
    "needs": (
        "needs: force", "needs: forse",
        "Close", "F1.actions[0].needs: no clause under `for` is called 'forse'; there is: force",
    ),
    "tell": (
        "tell: door.forced", "tell: door.forsed",
        "tell", "F1.for[0].tell: nothing of that name under `shows`; there is: door.forced",
    ),
    "a name that is a fact": (
        "name: force", "name: kind",
        "name: kind", "F1.for[0].name: 'kind' is a fact of every match; take another name",
    ),
    "a name where it has no effect": (
        "required: true}", "required: true, name: paint}",
        "paint}", "F1.against[0].name: has no effect; it is for clauses under `for`",
    ),
    "component": (
        "    title:", "    component: ownr\n    title:",
        "ownr", "F1.component: 'ownr' is none; give owner, entity or data. and a path",
    ),
    "an id twice": (
        "    inadmissible:", "  - {id: F1, title: t, anchor: [], root_cause: r}\n  - id: F2\n    title: u\n"
        "    anchor: []\n    root_cause: s\n    inadmissible:",
        "title: t,", "F1.id: another entry has this id, at line 4",
    ),
    "an action that is inadmissible": (
        "action: restart", "action: patch",
        "Close", "F1.actions[0].action: patch is inadmissible for this fault: an open door stays open",
    ),
    "an action that is inadmissible at its target": (
        "{action: restart,", "{action: patch, target: '{component}',",
        "Close", "F1.actions[0].action: patch is inadmissible for this fault: an open door stays open",
    ),
    "unless": (
        "{action: restart,", "{action: restart, unless: forse,",
        "forse", "F1.inadmissible[0].unless: no clause under `for` is called 'forse'; there is: force",
    ),
    "a hole of what shows a signal": (
        "label: 'Look at {name}'", "label: 'Look at {wind.text}'",
        "Look at", "shows.door.forced.label: nothing fills {wind.text}; there is: ",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_what_contradicts_itself_or_names_what_is_not_there_is_refused_with_its_line(
    tmp_path: Path, what: str
) -> None:
    old, new, on, said = BAD[what]
    path = written(tmp_path, (old, new))
    with pytest.raises(UsageError) as caught:
        load_catalogue(path)
    assert str(caught.value).startswith(f"{path}, line {line_of(path, on)}: {said}")
    assert "\n" not in str(caught.value)


def test_a_prohibition_at_another_target_leaves_the_action(tmp_path: Path) -> None:
    path = written(tmp_path, ("{action: restart,", "{action: patch, target: 'Wall//{name}',"))
    assert [r.target for r in load_catalogue(path).faults[0].inadmissible] == ["Wall//{name}"]


def test_a_prohibition_with_an_exception_leaves_the_action_that_needs_just_that(tmp_path: Path) -> None:
    assert load_catalogue(written(tmp_path, ("{action: restart,", "{action: patch, unless: force,")))
    loose = ("{action: restart,", "{action: escalate, unless: force,")
    with pytest.raises(UsageError, match="escalate is inadmissible for this fault"):
        load_catalogue(written(tmp_path, loose))


@pytest.mark.parametrize(
    ("old", "new", "on", "said"),
    [
        ("tool: close", "tool: clos", "Close",
         "F1.actions[0].tool: the squad has no tool 'clos'; there is: close"),
        ("{door: '{name}'}", "{dor: '{name}'}", "Close",
         "F1.actions[0].args.dor: close takes no 'dor'; there is: door"),
        ("{door: '{name}'}", "{}", "Close", "F1.actions[0].args: close cannot be called without door"),
        ("tool: close, ", "", "Close", "F1.actions[0].args: there is no tool to give them to"),
        ("tool: look", "tool: lok", "Look",
         "shows.door.forced.tool: the squad has no tool 'lok'; there is: look"),
        ("{at: '{name}'}", "{it: x, at: y}", "Look",
         "shows.door.forced.args.it: look takes no 'it'; there is: at"),
        ("tool: look, args: {at:", "tool: close, args: {door:", "Look",
         "shows.door.forced.tool: close changes things; a signal is shown by a tool that reads"),
        ("signal: door.open", "signal: door.opn", "opn",
         "F1.anchor[0].signal: no tool gives 'door.opn'; there is: door.open"),
        ("signal: door.painted", "signal: paint.*", "paint.",
         "F1.against[0].signal: no tool gives 'paint.*'; there is: "),
    ],
)  # fmt: skip
def test_what_no_tool_takes_or_gives_is_found(tmp_path: Path, old: str, new: str, on: str, said: str) -> None:
    path = written(tmp_path, (old, new))
    found = read_known_faults(path, None).flaws(TOOLBOX, SIGNALS)
    assert [flaw.text[: len(said)] for flaw in found][:1] == [said]
    assert str(found[0]).startswith(f"{path}:{line_of(path, on)}: ")


def test_signals_may_be_patterns_on_either_side(tmp_path: Path) -> None:
    path = written(tmp_path, ("signal: door.painted", "signal: 'door.*'"))
    assert read_known_faults(path, None).flaws(TOOLBOX, SIGNALS) == []


def test_every_flaw_is_found_by_the_lint_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, ("tool: close", "tool: clos"), ("signal: door.open", "signal: door.opn"))
    found = read_known_faults(path, None).flaws(TOOLBOX, SIGNALS)
    assert [flaw.line for flaw in found] == [line_of(path, "opn"), line_of(path, "Close")]


def test_the_sound_catalogue_of_these_tests_is_sound(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert path.read_text() == FAULT
    assert read_known_faults(path, None).flaws(TOOLBOX, SIGNALS) == []


@pytest.mark.parametrize("name", content.squads())
def test_the_catalogues_that_come_with_the_product_are_sound(name: str) -> None:
    assert read_known(name, None).flaws(toolbox_of(name), content.signal_ids()) == []


def test_what_no_tool_gives_is_told_from_what_one_gives() -> None:
    given = content.signal_ids()
    # Written out, chosen by a table, and put together from the kind of the probe.
    assert {"container.oom_killed", "quota.changed", "probe.*_failed"} <= {*given}
    assert not {"container.recovered", "container.oomkilled", "node.notready"} & {*given}
