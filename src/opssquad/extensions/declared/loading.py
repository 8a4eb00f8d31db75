"""Reads files of declared tools. Whatever is wrong with one tool, the others are there."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError, create_model

from opssquad.documents import BadFile, Placed, misfit, misplaced, parse_placed, read_text
from opssquad.errors import ToolError
from opssquad.extensions.declared.document import KINDS, AnyTool, Secret, ToolFile, Written
from opssquad.extensions.declared.making import DeclaredTool, make
from opssquad.extensions.declared.sound import check, steps
from opssquad.extensions.declared.steps import Secrets
from opssquad.extensions.declared.unsound import Place, Unsound
from opssquad.extensions.loaded import Broken, Loaded
from opssquad.extensions.settings import FILE, Own, ToolSettings, read
from opssquad.types import Json


def load(path: Path, secrets: Secrets | None = None, source: str = "") -> Loaded:
    """The tools of a file, or of every `*.yaml` of a folder. `secrets` gives a secret by its name; without it
    they stand in `tools.yaml` beside the folder, in the section that is called as the file. `source` is
    what tools say of where they come from, else their file. Nothing is raised for what stands in files."""
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    found = [_of_file(file, secrets) for file in files if not file.name.startswith("_")]
    tools = [tool for each in found for tool in each.tools]
    if source:
        tools = [replace(tool, source=source) for tool in tools]
    return Loaded(tuple(tools), tuple(broken for each in found for broken in each.broken))


def schema() -> Json:
    """The JSON Schema of a file, for editors."""
    made = ToolFile.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": "opssquad tools"}


def _of_file(file: Path, secrets: Secrets | None) -> Loaded:
    try:
        written = parse_placed(read_text(file), Written, file)
        parts = list(_parts(file, written))
    except BadFile as error:
        return Loaded(broken=(Broken(file, error.line or 0, file.stem, error.reason),))
    sound: list[tuple[Place, AnyTool]] = []
    broken: list[Broken] = []
    for place, data in parts:
        name = str(data.get("name") or file.stem) if isinstance(data, dict) else file.stem
        try:
            sound.append((place, _sound(data)))
        except Unsound as error:
            line = written.line(*place, *error.place)
            broken.append(Broken(file, line, name, _told(data, error)))
    return _made(file, written, sound, broken, secrets)


def _made(
    file: Path,
    written: Placed[Written],
    sound: Sequence[tuple[Place, AnyTool]],
    broken: list[Broken],
    secrets: Secrets | None,
) -> Loaded:
    names = frozenset(name for _, tool in sound for name in _secrets(tool))
    found: dict[str, DeclaredTool] = {}
    for place, tool in sound:
        line = written.line(*place)
        for made in make(tool, file, line, secrets or _own(file, names)):
            if made.name in found:
                why = f"tool {made.name!r} is there already, at line {found[made.name].line}; rename one"
                broken.append(Broken(file, line, made.name, why))
            else:
                found[made.name] = made
    return Loaded(tuple(found.values()), tuple(broken))


def _parts(file: Path, written: Placed[Written]) -> Iterator[tuple[Place, Any]]:
    """The tools of a file, as they stand there, each with its place."""
    data = written.value.root
    if "tools" not in data:
        yield (), data
        return
    if odd := next((key for key in data if key != "tools"), None):
        raise BadFile(file, f"{odd}: stands beside `tools`; it belongs into one of them", written.line(odd))
    if not isinstance(data["tools"], list) or not data["tools"]:
        raise BadFile(file, "tools: must be a list of tools", written.line("tools"))
    for number, each in enumerate(data["tools"]):
        yield ("tools", number), each


def _sound(data: Any) -> AnyTool:
    """The tool. Raises Unsound."""
    if not isinstance(data, dict):
        raise Unsound((), "must be a mapping of keys to values")
    kind = data.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        said = "is missing" if kind is None else f"{kind!r} is none"
        raise Unsound(("kind",), f"{said}; write one of {', '.join(KINDS)}")
    model = KINDS[kind]
    try:
        tool = model.model_validate(data)
    except ValidationError as error:
        raise Unsound(misplaced(error), misfit(error, model).partition(": ")[2]) from None
    check(tool)
    return tool


def _told(data: Any, error: Unsound) -> str:
    """What is wrong, after the name of the tool and the keys that lead there."""
    name = data.get("name") if isinstance(data, dict) else None
    head = f"tool {name!r}: " if isinstance(name, str) else ""
    place = f"{'.'.join(map(str, error.place))}: " if error.place else ""
    return f"{head}{place}{error.why}"


def _secrets(tool: AnyTool) -> Iterator[str]:
    for _, step in steps(tool):
        for values in (getattr(step, "env", {}), getattr(step, "headers", {})):
            yield from (each.secret for each in values.values() if isinstance(each, Secret))


def _own(file: Path, names: frozenset[str]) -> Secrets:
    """The secrets of a file, from `tools.yaml`."""

    def secret(name: str) -> str:
        # At the call: most files have none, and a model takes a while to make.
        fields: dict[str, Any] = {each: (SecretStr | None, None) for each in names}
        kind = create_model("Secrets", __base__=ToolSettings, **fields)
        own = Own(file.resolve())
        found = getattr(read(kind, own), name, None)
        if not isinstance(found, SecretStr):
            raise ToolError(
                f"there is no secret {name}; write it into {own.settings}: "
                f"{file.stem}: {{{name}: {{env: VARIABLE}}}} (see {FILE} in the docs)"
            )
        return found.get_secret_value()

    return secret
