"""missing.yaml: how a recording was captured from a live system, and what could not be read.

Only a captured recording has one. Nothing that serves a recording reads it; the lint and `recording show` do.
"""

from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, Field

from opssquad.documents import read_yaml
from opssquad.worlds.kube.recording.fates import Strict, Text

NOTES = "missing.yaml"


class Missing(Strict):
    """A part that is not there. `where`: a namespace, an object or a log; "" for the whole cluster."""

    kind: Text
    where: str
    reason: Text


class Redacted(Strict):
    """How many secrets were taken out: values of Secret objects, of other objects, of log lines."""

    secret_values: Annotated[int, Field(ge=0)] = 0
    in_objects: Annotated[int, Field(ge=0)] = 0
    in_logs: Annotated[int, Field(ge=0)] = 0


class CaptureNotes(Strict):
    """The content of missing.yaml. `logs_since`: logs hold no line before it; null for all."""

    captured_at: AwareDatetime
    namespaces: list[Text]
    logs_since: AwareDatetime | None = None
    redacted: Redacted = Redacted()
    missing: list[Missing] = []


def load_notes(folder: Path) -> CaptureNotes | None:
    """The notes of a captured recording; None for one that was not captured. Raises BadFile."""
    file = folder / NOTES
    return read_yaml(file, CaptureNotes) if file.exists() else None
