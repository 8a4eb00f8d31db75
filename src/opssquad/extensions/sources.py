"""Where tools and squads of one's own are found: the user's folder, the project's, installed packages.

A project's folder runs code that came with it, so it counts only once its owner was trusted.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from opssquad.errors import UsageError
from opssquad.settings import Settings

PROJECT = "opssquad"
"""The folder of a project's own, in the working folder."""
TRUSTED = "trusted.json"
ENTRY_POINT = "opssquad.tools"


@dataclass(frozen=True)
class Source:
    """A folder that holds `tools/` and `squads/`; what is not `trusted` is not loaded."""

    kind: Literal["user", "project"]
    folder: Path
    trusted: bool = True

    @property
    def tools(self) -> Path:
        """Its tools."""
        return self.folder / "tools"

    @property
    def squads(self) -> tuple[Path, ...]:
        """The folders of its squads, in the order of their names; none of what is not trusted."""
        found = sorted((self.folder / "squads").glob("*/")) if self.trusted else []
        return tuple(each for each in found if not each.name.startswith((".", "_")))


def sources(settings: Settings) -> tuple[Source, ...]:
    """Those that there are, the user's first. Raises UsageError."""
    found = [Source("user", settings.own)] if settings.own.is_dir() else []
    project = Path.cwd() / PROJECT
    holds = any((project / each).is_dir() for each in ("tools", "squads"))
    if holds and project.resolve() != settings.own.resolve():
        found.append(Source("project", project, project.resolve() in trusted(settings.state)))
    return tuple(found)


def trusted(state: Path) -> frozenset[Path]:
    """The projects' folders that were trusted. Raises UsageError for a list that cannot be read."""
    file = state / TRUSTED
    try:
        listed = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return frozenset()
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{file} cannot be read: {error}; delete it, and trust again what you trust"
        ) from error
    return frozenset(Path(each) for each in listed if isinstance(each, str))


def trust(state: Path, folder: Path) -> None:
    """Trust a project's folder from now on. Raises UsageError."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder; give one that holds tools/ or squads/")
    known = sorted({str(each) for each in trusted(state)} | {str(folder.resolve())})
    state.mkdir(parents=True, exist_ok=True)
    part = state / f"{TRUSTED}.part"
    part.write_text(json.dumps(known), encoding="utf-8")
    part.replace(state / TRUSTED)
