"""A folder of one's own, apart from whatever this machine has."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

Write = Callable[[str, str], Path]


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that OPSSQUAD_OWN names, with `tools/` in it; the state and the working folder are apart."""
    folder = tmp_path / "own"
    (folder / "tools").mkdir(parents=True)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("OPSSQUAD_OWN", str(folder))
    monkeypatch.setenv("OPSSQUAD_STATE", str(tmp_path / "state"))
    return folder


@pytest.fixture
def write(own: Path) -> Write:
    """Writes a file of tools, with the imports that most need."""

    def written(name: str, text: str) -> Path:
        path = own / "tools" / name
        path.write_text(f"from opssquad import tool\n{dedent(text)}", encoding="utf-8")
        return path

    return written
