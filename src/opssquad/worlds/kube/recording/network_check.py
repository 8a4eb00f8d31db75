"""Lint of the network part of a recording: whether it can be read, and what its probes show at the clock."""

from collections.abc import Iterator
from pathlib import Path

from opssquad.documents import BadFile, read_text
from opssquad.types import Json
from opssquad.worlds.kube.outcomes import holds
from opssquad.worlds.kube.recording.load import Recording
from opssquad.worlds.kube.recording.refs import Key, reference
from opssquad.worlds.net.recorded import FOLDER, has_network


def network_texts(folder: Path) -> Iterator[tuple[str, str]]:
    """The files of a network part that are text to a reader, by path; certificates are not."""
    for file in sorted((folder / FOLDER).rglob("*")):
        if file.is_file() and file.suffix != ".pem":
            yield file.relative_to(folder).as_posix(), read_text(file)


def check_network(recording: Recording) -> Iterator[str]:
    """Files that cannot be read or that nothing names, and a cluster that is held to be mended already."""
    there = has_network(recording.folder)
    if there != (recording.incident.network is not None):
        yield f"incident.yaml: network must be given, and {FOLDER}/ be there, or neither"
    if not there:
        return
    # Late: DNS and certificates take a while to import, and few recordings have any.
    from opssquad.worlds.net.material import load_material

    try:
        material = load_material(recording.folder)
    except BadFile as error:
        yield str(error)
        return
    named = {f"zones/{each}.zone" for each in material.zones}
    named |= {f"certificates/{each}.pem" for each in material.chains} | {"network.yaml", "probes.jsonl"}
    root = recording.folder / FOLDER
    for file in sorted(each for each in root.rglob("*") if each.is_file()):
        if (path := file.relative_to(root).as_posix()) not in named:
            yield f"{FOLDER}/{path}: nothing names it"
    objects: dict[Key, Json] = {reference(obj): obj for obj in recording.objects}
    for number, heal in enumerate(material.told.heals):
        if all(holds(rule, lambda *key: objects.get(key)) for rule in heal.when):
            yield f"{FOLDER}/network.yaml: heals.{number} holds already, so nothing of it is wrong"


def shown(recording: Recording, where: str, text: str) -> bool:
    """Whether a probe, asked at the recording's clock before anything is mended, shows that text."""
    from opssquad.worlds.net.material import load_material
    from opssquad.worlds.net.showing import shows

    try:
        material = load_material(recording.folder)
    except BadFile:
        # That is a problem of its own.
        return False
    return shows(material, recording.clock, where, text)
