"""The part of JSONPath that printer columns of custom resources use: fields, indices, `[*]` and one
equality filter.
"""

import json
import re
from typing import Any

STEP = re.compile(
    r"\.(?P<field>(?:[^.\[\\]|\\.)+)"
    r"|\[(?P<index>-?\d+|\*)\]"
    r"|\[['\"](?P<quoted>[^'\"]+)['\"]\]"
    r"|\[\?\(@\.(?P<key>[\w.]+)\s*==\s*['\"](?P<value>[^'\"]*)['\"]\)\]"
)


def find(obj: Any, path: str) -> list[Any]:
    """All values at a path like `.status.conditions[?(@.type=="Ready")].status`; empty if there are none."""
    found = [obj]
    for step in STEP.finditer(path):
        found = [value for current in found for value in _follow(current, step)]
    return [value for value in found if value is not None]


def text(values: list[Any]) -> str:
    """Values as a column shows them, joined by commas."""
    return ",".join(value if isinstance(value, str) else json.dumps(value) for value in values)


def _follow(current: Any, step: re.Match[str]) -> list[Any]:
    name = step["field"] or step["quoted"]
    if name:
        key = re.sub(r"\\(.)", r"\1", name)
        return [current[key]] if isinstance(current, dict) and key in current else []
    if not isinstance(current, list):
        return []
    if step["key"]:
        return [entry for entry in current if find(entry, f".{step['key']}") == [step["value"]]]
    if step["index"] == "*":
        return current
    index = int(step["index"])
    return [current[index]] if -len(current) <= index < len(current) else []
