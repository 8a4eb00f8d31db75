"""Reading a runbook and saying what is wrong with it: file, line and reason."""

from pathlib import Path

import pytest

from opssquad.documents import BadFile
from opssquad.errors import UsageError
from opssquad.squad.runbooks.known import as_begun, for_faults, shelf, sound
from opssquad.squad.runbooks.reading import read_runbook
from opssquad.squad.runbooks.soundness import flaws
from tests.squad.runbooks import HOUSE, TEXT, line_of, written

SQUADS = Path(__file__).resolve().parents[2] / "squads" / "k8s" / "runbooks"
OF_A_SQUAD = SQUADS / "crash-loop.md"
CHECK = "```yaml steady\nsay: is it quiet?\ntool: look\nargs: {at: x}\nexpect:\n  - {data: {a: b}}\n```\n"


def test_a_runbook_is_read_with_its_sections_steps_and_check(tmp_path: Path) -> None:
    book = written(tmp_path)
    assert flaws(book, HOUSE) == []
    assert [section.name for section in book.sections] == [
        "Meaning", "Impact", "Diagnosis", "Mitigation", "Rollback", "Escalation", "Links"]  # fmt: skip
    assert list(book.steps) == ["locked", "turn", "turn-back"]
    assert ([check.tool for check in book.checks], book.first(), book.after("locked")) == (
        ["look"],
        "locked",
        "stop",
    )
    assert [s.parts[0] for s in book.sections if s.name == "Meaning"] == ["It is shut."]


@pytest.mark.parametrize("fence", ["```yaml\n", "~~~yaml\n", "```yaml title\n"[:8] + "\n", "```sh\n"])
def test_other_code_is_for_the_reader(tmp_path: Path, fence: str) -> None:
    marks = fence[:3]
    book = written(tmp_path, ("It is shut.", f"It is shut.\n\n{fence}## no heading\nid: none\n{marks}"))
    assert flaws(book, HOUSE) == []
    assert "## no heading" in str(book.sections[0].parts[0])


@pytest.mark.parametrize(
    ("old", "new", "at", "reason"),
    [
        ("---\nid", "id", "id:", "a runbook begins with front matter"),
        ("title: A door", "titel: A door", "titel", "titel: unknown key; did you mean 'title'?"),
        ("on_fail: turn-", "on_fial: turn-", "on_fial", "on_fial: unknown key; did you mean 'on_fail'?"),
        ("   tool: look", "   tool: [look", "   tool: [look", "not YAML"),
        ("```yaml steady", "```yaml stedy", "stedy", "a block of 'yaml stedy' is none; give `yaml step`"),
        ("id: locked", "id: Locked Door", "Locked", "id: string should match pattern"),
        ("{signal: door.shut, absent", "{signal: door.shut, data: {a: b}, absent", "data",
         "give one of signal"),
        ("{signal: door.locked, name: lock}", "{data: {a: b}, name: lock}", "name: lock",
         "name is for a signal"),
        ("absent: true}", "absent: true, name: x}", "name: x", "what is absent has no facts to name"),
        ("title: A door", "not_looked_at: ['']\ntitle: A door", "not_looked_at", "not_looked_at.0: string"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, at: str, reason: str
) -> None:
    assert TEXT.count(old)
    path = tmp_path / "door.md"
    path.write_text(TEXT.replace(old, new, 1))
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if at in text)
    with pytest.raises(BadFile) as raised:
        read_runbook(path, "squad")
    assert raised.value.reason.removeprefix("branch.0.when.0: ").removeprefix("expect.0: ").startswith(reason)
    assert abs((raised.value.line or 0) - line) <= 1
    assert str(path) in str(raised.value)


def test_a_block_without_an_end_is_told_where_it_begins(tmp_path: Path) -> None:
    path = tmp_path / "door.md"
    path.write_text(TEXT[: TEXT.index("id: turn-back")])
    with pytest.raises(BadFile, match="the block that begins here has no end") as raised:
        read_runbook(path, "squad")
    assert path.read_text().splitlines()[(raised.value.line or 0) - 1] == "```yaml step"


@pytest.mark.parametrize(
    ("old", "new", "at", "text"),
    [
        ("id: door", "id: gate", "id: gate", "the file is called door.md; name it gate.md"),
        ("[F1]", "[F9]", "F9", "the squad has no fault 'F9'; there is: F1, F2"),
        ("## Impact\nNobody comes in.\n", "", "---", "the section `## Impact` is missing"),
        ("## Links", "## Impact", "## Impact", "stands here a second time"),
        ("The landlord.", "", "## Escalation", "`## Escalation` says nothing"),
        ("## Meaning\nIt is shut.\n\n## Impact\nN", "## Impact\nN", "---", "`## Meaning` is missing"),
        ("It is shut.", "```yaml step\nid: x\nsay: x\ntool: look\nargs: {at: x}\n```", "yaml step",
         "no step can stand here; they are in Diagnosis, Mitigation, Rollback"),
        ("id: turn-back", "id: locked", "id: locked", "another step has the id 'locked'"),
        ("id: turn-back", "id: over", "id: over", "'over' has a meaning of its own"),
        ("tool: look\n   args", "tool: lok\n   args", "tool: lok",
         "the squad has no tool 'lok'; there is: look"),
        ("times: 1}", "time: 1}", "time: 1", "turn takes no 'time'; there is: times"),
        (", times: 1}", "}", "args: {door: '{name}'}", "turn cannot be called without times"),
        ("times: 1}", "times: once}", "once", "Input should be a valid integer"),
        ("approve: true\non_fail", "on_fail", "id: turn", "it changes something: say `approve: true`"),
        ("   branch:", "   approve: true\n   branch:", "approve", "it only reads; leave `approve` out"),
        ("goto: turn", "goto: trun", "trun", "there is no step 'trun'; there is: turn"),
        ("on_fail: turn-back", "on_fail: back", "on_fail", "there is no step 'back'; there is: turn-back"),
        ("{lock.owner.name}", "{loc.owner.name}", "loc.", "nothing fills {loc.owner.name}; there is: lock"),
        ("goto: turn\n", "goto: turn\n       say: so\n", "say: so",
         "it says what is left where a walk stops"),
        ("{signal: door.locked,", "{signal: door.loked,", "loked",
         "no tool gives 'door.loked'; there is: door.l"),
        ("{signal: door.locked, name: lock}", "{check: [better]}", "check",
         "only a change is followed by a check"),
        ("on_fail: turn-back", "on_fail: stop", "```yaml step\nid: turn-back", "no step leads here"),
        ("- goto: stop\n       say: ask who built {name}", "- goto: locked", "yaml step",
         "this goes round and round: locked -> locked"),
        ("```yaml steady", "```yaml step\nid: again", "---", "the steady-state check is missing"),
        ("```yaml steady", CHECK * 4 + "```yaml steady", "```yaml steady\nsay: is front",
         "more than 4 checks of the steady state"),
        ("say: is {name} open?\ntool: look\nargs: {at: '{name}'}",
         "say: x\ntool: turn\nargs: {door: a, times: 1}",
         "tool: turn", "the steady state is only looked at"),
    ],
)  # fmt: skip
def test_what_cannot_be_so_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, at: str, text: str
) -> None:
    book = written(tmp_path, (old, new))
    found = flaws(book, HOUSE)
    fitting = [flaw for flaw in found if text in flaw.text]
    assert fitting, [str(flaw) for flaw in found]
    lines = book.file.read_text().splitlines()
    assert fitting[0].file == str(book.file)
    assert 1 <= fitting[0].line <= len(lines)
    if "\n" not in at and text.startswith(
        ("there is no step", "turn takes", "it only", "no tool", "nothing")
    ):
        assert fitting[0].line in (line_of(book, at), line_of(book, at) - 1)


def test_a_way_round_over_several_steps_is_found(tmp_path: Path) -> None:
    book = written(tmp_path, ("times: 1}\napprove: true", "times: 1}\napprove: true\non_fail: locked"))
    assert [flaw.text for flaw in flaws(book, HOUSE)] == [
        "locked: this goes round and round: locked -> turn -> turn-back -> locked"
    ]


def own(folder: Path, name: str, text: str) -> Path:
    (folder / "k8s").mkdir(parents=True, exist_ok=True)
    path = folder / "k8s" / name
    path.write_text(text)
    return path


def test_the_organisations_runbook_takes_the_place_that_it_says_it_takes(tmp_path: Path) -> None:
    theirs = OF_A_SQUAD.read_text()
    path = own(tmp_path, "crash-loop.md", theirs)
    with pytest.raises(BadFile, match="say `replaces: true`, or take another id"):
        sound("k8s", tmp_path, None, "crash-loop")
    path.write_text(theirs.replace("title:", "replaces: true\ntitle:", 1))
    assert sound("k8s", tmp_path, None, "crash-loop").file == path
    own(tmp_path, "our-crash.md", theirs.replace("id: crash-loop", "id: our-crash", 1))
    assert for_faults("k8s", tmp_path, "K01") == ("crash-loop", "our-crash")
    own(tmp_path, "README.md", "about these\n")
    own(tmp_path, "broken.md", "no front matter\n")
    known = shelf("k8s", tmp_path)
    assert [Path(flaw.file).name for flaw in known.unread] == ["broken.md"]
    with pytest.raises(BadFile, match="begins with front matter"):
        known.get("broken")
    with pytest.raises(UsageError, match="no runbook 'crash'; there is: "):
        known.get("crash")


def test_one_that_replaces_nothing_is_told(tmp_path: Path) -> None:
    text = OF_A_SQUAD.read_text().replace("id: crash-loop", "id: ours\nreplaces: true", 1)
    own(tmp_path, "ours.md", text)
    assert "it replaces a runbook that the squad does not have" in shelf("k8s", tmp_path).unread[0].text


def test_a_folder_that_is_none_is_told_by_the_commands_and_hinders_no_conclusion(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="OPSSQUAD_RUNBOOKS: .* is no folder that can be read"):
        shelf("k8s", tmp_path / "absent")
    assert for_faults("k8s", tmp_path / "absent", "K01") == ()
    assert for_faults("k8s", None, "K01") == ("crash-loop",)


def test_a_run_goes_on_only_with_the_text_that_it_began_with(tmp_path: Path) -> None:
    book = shelf("k8s", None).get("pending")
    same, why = as_begun("k8s", None, "pending", book.digest)
    assert (same and same.file, why) == (book.file, "")
    changed, why = as_begun("k8s", None, "pending", "0" * 12)
    assert changed is None
    assert "is not what it was when this run began; run it anew" in why
    gone, why = as_begun("k8s", None, "pendin", book.digest)
    assert gone is None
    assert "no runbook 'pendin'" in why
