"""Values as the server prints them inside its messages: Go's `%v`, and Go's JSON."""

import json
from typing import Any


def go_print(value: Any) -> str:
    """As `%v` prints it: `map[name:x]`, `[1 2]`, `true`, `<nil>`."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{go_print(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(go_print, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "<nil>" if value is None else str(value)


def go_json(value: Any) -> str:
    """Compact JSON in the given order, with `<`, `>` and `&` escaped."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
