"""API objects as flat fields with readable paths, their differences, and what of them must stay hidden.

Pure functions. What a difference of pod templates means is for `_template`; who changed a field, and when, is
for `_edits`.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from opssquad import Json

from ._kube import compact

REDACTED = "«redacted»"
CHANGED = "«redacted, changed»"
LONGEST = 240

# The key that tells the items of a list apart, tried in this order; without one the index does.
KEYS = ("name", "containerPort", "mountPath", "port", "ip", "key", "type", "topologyKey", "uid")

# Written by the server or by kubectl for itself: never part of what a person changed.
SERVER_OWNED = (
    *("status", "metadata.managedFields", "metadata.resourceVersion", "metadata.generation", "metadata.uid"),
    "metadata.creationTimestamp",
    "metadata.selfLink",
    "metadata.annotations[kubectl.kubernetes.io/last-applied-configuration]",
    "metadata.annotations[deployment.kubernetes.io/revision]",
)

_SECRET = re.compile(
    r"passw|passphrase|pwd|secret|credential|token|(api|access|private|signing|encryption)_?key|_key$|^key$|dsn$",
    re.IGNORECASE,
)
# A name that ends so tells about a secret, it does not hold one: TOKEN_TTL, SECRET_NAME, PASSWORD_MIN_LENGTH.
_HARMLESS = re.compile(
    r"_(ttl|timeout|length|len|size|file|path|name|id|enabled|interval|issuer|audience|count|max|min|ms|url|uri|"
    r"host|port|expiry|seconds|algorithm|type|version|header|service|store)$",
    re.IGNORECASE,
)
_CREDENTIALS = re.compile(r"(?<=://)[^/\s:@]*:[^/\s@]+(?=@)")
_FLAG = re.compile(r"(?<![\w-])(--?[\w-]*(?:pass|secret|token|key|credential)[\w-]*[= ])(\S+)", re.IGNORECASE)

_SETTING = re.compile(r"""^\s*["']?([A-Za-z][\w.-]*)["']?\s*[:=]\s*\S""", re.MULTILINE)


@dataclass(frozen=True)
class Change:
    """One field that differs. `path` as in `spec.containers[app].image`; None where the field is absent."""

    path: str
    before: Any
    after: Any


def secret_name(name: str) -> bool:
    """Whether an environment variable or key of that name most likely holds a secret."""
    return bool(_SECRET.search(name)) and not _HARMLESS.search(name)


def hidden(text: str) -> str:
    """Text without credentials in URLs and without the values of flags that name a secret."""
    return _FLAG.sub(rf"\1{REDACTED}", _CREDENTIALS.sub(REDACTED, text))


def tells(value: str) -> bool:
    """Whether a text holds what looks like a secret: credentials of a URL, or a line that sets one."""
    return hidden(value) != value or any(secret_name(name) for name in _SETTING.findall(value))


def shown(value: Any) -> str:
    """A field's value on one line: text as it is, the rest as compact JSON; `(none)` where absent."""
    if value is None:
        return "(none)"
    text = hidden(value if isinstance(value, str) else compact(value))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text) - LONGEST} more characters)"


def flat(obj: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf with its path. Items of lists go by their name (`containers[app]`), map keys that hold dots
    stand in brackets; empty maps and lists are leaves, so that their coming and going is seen."""
    if isinstance(obj, Mapping) and obj:
        for key, value in obj.items():
            yield from flat(value, join(path, key))
    elif isinstance(obj, list) and obj:
        for label, value in zip(labels(obj), obj, strict=True):
            yield from flat(value, f"{path}[{label}]")
    else:
        yield path, obj


def join(path: str, key: str) -> str:
    """The path one key deeper."""
    if not path:
        return key
    return f"{path}.{key}" if re.fullmatch(r"[A-Za-z0-9_-]+", key) else f"{path}[{key}]"


def labels(items: list[Any]) -> list[str]:
    """What tells the items of a list apart: the value of a key they all have and share with none, else the
    index. A name that comes twice, as a variable may, gets a number: `LEVEL`, `LEVEL#2`."""
    for key in KEYS:
        found = [str(each[key]) for each in items if isinstance(each, Mapping) and key in each]
        if len(found) == len(items) and (key == "name" or len(found) == len(set(found))):
            return [_numbered(found, index) for index in range(len(found))]
    return [str(index) for index in range(len(items))]


def _numbered(names: list[str], index: int) -> str:
    earlier = names[:index].count(names[index])
    return f"{names[index]}#{earlier + 1}" if earlier else names[index]


def differences(before: Any, after: Any) -> list[Change]:
    """The fields that differ: in the order of `before`, then what is new; none that the server owns."""
    old, new = dict(flat(before)), dict(flat(after))
    return [
        Change(path, old.get(path), new.get(path))
        for path in [*old, *(path for path in new if path not in old)]
        if old.get(path) != new.get(path) and not _below(path, SERVER_OWNED)
    ]


def _below(path: str, tops: tuple[str, ...]) -> bool:
    return any(path == top or path.startswith((f"{top}.", f"{top}[")) for top in tops)


def veiled(before: Any, after: Any, name: str) -> tuple[str, str]:
    """Both values as they may be shown: of a secret only whether it was there and whether it changed."""
    if not secret_name(name):
        return shown(before), shown(after)
    was = shown(None) if before is None else REDACTED
    if after is None:
        return was, shown(None)
    return was, REDACTED if before in (None, after) else CHANGED


def unified(title: str, before: Json, after: Json) -> str:
    """What would change, as a unified diff of fields: one line out, one line in, secrets veiled.

    Empty when nothing differs but what the server writes itself.
    """
    changes = differences(before, after)
    if not changes:
        return ""
    lines = [f"--- {title} (now)", f"+++ {title} (after, server dry run)"]
    parent = None
    for change in changes:
        if re.search(r"\.env\[[^\]]+\]\.name$", change.path):
            # The line with the value names the variable already.
            continue
        above, leaf = _split(change.path)
        if above != parent:
            lines.append(f"@@ {above or 'object'} @@")
            parent = above
        lines += _lines(leaf, change)
    return "\n".join(lines)


def _lines(leaf: str, change: Change) -> list[str]:
    before, after, name = change.before, change.after, _holder(change.path)
    texts = [value for value in (before, after) if isinstance(value, str)]
    if len(texts) == 2 and any("\n" in text for text in texts) and not secret_name(name):
        old, new = (hidden(text).splitlines() for text in texts)
        return [f" {leaf}:", *list(difflib.unified_diff(old, new, n=1, lineterm=""))[2:]]
    was, becomes = veiled(before, after, name)
    removed = [f"-{leaf}: {was}"] if before is not None else []
    return removed + ([f"+{leaf}: {becomes}"] if after is not None else [])


def _split(path: str) -> tuple[str, str]:
    """A path as its parent and the leaf that a line shows; an environment variable is shown by its name."""
    if found := re.fullmatch(r"(.*)\.env\[([^\]]+)\]\.(.+)", path):
        above, name, rest = found.groups()
        return f"{above}.env", name if rest == "value" else f"{name} {rest}"
    if path.endswith("]"):
        above, _, leaf = path[:-1].rpartition("[")
        return above, leaf
    above, _, leaf = path.rpartition(".")
    return above, leaf


def _holder(path: str) -> str:
    """The name that says whether the value is a secret: of the variable, or of the key in a ConfigMap."""
    if found := re.search(r"\.env\[([^\]#]+)(?:#\d+)?\]\.value$", path):
        return found.group(1)
    found = re.fullmatch(r"(?:data|stringData|binaryData)(?:\.([A-Za-z0-9_-]+)|\[([^\]]+)\])", path)
    return (found.group(1) or found.group(2)) if found else ""
