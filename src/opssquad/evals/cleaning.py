"""Takes secrets out of what was read from a live cluster, and keeps its shape: keys, lines and times stay."""

import base64
import binascii
from typing import Any

from opssquad.gate.names import PLACEHOLDER, looks_random
from opssquad.gate.redact import Redactor
from opssquad.types import Json
from opssquad.worlds.kube.capture.logs import Line
from opssquad.worlds.kube.fitting import fit
from opssquad.worlds.kube.recording.checks import REDACTED
from opssquad.worlds.kube.recording.notes import Redacted
from opssquad.worlds.kube.withhold import LAST_APPLIED

VALUES = ("data", "stringData")


class Cleaner:
    """Redacts with one redactor, so that a secret reads alike wherever it stands, and counts."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._secret_values = self._in_objects = self._in_logs = 0
        self._known: dict[str, str] = {}

    @property
    def counts(self) -> Redacted:
        """How many secrets were taken out so far."""
        return Redacted(secret_values=self._secret_values, in_objects=self._in_objects, in_logs=self._in_logs)

    def object(self, obj: Json) -> Json | None:
        """The object without secrets; None where what is left is no object of its kind any more."""
        if obj["kind"] == "Secret" and obj["apiVersion"] == "v1":
            return self._secret(obj)
        clean: Json
        clean, count = self._redactor.value(obj)
        if obj["kind"] == "ConfigMap" and obj.get("binaryData"):
            clean["binaryData"], more = self._binary(obj["binaryData"])
            count += more
        self._in_objects += count
        self._learn(obj, clean)
        return None if count and fit(clean["apiVersion"], clean["kind"], clean) else clean

    def _secret(self, obj: Json) -> Json:
        """A Secret keeps its keys. What kubectl applied is a copy of its values, in whatever form."""
        metadata = dict(obj["metadata"])
        if annotations := metadata.get("annotations"):
            metadata["annotations"] = {key: each for key, each in annotations.items() if key != LAST_APPLIED}
        values = {key: dict.fromkeys(obj[key], REDACTED) for key in VALUES if obj.get(key)}
        self._secret_values += sum(map(len, values.values()))
        rest, count = self._redactor.value({**obj, "metadata": metadata, **dict.fromkeys(values)})
        self._in_objects += count
        return {**rest, **values}

    def _binary(self, data: dict[str, Any]) -> tuple[dict[str, Any], int]:
        """Text in base64 is looked through as text; what is no text stays."""
        clean, total = dict(data), 0
        for key, encoded in data.items():
            try:
                text = base64.b64decode(str(encoded), validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                continue
            found, count = self._redactor.value({key: text})
            if count:
                clean[key] = base64.b64encode(found[key].encode()).decode()
            total += count
        return clean, total

    def _learn(self, before: Any, after: Any) -> None:
        """Remember values that were secrets by their names: in a log they may stand without one."""
        match before:
            case dict():
                for key, inner in before.items():
                    self._learn(inner, after[key])
            case list():
                for inner, clean in zip(before, after, strict=True):
                    self._learn(inner, clean)
            case str() if before != after and PLACEHOLDER.fullmatch(after) and looks_random(before):
                self._known[before] = after

    def row(self, row: Json) -> Json:
        """A row of a database without secrets."""
        clean: Json
        clean, count = self._redactor.value(row)
        self._in_objects += count
        return clean

    def line(self, line: str) -> str:
        """A line of a database server's log without secrets."""
        found = self._redactor.read(line)
        self._in_logs += found.count
        return found.text

    def log(self, lines: list[Line]) -> str:
        """The log as a recording keeps it. Found are also a secret that goes over several lines, and the bare
        value of one that stood in an object."""
        text = "\n".join(message for _, message in lines)
        for value, placeholder in self._known.items():
            self._in_logs += text.count(value)
            text = text.replace(value, placeholder)
        redacted = self._redactor.read(text)
        self._in_logs += redacted.count
        messages = redacted.lines() if lines else []
        return "".join(f"{stamp} {said}\n" for (stamp, _), said in zip(lines, messages, strict=True))

    def text(self, text: str) -> str:
        """A line that a person or a server wrote."""
        return self._redactor.clean(text)
