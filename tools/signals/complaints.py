"""What a log complains of in words that systems, not programs, choose: a port that is taken, a disk that is
full, a path that may not be written, a request that the Kubernetes API forbids, a program that cannot be run,
a Corefile that cannot be read.

Pure; which paths are mounts is told by the pod's spec.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from opssquad import Json

from .._kube import dig, owner

Told = Mapping[str, str]


@dataclass(frozen=True)
class Complaint:
    """A kind of complaint. One of the hints, in lower case, stands in all that a form matches."""

    signal: str
    hints: tuple[str, ...]
    form: re.Pattern[str]
    facts: Callable[[str, Told, Json, str], Json | None]

    def read(self, text: str, pod: Json, container: str) -> tuple[str, Json] | None:
        """The words that complain, and the facts in them; None where they do not, or not of this."""
        lower = text.lower()
        found = self.form.search(text) if any(hint in lower for hint in self.hints) else None
        if found is None:
            return None
        told = {name: words for name, words in found.groupdict().items() if words}
        facts = self.facts(text, told, pod, container)
        return None if facts is None else (found[0], facts)


WHY_EXEC = {
    "exec format error": "architecture",
    "no such file or directory": "command_not_found",
    "permission denied": "not_executable",
}
_PORT = re.compile(r"(?:[\]:]|\bport[ =:]*|\*:)(\d{2,5})\b", re.IGNORECASE)
_CLOCK = re.compile(r"\d\d:\d\d:\d\d")
_PATH = re.compile(r"[\s'\"`(=:](/[\w.@%+~-]+(?:/[\w.@%+~-]*)*)")


def _line(text: str, form: re.Pattern[str]) -> str:
    return next((each for each in text.splitlines() if form.search(each)), text)


def _port(text: str, told: Told, pod: Json, container: str) -> Json:
    ports = [int(each) for each in _PORT.findall(_CLOCK.sub("", _line(text, _TAKEN)))]
    declared = _declared(pod)
    port = next((each for each in ports if each in declared), ports[-1] if ports else 0)
    others = [name for name in declared.get(port, ()) if name != container]
    return {"port": port or "", "other": others[0] if others else ""}


def _declared(pod: Json) -> dict[int, list[str]]:
    """The containers of a pod that declare a port, by its number."""
    found: dict[int, list[str]] = {}
    for field in ("containers", "initContainers"):
        for each in dig(pod, "spec", field, default=()):
            for port in each.get("ports") or ():
                found.setdefault(int(port.get("containerPort") or 0), []).append(each["name"])
    return found


def mounted(pod: Json, container: str, path: str) -> Json | None:
    """The volume mount of a container that a path is on: its `mount`, `volume`, the volume's `kind`, and
    whether it is `read_only`."""
    best: Json | None = None
    for field in ("containers", "initContainers"):
        for each in dig(pod, "spec", field, default=()):
            for mount in (each.get("volumeMounts") or ()) if each["name"] == container else ():
                at = str(mount.get("mountPath") or "").rstrip("/")
                inside = bool(at) and (path == at or path.startswith(f"{at}/"))
                if inside and (best is None or len(at) > len(best["mount"])):
                    best = {
                        "mount": at,
                        "volume": str(mount.get("name") or ""),
                        "kind": _kind(pod, mount.get("name")),
                        "read_only": bool(mount.get("readOnly")),
                    }
    return best


def _kind(pod: Json, volume: str | None) -> str:
    for each in dig(pod, "spec", "volumes", default=()):
        if each.get("name") == volume:
            return next((key for key in each if key != "name"), "")
    return ""


def _full(text: str, told: Told, pod: Json, container: str) -> Json:
    paths = _PATH.findall(f" {_line(text, _FULL)}")
    on = [(path, mounted(pod, container, path)) for path in paths]
    path, mount = next((each for each in on if each[1]), on[0] if on else ("", None))
    return {"path": path, "mount": "", "volume": "", "kind": "", **(mount or {})}


def _denied(text: str, told: Told, pod: Json, container: str) -> Json | None:
    line = _line(text, _DENIED)
    for path in _PATH.findall(f" {line}"):
        if mount := mounted(pod, container, path):
            return {"path": path, "why": "read_only" if "ead-only" in line else "denied", **mount}
    return None


def _exec(text: str, told: Told, pod: Json, container: str) -> Json:
    return {"why": WHY_EXEC[told["why"]]}


def _forbidden(text: str, told: Told, pod: Json, container: str) -> Json:
    group = told.get("group", "")
    return {
        "account": f"ServiceAccount/{told['ns']}/{told['account']}",
        "verb": told["verb"],
        "resource": f"{told['resource']}.{group}" if group else told["resource"],
        "where": told.get("where", ""),
    }


def _corefile(text: str, told: Told, pod: Json, container: str) -> Json:
    return {"line": told.get("line", ""), "dns": str(owner(pod))}


_TAKEN = re.compile(
    r"address (?:is )?already in use|EADDRINUSE|BindException|only one usage of each socket address"
    r"|port \d+ (?:is|was) already (?:in use|allocated)",
    re.IGNORECASE,
)
_FULL = re.compile(r"no space left on device|ENOSPC|disk quota exceeded|not enough space on the disk", re.I)
_DENIED = re.compile(
    r"permission denied|EACCES|AccessDeniedException|operation not permitted|EPERM"
    r"|read-only file ?system|EROFS",
    re.IGNORECASE,
)
_FORBIDDEN = re.compile(
    r"is forbidden: User \\?\"system:serviceaccount:(?P<ns>[^:\"\s]+):(?P<account>[^\"\\\s]+)\\?\""
    r" cannot (?P<verb>[\w-]+) resource \\?\"(?P<resource>[^\"\\\s]+)\\?\""
    r"(?: in API group \\?\"(?P<group>[^\"\\\s]*)\\?\")?"
    r"(?: in the namespace \\?\"(?P<where>[^\"\\\s]+)\\?\"| at the cluster scope)?"
)
_COREFILE = re.compile(
    r"\bCorefile:(?P<line>\d+) - Error during parsing:[^\n]*|\bplugin/loop: Loop [^\n]*detected[^\n]*"
    r"|\bplugin/\w+: [^\n]*(?:unknown property|no nameservers|not a valid)[^\n]*"
)
_EXEC = re.compile(
    r"\bexec (?:user process caused|/\S+): \"?"
    r"(?P<why>exec format error|no such file or directory|permission denied)"
)
COMPLAINTS = (
    Complaint("log.exec_failed", ("exec ",), _EXEC, _exec),
    Complaint(
        "log.port_in_use", ("in use", "eaddrinuse", "bindexception", "one usage", "allocated"), _TAKEN, _port
    ),
    Complaint("log.disk_full", ("no space", "enospc", "quota exceeded", "space on the"), _FULL, _full),
    Complaint(
        "log.volume_denied",
        ("denied", "eacces", "not permitted", "eperm", "read-only", "erofs"),
        _DENIED,
        _denied,
    ),
    Complaint("log.corefile", ("corefile:", "plugin/"), _COREFILE, _corefile),
    Complaint("log.api_forbidden", ("is forbidden: user",), _FORBIDDEN, _forbidden),
)


def complaint(text: str, pod: Json, container: str) -> Iterator[tuple[str, str, Json]]:
    """What an entry complains of: the signal's name, the words, the facts."""
    for each in COMPLAINTS:
        if found := each.read(text, pod, container):
            yield each.signal, *found
