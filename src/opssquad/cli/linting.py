"""What `policy check` and `policy lint` look at: the files in force, or those that are named."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from opssquad import content
from opssquad.documents import BadFile
from opssquad.extensions import library
from opssquad.gate.layers import files_in_force
from opssquad.gate.rules.alone import House, KnownTool
from opssquad.gate.rules.lint import Finding, lint
from opssquad.gate.rules.reading import Layer, Origin
from opssquad.settings import found
from opssquad.squad.known import squads
from opssquad.squad.ruled import own_policies


@dataclass(frozen=True)
class Line:
    """What is said of one file."""

    text: str
    good: bool = True


def checked(files: Sequence[Path], organisation: Path | None) -> Iterator[Line]:
    """A line for each file, included ones too."""
    for origin, path in [(_origin(path), path) for path in files] or _in_force(organisation):
        try:
            layer = Layer.read(path, origin)
        except BadFile as error:
            yield Line(f"{error.file}:{error.line or 1}: {error.reason}", good=False)
            continue
        for file, _ in layer.files:
            count = sum(placed.file == file for placed in layer.rules)
            told = f"{count} {'rule' if count == 1 else 'rules'}"
            about = sum(placed.file == file for placed in layer.destinations)
            told += f", {about} about destinations" if about else ""
            yield Line(f"{file}: ok, {told}")


def linted(files: Sequence[Path], organisation: Path | None) -> tuple[list[Finding], int]:
    """What is odd, and how many rules were looked at. Raises BadFile."""
    house = _house(organisation)
    odd: set[Finding] = set()
    looked_at: dict[str, None] = {}
    for stack in [_around(path, organisation) for path in files] or _stacks(organisation):
        layers = [Layer.read(path, origin) for origin, path in stack]
        wanted = layers[-1:] if files else layers
        places = {file for layer in wanted for file, _ in layer.files}
        odd |= {each for each in lint(layers, house) if each.file in places}
        looked_at.update((str(placed), None) for layer in wanted for placed in layer.rules)
        looked_at.update((str(placed), None) for layer in wanted for placed in layer.destinations)
    return sorted(odd), len(looked_at)


def _origin(path: Path) -> Origin:
    return "squad" if (path.parent / "squad.yaml").is_file() else "organisation"


def _in_force(organisation: Path | None) -> list[tuple[Origin, Path]]:
    return [*files_in_force(content.policy(), organisation, None), *own_policies()]


def _stacks(organisation: Path | None) -> list[list[tuple[Origin, Path]]]:
    """The layers of each squad."""
    below = files_in_force(content.policy(), organisation, None)
    stacks: dict[tuple[Path, ...], list[tuple[Origin, Path]]] = {}
    for each in squads().values():
        own = tuple(path for path in each.policies if found(path))
        stacks[own] = [*below, *(("squad", path) for path in own)]
    return list(stacks.values())


def _around(path: Path, organisation: Path | None) -> list[tuple[Origin, Path]]:
    """The layers below a file, and the file."""
    if path.resolve() == content.policy().resolve():
        return [("bundled", path)]
    if _origin(path) == "squad":
        return files_in_force(content.policy(), organisation, path)
    return files_in_force(content.policy(), path, None)


def _house(organisation: Path | None) -> House:
    tools = {
        name: KnownTool(tool.effect, tool.parameters().get("properties", {}))
        for name, tool in library.all_tools().items()
    }
    # A part of the organisation's policy may name roles that another part of it defines.
    people = Layer.read(organisation, "organisation").roles if organisation else {}
    return House(tools, tuple(squads()), people)
