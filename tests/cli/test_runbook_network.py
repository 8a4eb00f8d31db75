"""The network squad's runbooks, walked on recorded incidents that they are for, and on a sound network."""

import json
from pathlib import Path
from typing import Any

import pytest

from opssquad import content
from opssquad.cli.app import run
from opssquad.cli.failures import INCONCLUSIVE, OK

SOUND = "gipfel-0212"
BOOKS = {
    "dns": {"namespace": "piste"},
    "refused": {"namespace": "piste", "name": "kassenfront"},
    "policy": {"namespace": "piste"},
    "tls": {"host": "kasse.gipfelpass.example"},
    "timeout": {"host": "kasse.gipfelpass.example", "port": "443"},
    "node-network": {"node": "bergrechner-1"},
}
"""Each with what it is walked for where nothing is wrong."""


@pytest.fixture
def walked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Walks a book on a recording, every card approved; gives exit code and what it says as JSON."""
    monkeypatch.setenv("OPSSQUAD_STATE", str(tmp_path))

    def walk(book: str, recording: str, **given: str) -> tuple[int, Any]:
        words = [word for name, value in given.items() for word in ("--set", f"{name}={value}")]
        line = ["runbook", "run", book, "--squad", "network", "--recording", recording, *words]
        code = run([*line, "--approve", "all", "--json"])
        return code, json.loads(capsys.readouterr().out)

    return walk


def test_every_book_of_the_squad_is_walked_here_and_short() -> None:
    files = sorted((content.squad("network") / "runbooks").glob("*.md"))
    assert [each.stem for each in files] == sorted(BOOKS)
    assert all(len(each.read_text().splitlines()) <= 120 for each in files)


@pytest.mark.parametrize("book", sorted(BOOKS))
def test_a_sound_network_is_found_steady_and_nothing_is_changed(walked: Any, book: str) -> None:
    code, told = walked(book, SOUND, **BOOKS[book])
    assert (code, told["walk"]["ended"]) == (OK, "steady")
    assert told["report"]["actions"] == []


@pytest.mark.parametrize(
    ("book", "recording", "given", "names"),
    [
        ("dns", "brew-0201", {"namespace": "brewhouse"}, "tanklog"),
        ("dns", "brew-0222", {"namespace": "trade"}, "coredns"),
        ("dns", "brew-0308", {"namespace": "trade"}, "billing"),
        ("refused", "brew-0329", {"namespace": "brewhouse", "name": "tanklog"}, "cellar"),
        ("refused", "gipfel-0108", {"namespace": "piste", "name": "skipassverkauf"}, "no-endpoints"),
        ("tls", "gipfel-0129", {"host": "kasse.gipfelpass.example"}, "2029-01-29T06:00:00Z"),
        ("timeout", "gipfel-0219", {"host": "karte.gipfelpass.example", "port": "443"}, "dropped"),
    ],
)
def test_what_is_wrong_is_left_to_whoever_can_mend_it_by_name(
    walked: Any, book: str, recording: str, given: dict[str, str], names: str
) -> None:
    code, told = walked(book, recording, **given)
    assert code == INCONCLUSIVE
    assert names in " ".join(told["walk"]["left"])
    assert told["report"]["actions"] == []


@pytest.mark.parametrize(
    ("book", "recording", "given", "tool"),
    [
        ("refused", "gipfel-0115", {"namespace": "piste", "name": "skipassverkauf"}, "set_service"),
        ("policy", "gipfel-0122", {"namespace": "piste"}, "patch"),
    ],
)
def test_what_can_be_mended_is_mended_and_the_steady_state_holds(
    walked: Any, book: str, recording: str, given: dict[str, str], tool: str
) -> None:
    code, told = walked(book, recording, **given)
    assert code == OK
    assert [each["tool"] for each in told["report"]["actions"]] == [tool]


def test_a_node_is_closed_and_what_is_wrong_with_it_stays_told(walked: Any) -> None:
    code, told = walked("node-network", "gipfel-0205", node="bergrechner-2")
    assert code == INCONCLUSIVE
    assert [each["tool"] for each in told["report"]["actions"]] == ["cordon"]
    assert told["report"]["conclusion"]["causes"][0]["component"]["name"] == "bergrechner-2"
