"""The suites that take minutes are left out by default and run by name."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_what_takes_minutes_is_left_out_by_default_and_has_a_command_of_its_own() -> None:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]
    assert "-m 'not long'" in options["ini_options"]["addopts"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "--dist worksteal -m long" in makefile
    assert "make test-long" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
