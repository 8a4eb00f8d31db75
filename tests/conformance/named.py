"""Which recorded operations must pass, and which are only counted."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import yaml

from tests.conformance.transcripts import Operation

Patterns = Mapping[str, Mapping[str, Sequence[str]]]


@cache
def patterns() -> Patterns:
    """Per promise and client, the patterns of names."""
    loaded: Patterns = yaml.safe_load((Path(__file__).parent / "named.yaml").read_text())
    return loaded


def promise(operation: Operation) -> str:
    """The first promise that an operation belongs to; '' if it belongs to none."""
    client = "kubectl" if operation.client.startswith("kubectl") else operation.client
    for said, by_client in patterns().items():
        if any(fnmatchcase(operation.name, pattern) for pattern in by_client.get(client, ())):
            return said
    return ""
