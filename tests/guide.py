"""Follows a page of the documentation: writes its files, runs its commands, looks for what it shows."""

import re
import shlex
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
EXIT = re.compile(r"\s+# exit code (\d)$")


@dataclass
class Guide:
    """A reader with an empty home and an empty folder. `opssquad` runs a command and gives its exit code and
    what it said, `environ` sets a variable, `installed` puts a folder on the path."""

    home: Path
    work: Path
    opssquad: Callable[..., tuple[int, str]]
    environ: Callable[[str, str], None]
    installed: Callable[[Path], None]

    def follow(self, page: str) -> None:
        """Do what each block says, in order."""
        for kind, text in BLOCK.findall(page):
            if kind == "console":
                self._run_all(text)
            else:
                self._write(text)

    def _write(self, text: str) -> None:
        """A file: its first line says where."""
        first, _, rest = text.partition("\n")
        assert re.fullmatch(r"# [~.]/\S+", first), f"a block says in its first line what file it is: {first}"
        name = first.removeprefix("# ")
        path = self.home / name[2:] if name.startswith("~") else self.work / name[2:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(rest, encoding="utf-8")
        if path.name == "pyproject.toml":
            self._install(path)

    def _install(self, path: Path) -> None:
        """What installing such a package leaves: its metadata, on the path."""
        project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
        info = path.parent / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
        )
        lines = [
            line
            for group, points in project["entry-points"].items()
            for line in (f"[{group}]", *(f"{name} = {place}" for name, place in points.items()))
        ]
        (info / "entry_points.txt").write_text("\n".join(lines))
        self.installed(path.parent)

    def _run_all(self, text: str) -> None:
        said = ""
        for line in text.splitlines():
            if line.startswith("$ "):
                said = self._run(line.removeprefix("$ "))
            else:
                assert _plain(line) in said, f"{line!r} is not in:\n{said}"

    def _run(self, line: str) -> str:
        """Type a line; what was said, blanks and line breaks aside."""
        expected = EXIT.search(line)
        name, *words = shlex.split(EXIT.sub("", line))
        if name == "export":
            for each in words:
                self.environ(*each.split("=", 1))
            return ""
        assert name == "opssquad", line
        code, told = self.opssquad(*(re.sub(r"^~", str(self.home), each) for each in words))
        assert code == int(expected[1] if expected else 0), f"{line}\n{told}"
        return _plain(told)


def _plain(text: str) -> str:
    return " ".join(text.split())
