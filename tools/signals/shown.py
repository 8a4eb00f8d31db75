"""Whose certificate a log is about: the Service that was called, and the Secret that proves who it is."""

from collections.abc import Sequence

from opssquad import Json

from .._kube import dig, ref
from .._loglines import Entry
from ._case import Case
from .calls import TIMEOUT
from .strangers import ALERT


def shown(case: Case, entry: Entry) -> Json:
    """Whose certificate an entry is about: the Service that was called, and the one Secret with which the
    workload behind it can prove who it is; its own where the other side complains."""
    pod = case.reads[entry.origin].pod
    if ALERT.search(entry.text):
        return _secret(pod, dig(pod, "spec", "volumes", default=()))
    call = case.called.get(id(entry))
    data = case.callee(entry, call, TIMEOUT.key) if call else {}
    behind = next((w for w in case.directory.workloads if str(ref(w)) == data.get("workload")), None)
    data.pop("slow", None)
    return data | (
        _secret(behind, dig(behind, "spec", "template", "spec", "volumes", default=())) if behind else {}
    )


def _secret(obj: Json, volumes: Sequence[Json]) -> Json:
    names = {name for each in volumes if (name := dig(each, "secret", "secretName"))}
    space = obj["metadata"].get("namespace", "")
    return {"kept_in": f"Secret/{space}/{names.pop()}"} if len(names) == 1 else {}
