"""Bodies as bytes: JSON as the server writes it, YAML for those who ask for it, and the headers that go
with them.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from opssquad.worlds.kube.apiserver.negotiate import objects
from opssquad.worlds.kube.apiserver.request import Reply
from opssquad.worlds.kube.apiserver.status import ApiStatus


def headers(given: Mapping[str, str], now: datetime) -> dict[str, str]:
    """The headers of every answer, with those given for this one. `Date` is the world's clock."""
    return {"Cache-Control": "no-cache, private", "Date": format_datetime(now, usegmt=True), **given}


def render(reply: Reply, accept: str, now: datetime) -> tuple[dict[str, str], bytes]:
    """Headers and body of a reply, encoded as the client accepts it."""
    head, body = headers(reply.headers, now), reply.body
    if isinstance(body, bytes):
        return head, body
    if isinstance(body, str):
        return head, body.encode()
    yaml = "Content-Type" not in head and _wants_yaml(accept)
    head.setdefault("Content-Type", "application/yaml" if yaml else "application/json")
    return head, encode_yaml(body) if yaml else encode(body) + b"\n"


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


def _wants_yaml(accept: str) -> bool:
    try:
        return objects(accept).encoding == "yaml"
    except ApiStatus:
        return False
