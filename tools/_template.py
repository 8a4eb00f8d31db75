"""What differs between two pod templates, field by field, in the words an engineer uses.

Pure functions over `spec.template` of workloads and ReplicaSets. Where the templates come from is for
`_revisions`; plain differences of any object are in `_fields`.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from opssquad import Json

from ._fields import flat, hidden, join, labels, secret_name, shown, veiled
from ._kube import compact, dig
from ._needs import LISTS, split_image
from ._quantity import parse

AMOUNT = re.compile(r"resources\.(?:limits|requests)\..+")
RESTARTED = "annotations[kubectl.kubernetes.io/restartedAt]"

# Labels that the controllers add for themselves: no part of what a person rolled out.
OWN_LABELS = ("pod-template-hash", "controller-revision-hash", "pod-template-generation")

# What people look at first comes first.
_ORDER = ("image", "env", "envFrom", "command", "args", "resources")


@dataclass(frozen=True)
class Field:
    """One difference. `field` as in `image`, `env.DB_TIMEOUT`, `readinessProbe.httpGet.path`,
    `volumes.conf`, `labels.app`; `container` is empty for what belongs to the pod. Values are as they may be
    shown; None is absent. `old` and `new` are the exact words of the objects, empty where a secret hides."""

    field: str
    before: str | None
    after: str | None
    container: str = ""
    old: str = ""
    new: str = ""

    def words(self, many: bool = False) -> str:
        """`image v1 -> v2`; with `many` containers the container's name stands before it."""
        where = f"{self.container} " if many and self.container and " " not in self.field else ""
        before, after = _nearer(self.field, self.before, self.after)
        return f"{where}{_plain(self.field)} {before} -> {after}"

    def data(self) -> Json:
        """As it stands in a result's data."""
        return {"field": self.field, "from": self.before, "to": self.after, "container": self.container}


def lowered(fields: Iterable[Field]) -> list[str]:
    """The limits and requests that became less, or came to be where there was none, by their fields."""
    return [each.field for each in fields if AMOUNT.fullmatch(each.field) and each.after and _less(each)]


def _less(field: Field) -> bool:
    try:
        return field.before is None or parse(field.after or "0") < parse(field.before)
    except ValueError:
        return False


def _plain(field: str) -> str:
    """The field as people say it: a variable by its name alone."""
    return field.removeprefix("env.")


def _nearer(field: str, before: str | None, after: str | None) -> tuple[str, str]:
    """The two values; of images of one repository only the tag or digest."""
    old, new = ("(none)" if each is None else each or '""' for each in (before, after))
    if field == "image" and before and after:
        (one, tag), (other, tag_after) = split_image(before), split_image(after)
        if one == other and tag and tag_after:
            return tag, tag_after
    return old, new


def differs(old: Json, new: Json) -> list[Field]:
    """Every difference of two pod templates, the telling ones first. Secret values are never in it."""
    found = [
        *(field for key, word in LISTS for field in _containers(old, new, key, word)),
        *_pod(old.get("spec") or {}, new.get("spec") or {}),
        *_maps(old.get("metadata") or {}, new.get("metadata") or {}),
    ]
    return sorted(found, key=lambda each: _rank(each.field))


def _rank(field: str) -> int:
    head = re.split(r"[.\[]", field)[0]
    return _ORDER.index(head) if head in _ORDER else len(_ORDER)


def only_restart(fields: list[Field]) -> bool:
    """Whether the difference is nothing but the stamp of `kubectl rollout restart`."""
    return bool(fields) and all(each.field == RESTARTED for each in fields)


def summary(fields: list[Field], most: int = 6) -> str:
    """The differences on one line: `image v1 -> v2, DB_TIMEOUT 10000 -> 5000`."""
    if not fields:
        return "no difference"
    if only_restart(fields):
        return "restart, same template"
    many = len({each.container for each in fields if each.container}) > 1
    rest = f", and {len(fields) - most} more" if len(fields) > most else ""
    return ", ".join(each.words(many) for each in fields[:most]) + rest


def named(items: Any) -> dict[str, Json]:
    """The items of a list by what tells them apart."""
    found = list(items or ())
    return dict(zip(labels(found), found, strict=True))


def _pairs(old: Any, new: Any) -> Iterator[tuple[str, Json | None, Json | None]]:
    """Items of two lists side by side, by what tells them apart; None where one list lacks it."""
    before, after = named(old), named(new)
    for name in [*before, *(name for name in after if name not in before)]:
        if before.get(name) != after.get(name):
            yield name, before.get(name), after.get(name)


def _unit(field: str, old: Any, new: Any, words: Callable[[Any], str], container: str = "") -> Field:
    """A difference of something that is read as one: a volume, an `envFrom` list, a whole container."""
    sides = [(words(each), compact(each)) if each else (None, "") for each in (old, new)]
    return Field(field, sides[0][0], sides[1][0], container, sides[0][1], sides[1][1])


def _containers(old: Json, new: Json, key: str, word: str) -> Iterator[Field]:
    for name, was, becomes in _pairs(dig(old, "spec", key), dig(new, "spec", key)):
        if was is not None and becomes is not None:
            yield from _container(was, becomes, name)
        else:
            whole = _unit(word, was, becomes, lambda each: f"{each['name']} ({each.get('image', '')})", name)
            # The whole container may hold secrets: its name is quoted, not its text.
            pair = f'"name":{compact(name)}'
            yield replace(whole, old=pair if was else "", new=pair if becomes else "")


def _container(old: Json, new: Json, name: str) -> Iterator[Field]:
    yield from _env(old.get("env"), new.get("env"), name)
    if (was := old.get("envFrom")) != (becomes := new.get("envFrom")):
        yield _unit("envFrom", was, becomes, _sources, name)
    rest = [{k: v for k, v in each.items() if k not in {"env", "envFrom", "name"}} for each in (old, new)]
    yield from _leaves(rest[0], rest[1], name)


def _env(old: Any, new: Any, container: str) -> Iterator[Field]:
    for name, was, becomes in _pairs(old, new):
        bare = name.partition("#")[0]
        texts = veiled(_literal(was), _literal(becomes), bare)
        old_text, new_text = (origin(each) or text for each, text in zip((was, becomes), texts, strict=True))
        secret = secret_name(bare)
        yield Field(
            f"env.{name}",
            old_text if was else None,
            new_text if becomes else None,
            container,
            "" if secret or not was else compact(was),
            "" if secret or not becomes else compact(becomes),
        )


def _literal(variable: Json | None) -> str | None:
    """The value that stands in the template; a variable without a value is empty, an absent one None."""
    if variable is None or "valueFrom" in variable:
        return None
    return variable.get("value") or ""


def origin(variable: Json | None) -> str:
    """Where a variable's value comes from: `Secret auth-db/password`; empty for a literal."""
    for kind, where in ((variable or {}).get("valueFrom") or {}).items():
        match kind:
            case "secretKeyRef":
                return f"Secret {where.get('name')}/{where.get('key')}"
            case "configMapKeyRef":
                return f"ConfigMap {where.get('name')}/{where.get('key')}"
            case "fieldRef":
                return f"field {where.get('fieldPath')}"
            case "resourceFieldRef":
                return f"resource {where.get('resource')}"
            case _:
                return f"{kind} {compact(where)}"
    return ""


def _sources(items: list[Json]) -> str:
    """An `envFrom` list in words."""
    words = []
    for each in items:
        kind, key = ("Secret", "secretRef") if "secretRef" in each else ("ConfigMap", "configMapRef")
        prefix = f" as {each['prefix']}*" if each.get("prefix") else ""
        words.append(f"{kind} {dig(each, key, 'name', default='?')}{prefix}")
    return ", ".join(words)


def _pod(old: Json, new: Json) -> Iterator[Field]:
    apart = {key for key, _ in LISTS} | {"volumes"}
    for name, was, becomes in _pairs(old.get("volumes"), new.get("volumes")):
        yield _unit(f"volumes.{name}", was, becomes, volume)
    rest = [{k: v for k, v in each.items() if k not in apart} for each in (old, new)]
    yield from _leaves(rest[0], rest[1], "")


def volume(item: Json) -> str:
    """A volume in words: `ConfigMap web-config`, `claim data`, `emptyDir`."""
    kind, body = next(((k, v) for k, v in item.items() if k != "name"), ("emptyDir", {}))
    match kind:
        case "configMap":
            return f"ConfigMap {dig(body, 'name', default='?')}"
        case "secret":
            return f"Secret {dig(body, 'secretName', default='?')}"
        case "persistentVolumeClaim":
            return f"claim {dig(body, 'claimName', default='?')}"
        case _:
            return f"{kind} {compact(body)}" if body else kind


def _leaves(old: Json, new: Json, container: str) -> Iterator[Field]:
    before, after = dict(_whole_words(old)), dict(_whole_words(new))
    for path in [*before, *(path for path in after if path not in before)]:
        was, becomes = before.get(path), after.get(path)
        if was != becomes:
            yield Field(
                path, _shown(was), _shown(becomes), container, _fragment(path, was), _fragment(path, becomes)
            )


def _whole_words(obj: Json) -> Iterator[tuple[str, Any]]:
    """Leaves as `flat` has them, but `command` and `args` whole: their words mean nothing one by one. Empty
    maps and lists mean the same as none."""
    for key, value in obj.items():
        leaves = [(key, value)] if key in {"command", "args"} else flat(value, key)
        yield from ((path, leaf) for path, leaf in leaves if leaf not in ({}, []))


def _shown(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return hidden(" ".join(value))
    return shown(value)


def _fragment(path: str, value: Any) -> str:
    """The exact words in the object's compact JSON; empty where they would show a secret or are no leaf."""
    if value is None or hidden(text := compact(value)) != text:
        return ""
    leaf = re.split(r"[.\[]", path.removesuffix("]"))[-1]
    return f"{compact(leaf)}:{text}" if not path.endswith("]") else text


def _maps(old: Json, new: Json) -> Iterator[Field]:
    for top in ("labels", "annotations"):
        before, after = old.get(top) or {}, new.get(top) or {}
        for key in [*before, *(key for key in after if key not in before)]:
            if before.get(key) != after.get(key) and key not in OWN_LABELS:
                was, becomes = before.get(key), after.get(key)
                yield Field(
                    join(top, key), _shown(was), _shown(becomes), "", _pair(key, was), _pair(key, becomes)
                )


def _pair(key: str, value: str | None) -> str:
    return "" if value is None or hidden(value) != value else f"{compact(key)}:{compact(value)}"


def same(one: Json, other: Json) -> bool:
    """Whether two templates are the same but for what the controllers add."""
    return not differs(one, other)
