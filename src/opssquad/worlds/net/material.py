"""The network part of a recording, `network/`: what was told of it, its zones, certificates, exact answers.

`network.yaml` is as `told` says; `zones/NAME.zone` are master files that begin with `$ORIGIN`;
`certificates/NAME.pem` are chains. `probes.jsonl` holds a JSON object a line,
`{"at": -12.5, "ahead": 0, "answer": {...}}`: what a probe was answered, that many seconds after the
recording's clock, by an origin whose clock was so far ahead. A probe that was made more than once has a line
for each time.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import dns.exception
import dns.zone
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import ValidationError

from opssquad.documents import BadFile, misfit, read_text, read_yaml
from opssquad.types import Json
from opssquad.worlds.net import answers, asks
from opssquad.worlds.net.asking import ASK
from opssquad.worlds.net.certificates import read
from opssquad.worlds.net.recorded import CERTIFICATES, PROBES, TOLD, ZONES
from opssquad.worlds.net.told import Told

KINDS: dict[str, type[answers.Answer]] = {
    "lookup": answers.Resolved,
    "connect": answers.Connected,
    "shake": answers.Shaken,
    "fetch": answers.Fetched,
    "trace": answers.Traced,
    "echo": answers.Echoed,
    "sockets": answers.SocketsSeen,
}


@dataclass(frozen=True)
class Probed:
    """An answer that was recorded, without its times: `at` counts from the recording's clock, `ahead` is how
    far the clock of its origin was."""

    answer: Json
    at: float = 0.0
    ahead: float = 0.0

    def told(self, now: datetime) -> answers.Answer:
        """The answer, given now."""
        times: Json = {"at": now}
        if self.answer["kind"] == "shake" or self.ahead:
            times["clock"] = now + timedelta(seconds=self.ahead)
        return KINDS[self.answer["kind"]].model_validate({**self.answer, **times})

    @property
    def key(self) -> str:
        """What was asked."""
        return asks.key(ASK.validate_python(self.answer["ask"]))


def probed(answer: answers.Answer, clock: datetime) -> Probed:
    """An answer as a recording keeps it. Sizes of files stay small: a deadline is no part of the question."""
    told = answer.model_dump(mode="json", exclude_defaults=True, exclude={"at", "clock"})
    told |= {"kind": answer.kind, "ask": json.loads(asks.key(answer.ask))}
    there = answer.clock if isinstance(answer, answers.Shaken | answers.SocketsSeen) else None
    ahead = (there - answer.at).total_seconds() if there else 0.0
    return Probed(told, (answer.at - clock).total_seconds(), ahead)


def line(each: Probed) -> str:
    """An answer as its line of `probes.jsonl`."""
    return json.dumps({"at": each.at, "ahead": each.ahead, "answer": each.answer}, ensure_ascii=False)


@dataclass
class Material:
    """What a recorded network tells."""

    told: Told
    zones: dict[str, dns.zone.Zone] = field(default_factory=dict)
    chains: dict[str, tuple[answers.Certificate, ...]] = field(default_factory=dict)
    probes: dict[str, list[Probed]] = field(default_factory=dict)


def load_material(folder: Path) -> Material:
    """The network part of a recording. Raises BadFile with file, line and reason."""
    told = read_yaml(folder / TOLD, Told)
    found = Material(told)
    wanted = {name for each in told.conditional() for name in getattr(each, "zones", ())}
    for name in sorted(wanted):
        found.zones[name] = read_zone(folder / ZONES / f"{name}.zone")
    chains = {name for each in told.conditional() if (name := getattr(each, "certificate", None))}
    for name in sorted(chains | set(told.trusted)):
        found.chains[name] = read_chain(folder / CERTIFICATES / f"{name}.pem")
    for each in read_probes(folder / PROBES):
        found.probes.setdefault(each.key, []).append(each)
    return found


def read_zone(file: Path) -> dns.zone.Zone:
    """A zone, its names whole. Raises BadFile."""
    text = read_text(file)
    try:
        return dns.zone.from_text(text, relativize=False, filename=str(file))
    except dns.zone.UnknownOrigin:
        raise BadFile(file, "must begin with $ORIGIN, which says what zone it is", 1) from None
    except (dns.exception.DNSException, ValueError) as error:
        raise BadFile(file, f"no zone: {_lines(error, file)}") from None


def _lines(error: Exception, file: Path) -> str:
    """The reader of zones may have gone on to the next line by the time that it complains."""
    said = " ".join(str(error).split()) or type(error).__name__
    return said.replace(f"{file}:", "near line ")


def read_chain(file: Path) -> tuple[answers.Certificate, ...]:
    """The certificates of a file, in its order. Raises BadFile, for a key that stands there too."""
    text = read_text(file)
    for number, each in enumerate(text.split("\n"), 1):
        if "PRIVATE KEY" in each:
            raise BadFile(file, "holds a private key, which belongs in no recording", number)
    try:
        found = x509.load_pem_x509_certificates(text.encode())
    except ValueError as error:
        raise BadFile(file, f"no certificates in PEM: {' '.join(str(error).split())}") from None
    return tuple(read(each.public_bytes(Encoding.DER)) for each in found)


def read_probes(file: Path) -> Iterator[Probed]:
    """The answers that were recorded, in the file's order. Raises BadFile."""
    if not file.exists():
        return
    for number, text in enumerate(read_text(file).split("\n"), 1):
        if text:
            yield _probed(file, text, number)


def _probed(file: Path, text: str, number: int) -> Probed:
    try:
        said = json.loads(text)
        each = Probed(said["answer"], float(said["at"]), float(said["ahead"]))
        kind = KINDS[each.answer["kind"]]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise BadFile(
            file, f'must be {{"at", "ahead", "answer": {{"kind"}}}} in JSON: {error}', number
        ) from None
    try:
        each.told(datetime.fromtimestamp(0).astimezone())
    except ValidationError as error:
        raise BadFile(file, misfit(error, kind), number) from None
    return each
