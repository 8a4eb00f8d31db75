"""`squad.yaml` of one's own as it is written: all that it does not say is said by the squad that it extends.

One file alone; what it stands on is found by `standing`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from string import Formatter
from typing import Any

from pydantic import Field

from opssquad import content
from opssquad.diagnosis.soundness import nearest
from opssquad.documents import BadFile, Placed, parse_placed, parse_yaml, read_text
from opssquad.errors import UsageError
from opssquad.extensions.loaded import Broken
from opssquad.squad.spec import HandsOver, Limits, SquadSpec, World
from opssquad.types import Value

FILE = "squad.yaml"
PROMPT = "prompt.md"
"""The prompt of a squad's own, beside its `squad.yaml`."""
HOLES = ("cluster", "namespace", "database", "now")
"""What a prompt may name in braces."""
ADDED = ("tools", "knows", "hands_over")
"""Keys whose lists are added to the parent's."""
NEEDED = ("title", "description", "prompt", "tools")
"""What a squad must say that extends no other."""


class SquadFile(Value):
    """A squad of one's own. With `extends` what is not said is the parent's: `tools`, `knows` and
    `hands_over` add to it, `without` takes tools away, of `limits` each stands for itself. `prompt` is the
    name of a bundled one; a file `prompt.md` in the folder takes its place."""

    name: str = ""
    extends: str = ""
    title: str = ""
    description: str = ""
    world: World | None = None
    prompt: str = ""
    tools: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    limits: Limits | None = None
    knows: tuple[str, ...] = ()
    hands_over: tuple[HandsOver, ...] = Field(default=())


@dataclass(frozen=True)
class Layer:
    """A folder that a squad stands on, and the name of the squad that it is of; `said` is its `squad.yaml`
    where it is one's own."""

    name: str
    folder: Path
    said: Placed[SquadFile] | None = None

    @property
    def file(self) -> Path:
        """Its `squad.yaml`."""
        return self.folder / FILE

    def broken(self, why: str, *place: int | str) -> Broken:
        """The folder as one that is left out."""
        line = self.said.line(*place) if self.said and place else 0
        return Broken(self.file, line, self.name, why)

    def there(self, name: str) -> Path | None:
        """A file of the folder; None where it has none of that name."""
        path = self.folder / name
        # A link that leads nowhere is a file that cannot be read, not none.
        return path if path.exists() or path.is_symlink() else None


def name_flaw(name: str) -> str:
    """Why a squad cannot have that name; empty where it can."""
    plain = name.replace("-", "").replace("_", "")
    return "" if plain.isascii() and plain.isalnum() else "a squad's name has letters, digits, - and _"


def read_layer(folder: Path) -> Layer:
    """The folder of a squad of one's own. Raises BadFile for what can be meant by no squad."""
    path = folder / FILE
    if not path.is_file():
        raise BadFile(folder, f"it has no {FILE}; write one, or move the folder away")
    said = parse_placed(read_text(path), SquadFile, path)
    given = said.value
    if why := name_flaw(folder.name):
        raise BadFile(folder, f"{why}; give the folder another name")
    if given.name not in ("", folder.name):
        why = f"name: it is called {given.name!r}, and its folder {folder.name!r}; leave `name` out"
        raise BadFile(path, why, said.line("name"))
    if not given.extends:
        if given.without:
            raise BadFile(
                path, "without: it extends no squad, so nothing is to take away", said.line("without")
            )
        own = {"prompt"} if (folder / PROMPT).exists() else set()
        if lacking := [key for key in NEEDED if key not in own and not getattr(given, key)]:
            raise BadFile(path, f"{lacking[0]} is missing; say it, or `extends: k8s`")
    return Layer(folder.name, folder, said)


def merged(layers: Sequence[Layer], joining: Sequence[str] = ()) -> SquadSpec:
    """What the folders say together, the furthest first; `joining` are tools that join by their own word.
    Raises BadFile for a bundled file."""
    told: dict[str, Any] = {"knows": (), "hands_over": (), "tools": (), "limits": {}}
    gone: tuple[str, ...] = ()
    for layer in layers:
        gone = _add(told, layer) or gone
    told["tools"] = [*told["tools"], *(name for name in joining if name not in gone)]
    names = {layer.name for layer in layers}
    knows = tuple(name for name in dict.fromkeys(told["knows"]) if name not in names)
    return SquadSpec.model_validate({**told, "knows": knows, "tools": tuple(dict.fromkeys(told["tools"]))})


def _add(told: dict[str, Any], layer: Layer) -> tuple[str, ...]:
    """Add what one folder says; the tools that it takes away."""
    given = layer.said.value if layer.said else _bundled(layer)
    said = {key: value for key in given.model_fields_set if (value := getattr(given, key))}
    said.pop("extends", None)
    said.pop("without", None)
    if limits := said.pop("limits", None):
        told["limits"] = {**told["limits"], **limits.model_dump(exclude_unset=True)}
    without = given.without if isinstance(given, SquadFile) else ()
    told["tools"] = tuple(name for name in told["tools"] if name not in without)
    for key in ADDED:
        told[key] = (*told[key], *said.pop(key, ()))
    told |= {**said, "name": layer.name}
    if layer.said and layer.there(PROMPT):
        told["prompt"] = PROMPT
    return without


def _bundled(layer: Layer) -> SquadSpec:
    return _parsed(read_text(layer.file), layer.file)


@lru_cache(maxsize=16)
def _parsed(text: str, path: Path) -> SquadSpec:
    return parse_yaml(text, SquadSpec, path)


def prompt_text(layers: Sequence[Layer], spec: SquadSpec) -> str:
    """The words that a squad's prompt is made from. Raises UsageError."""
    if spec.prompt != PROMPT:
        return content.prompt(spec.prompt)
    own = next(path for layer in reversed(layers) if layer.said and (path := layer.there(PROMPT)))
    return read_text(own)


def flaws_of_words(layer: Layer) -> Iterator[Broken]:
    """What is wrong with the prompt that a folder names or holds."""
    if layer.said is None:
        return
    named, own = layer.said.value.prompt, layer.there(PROMPT)
    if named and own:
        yield layer.broken(f"prompt: {PROMPT} lies beside it; keep one of them", "prompt")
    try:
        text = read_text(own) if own else content.prompt(named) if named else ""
    except BadFile as error:
        yield Broken(own or layer.file, error.line or 0, layer.name, error.reason)
    except UsageError as error:
        yield layer.broken(f"prompt: {error}", "prompt")
    else:
        if own and (why := _unfillable(text)):
            yield Broken(own, 0, layer.name, why)


def _unfillable(text: str) -> str:
    """Why the holes of a prompt cannot be filled; empty where they can."""
    try:
        holes = [
            (name, form, turned) for _, name, form, turned in Formatter().parse(text) if name is not None
        ]
    except ValueError as error:
        return f"{error}; a brace that is none of a hole is written twice"
    for name, form, turned in holes:
        if name not in HOLES or form or turned:
            return f"nothing fills {{{name}}}; {nearest(name, HOLES)}; a brace of the text is written twice"
    return ""
