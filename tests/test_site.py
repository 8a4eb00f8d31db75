"""The site of the documentation is built from docs/ and from the code; what leads nowhere fails."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from opssquad.cli.app import COMMANDS

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        check=True,
    )
    return folder


def test_every_page_is_in_the_navigation() -> None:
    listed = re.findall(r"[\w/-]+\.md", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    pages = [str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")]
    assert sorted(listed) == sorted(pages)


def test_it_fetches_nothing_from_elsewhere(site: Path) -> None:
    fetched = re.compile(
        r'(?:<script[^>]+src|<link[^>]+rel="stylesheet"[^>]+href|<img[^>]+src)="(https?:)?//'
    )
    assert [str(page) for page in site.rglob("*.html") if fetched.search(page.read_text("utf-8"))] == []


def test_every_command_is_in_the_reference(site: Path) -> None:
    commands = (site / "reference" / "commands" / "index.html").read_text("utf-8")
    assert [name for name in COMMANDS if f'id="{name}"' not in commands] == []


def test_nothing_of_the_libraries_insides_shows(site: Path) -> None:
    assert "Sentinel" not in (site / "reference" / "commands" / "index.html").read_text("utf-8")
