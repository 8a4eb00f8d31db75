"""Bodies as bytes: JSON as the server writes it, YAML for those who ask for it."""

import json
from typing import Any


def encode(body: Any) -> bytes:
    """Compact JSON."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


def encode_yaml(body: Any) -> bytes:
    """YAML with sorted keys in block style."""
    import yaml

    text: str = yaml.dump(body, Dumper=_dumper(), default_flow_style=False, allow_unicode=True, width=10**9)
    return text.encode()


def _dumper() -> Any:
    import yaml

    class Dumper(yaml.SafeDumper):
        """Indents and quotes as the server's YAML does: several lines as a block."""

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(str, text)
    return Dumper
