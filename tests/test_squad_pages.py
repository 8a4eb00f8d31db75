"""The pages of the squads say what catalogue and tools are: faults, signals, recordings, what is lacking."""

import re
from pathlib import Path

import pytest

from opssquad.cli.faultpage import markdown
from opssquad.content import signal_ids
from opssquad.squad.knowledge import known_faults
from tests.squad_pages import NO_SIGNALS, PAGE, PARTS, families, part

TEXT = PAGE.read_text(encoding="utf-8")
TAXONOMY = {
    *(f"K{number:02}" for number in range(1, 28)),
    *(f"N{number:02}" for number in range(1, 14)),
    *(f"D{number:02}" for number in range(1, 16)),
    *(f"P{number:02}" for number in range(1, 13)),
    *(f"Z{number}" for number in range(1, 6)),
}
"""The field's faults by their ids."""
OURS = {"N14", "N15", "N16", "N17"}
"""What probes of hosts outside show, of which the field has no id."""


@pytest.mark.parametrize(("page", "name"), PARTS, ids=lambda each: getattr(each, "stem", each))
def test_a_table_of_a_page_is_as_it_is_made_now(page: Path, name: str) -> None:
    text = page.read_text(encoding="utf-8")
    assert part(text, name) == PARTS[page, name](), "python -m tests.squad_pages writes it anew"


def test_every_fault_of_the_field_has_an_entry_or_a_reason_why_not() -> None:
    known = [each.fault for each in known_faults("k8s", None).entries]
    entries = {each.id for each in known if not each.form_of} - OURS
    section = TEXT.split("## Without an entry")[1]
    reasons = re.findall(
        r"^\| ([KNDPZ]\d+(?:, [KNDPZ]\d+)*|[KNDPZ]\d+ to [KNDPZ]\d+) \| (.+) \|$", section, re.M
    )
    named = [id for ids, _ in reasons for id in _spread(ids)]
    assert len(named) == len(set(named))
    assert set(named) & entries == set(), "it has an entry now: take its row out"
    assert set(named) | entries == TAXONOMY
    assert all(len(reason) > 20 for _, reason in reasons)


def _spread(ids: str) -> list[str]:
    first, to, last = ids.partition(" to ")
    if not to:
        return ids.split(", ")
    width = len(first) - 1
    return [f"{first[0]}{number:0{width}}" for number in range(int(first[1:]), int(last[1:]) + 1)]


def test_every_signal_stands_in_one_family() -> None:
    told = [each for ids in families().values() for each in ids]
    known = {
        each for each in signal_ids("database", "network") if not {each, each.partition(".")[0]} & NO_SIGNALS
    }
    assert sorted(told) == sorted(known)


def test_the_table_has_what_is_required_and_what_must_not_be_done() -> None:
    table = markdown(known_faults("k8s", None)).splitlines()
    (row,) = (each for each in table if each.startswith("| **N04**"))
    assert "`*.unresolved` (required)" in row
    assert "`logs`: Read the logs of {anchor.owner.name}" in row
    (row,) = (each for each in table if each.startswith("| **K25**"))
    assert "not rollback - pods of every revision fail on {name}" in row
    assert {line.count(" | ") for line in table} == {4}
