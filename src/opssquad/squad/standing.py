"""A squad with the folders that it stands on: its own, and those of the squads that it extends."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from opssquad.diagnosis.catalogue import Catalogue
from opssquad.diagnosis.own import Addition, KnownFaults, read_addition, read_known_faults
from opssquad.documents import Placed
from opssquad.extensions import library
from opssquad.squad.files import Layer, merged, prompt_text
from opssquad.squad.spec import SquadSpec

FAULTS, POLICY, PHRASES, RUNBOOKS = "faults.yaml", "policy.yaml", "offline.yaml", "runbooks"


@dataclass(frozen=True)
class Standing:
    """A squad and what it stands on: `layers` are folders, the furthest first, its own last. `beside` are
    folders of its name that are left out: their policy holds all the same, since what is meant to keep a
    squad back must not be gone for a slip elsewhere."""

    name: str
    layers: tuple[Layer, ...]
    beside: tuple[Path, ...] = ()

    @property
    def folder(self) -> Path:
        """Its own folder."""
        return self.layers[-1].folder

    @property
    def names(self) -> tuple[str, ...]:
        """It, and the squads that it stands on, the nearest first."""
        return tuple(dict.fromkeys(layer.name for layer in reversed(self.layers)))

    @property
    def policies(self) -> tuple[Path, ...]:
        """Where its policy may lie, there or not."""
        return tuple(folder / POLICY for folder in (*(layer.folder for layer in self.layers), *self.beside))

    @property
    def own_files(self) -> tuple[Path, ...]:
        """The files of one's own that it stands on."""
        folders = [layer.folder for layer in self.layers if layer.said]
        files = (path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file())
        return tuple(path for path in files if path.suffix in (".yaml", ".md"))

    def joining(self) -> tuple[str, ...]:
        """The tools that join it, or what it stands on, by their own word."""
        known = library.library()
        return tuple(tool for name in reversed(self.names) for tool in known.joining(name))

    def spec(self) -> SquadSpec:
        """What its files say together, with the tools that join it by their own word and without those that
        are broken. Raises UsageError with the file, the key and the nearest valid one."""
        spec, known = merged(self.layers, self.joining()), library.library()
        return spec.model_copy(update={"tools": tuple(t for t in spec.tools if not known.without(t))})

    def prompt(self) -> str:
        """Its prompt, with holes. Raises UsageError."""
        return prompt_text(self.layers, merged(self.layers))

    def phrases(self, bundled: Mapping[str, str]) -> str | None:
        """The words of the offline model for it: those of the nearest folder that has some; None where it
        has none of its own."""
        for layer in reversed(self.layers):
            if layer.said and (own := layer.there(PHRASES)):
                return own.read_text(encoding="utf-8")
            if not layer.said and layer.name in bundled:
                return bundled[layer.name]
        return None

    def faults(self, organisation: Mapping[str, Path] | None = None) -> KnownFaults:
        """Its catalogue with what is added to it, file by file: each squad's that it stands on, after which
        the organisation's for that one counts. Raises BadFile."""
        first = self.layers[0]
        base = first.folder / FAULTS
        nothing = first.said is not None and not first.there(FAULTS)
        known = (
            KnownFaults(base, Placed(Catalogue(faults=[]), None))
            if nothing
            else read_known_faults(base, None)
        )
        return replace(known, additions=tuple(self._additions(organisation or {})))

    def _additions(self, organisation: Mapping[str, Path]) -> Iterator[Addition]:
        for number, layer in enumerate(self.layers):
            if number and (path := layer.there(FAULTS)):
                yield read_addition(path, "squad")
            above = self.layers[number + 1 : number + 2]
            if layer.name in organisation and all(each.name != layer.name for each in above):
                yield read_addition(organisation[layer.name], "organisation")
