"""The squads that there are here, ours and those of one's own.

One that is broken is left out, with the reason, and so are those that extend it; all others work.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from opssquad import content
from opssquad.diagnosis.own import KnownFaults
from opssquad.diagnosis.soundness import nearest
from opssquad.documents import BadFile
from opssquad.errors import UsageError
from opssquad.extensions import library
from opssquad.extensions.loaded import Broken
from opssquad.extensions.sources import Source, sources
from opssquad.settings import load
from opssquad.squad.files import Layer, flaws_of_words, merged, read_layer
from opssquad.squad.spec import SquadSpec
from opssquad.squad.standing import FAULTS, Standing
from opssquad.toolbox import Toolbox

READ = (".yaml", ".md", ".py")
Stamp = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Squads:
    """All of them by name, ours first, and what is left out."""

    found: Mapping[str, Standing] = field(default_factory=dict)
    broken: tuple[Broken, ...] = ()


def known() -> Squads:
    """What is found now. Raises UsageError for places that cannot be read."""
    places = sources(load())
    folders = tuple(folder for source in places for folder in source.squads)
    if not folders:
        return Squads({name: _bundled(name) for name in content.squads()})
    return _known(folders, tuple(content.squads().items()), _stamp(places))


def squads() -> Mapping[str, Standing]:
    """Those that can be used, by name."""
    return known().found


def squad(name: str) -> Standing:
    """One of them. Raises UsageError: why it is left out, or the nearest names."""
    there = known()
    for each in there.broken:
        if each.name == name and name not in there.found:
            raise UsageError(str(each))
    return content.named(there.found, name, "squad")


def broken() -> tuple[Broken, ...]:
    """What is left out of tools and squads."""
    return (*library.library().broken, *known().broken)


def spec_of(name: str) -> SquadSpec:
    """What the squad of that name is. Raises UsageError."""
    return squad(name).spec()


def faults_of(there: Mapping[str, Standing], name: str, organisation: Mapping[str, Path]) -> KnownFaults:
    """Its catalogue, with those of the squads that it knows and that are here; `organisation` are that one's
    files by squad. Raises UsageError."""
    others = (there[each].faults() for each in there[name].spec().knows if each in there)
    return replace(there[name].faults(organisation), others=tuple(others))


def tools_of(there: Mapping[str, Standing], name: str) -> Toolbox:
    """The tools of a squad, of those that it knows and of those that it hands questions to: what its
    catalogue may name. Raises UsageError."""
    spec = there[name].spec()
    names = dict.fromkeys((*spec.knows, *(each.to for each in spec.hands_over)))
    members = (spec, *(there[each].spec() for each in names if each in there))
    return Toolbox(library.tools(dict.fromkeys(tool for member in members for tool in member.tools)))


def _bundled(name: str) -> Standing:
    return Standing(name, (Layer(name, content.squad(name)),))


def _stamp(places: Sequence[Source]) -> Stamp:
    files = (path for each in places for path in sorted(each.folder.rglob("*")) if path.suffix in READ)
    stats = ((str(path), path.stat()) for path in files if path.is_file())
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)


@lru_cache(maxsize=4)
def _known(folders: tuple[Path, ...], ours: tuple[tuple[str, Path], ...], stamp: Stamp) -> Squads:
    """`stamp` is only there to read anew what has changed."""
    return _Reading(dict(ours), folders).all()


class _Left(Exception):
    """A squad that cannot be had."""

    def __init__(self, broken: Broken) -> None:
        super().__init__(str(broken))
        self.broken = broken


class _Reading:
    """Puts the folders together, again without those in which something is found, until nothing is."""

    def __init__(self, ours: Mapping[str, Path], folders: Sequence[Path]) -> None:
        self._ours, self._folders = ours, folders
        self._layers: dict[str, Layer] = {}
        self._broken: list[Broken] = []

    def all(self) -> Squads:
        for folder in self._folders:
            try:
                self._take(read_layer(folder))
            except BadFile as error:
                self._broken.append(Broken(Path(error.file), error.line or 0, folder.name, error.reason))
            except _Left as left:
                self._broken.append(left.broken)
        while True:
            found, out = self._standing()
            out = out or [flaw for name in self._layers for flaw in self._flaws(found, name)]
            if not out:
                return Squads(found, tuple(self._broken))
            self._broken += dict.fromkeys(out)
            for name in {each.name for each in out}:
                del self._layers[name]

    def _take(self, layer: Layer) -> None:
        if before := self._layers.get(layer.name):
            why = f"squad {layer.name!r} is there already, in {before.folder}; give one another name"
            raise _Left(layer.broken(why))
        if layer.name in self._ours and _extends(layer) != layer.name:
            how = f"say `extends: {layer.name}` to amend it, or give the folder another name"
            raise _Left(layer.broken(f"squad {layer.name!r} is one of ours; {how}", "extends"))
        self._layers[layer.name] = layer

    def _standing(self) -> tuple[dict[str, Standing], list[Broken]]:
        found: dict[str, Standing] = {}
        out: list[Broken] = []
        for name in dict.fromkeys((*self._ours, *self._layers)):
            try:
                layers = self._chain(name, ())
            except _Left as left:
                out.append(left.broken)
                continue
            folders = {layer.folder for layer in layers}
            names = {layer.name for layer in layers}
            beside = (each for each in self._folders if each.name in names and each not in folders)
            found[name] = Standing(name, layers, tuple(beside))
        return found, out

    def _chain(self, name: str, above: tuple[str, ...]) -> tuple[Layer, ...]:
        """What a squad stands on; `above` are those that extend it."""
        layer = self._layers.get(name)
        if layer is None:
            return (Layer(name, content.squad(name)),)
        parent = _extends(layer)
        if parent == name and name in self._ours:
            return (Layer(name, content.squad(name)), layer)
        if not parent:
            return (layer,)
        if parent in (name, *above):
            line = (*above, name)
            round_ = " extends ".join((*line[line.index(parent) :], parent))
            raise _Left(layer.broken(f"extends: {round_}, and so on for ever", "extends"))
        if parent not in self._layers and parent not in self._ours:
            raise _Left(layer.broken(self._no_parent(parent), "extends"))
        return (*self._chain(parent, (*above, name)), layer)

    def _no_parent(self, parent: str) -> str:
        if any(each.name == parent for each in self._broken):
            return f"extends: squad {parent!r} is left out, so this one is too"
        return f"extends: no squad {parent!r}; {nearest(parent, (*self._ours, *self._layers))}"

    def _flaws(self, found: Mapping[str, Standing], name: str) -> Iterator[Broken]:
        """What is wrong with one's own folder of that name, first of all."""
        layer, standing = self._layers[name], found[name]
        for flaw in (*flaws_of_words(layer), *_of_tools(layer, standing), *_of_faults(layer, found)):
            yield flaw
            return


def _extends(layer: Layer) -> str:
    return layer.said.value.extends if layer.said else ""


def _of_tools(layer: Layer, standing: Standing) -> Iterator[Broken]:
    """Tools that there are none of, and those taken away that the parent does not have."""
    if layer.said is None:
        return
    outside, given = library.library(), layer.said.value
    there = {*content.tool_names(), *outside.tools}
    for index, tool in enumerate(given.tools):
        if tool not in there and not outside.without(tool):
            yield layer.broken(f"tools: no tool {tool!r}; {nearest(tool, there)}", "tools", index)
    if not given.without:
        return
    has = merged(standing.layers[:-1], standing.joining()).tools
    for index, tool in enumerate(given.without):
        if tool not in has:
            why = f"without: squad {given.extends!r} has no tool {tool!r}; {nearest(tool, has)}"
            yield layer.broken(why, "without", index)


def _of_faults(layer: Layer, found: Mapping[str, Standing]) -> Iterator[Broken]:
    path = layer.there(FAULTS)
    if path is None:
        return
    try:
        flaws = faults_of(found, layer.name, {}).flaws(tools_of(found, layer.name))
    except BadFile as error:
        if str(error.file) == str(path):
            yield Broken(path, error.line or 0, layer.name, error.reason)
        return
    for flaw in flaws:
        if flaw.file == str(path):
            yield Broken(path, flaw.line, layer.name, flaw.text)
