"""Names, labels and what may not change in `metadata`."""

import re
from collections.abc import Iterator

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.resources import Resource
from opssquad.worlds.kube.apiserver.status import Cause
from opssquad.worlds.kube.apiserver.validation.words import invalid, required

SUBDOMAIN = (
    r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*",
    253,
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
)
LABEL = (
    r"[a-z0-9]([-a-z0-9]*[a-z0-9])?",
    63,
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must "
    "start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation "
    "is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
)
DNS_1035 = (
    r"[a-z]([-a-z0-9]*[a-z0-9])?",
    63,
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
    "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for "
    "validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
)
LABEL_VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used "
    "for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
LABEL_KEY = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
RULES = {"namespaces": LABEL, "services": DNS_1035}
FREE = ("rbac.authorization.k8s.io",)  # names that are a path segment of any form


def metadata_causes(resource: Resource, obj: Json) -> Iterator[Cause]:
    """Of a new object."""
    metadata = obj["metadata"]
    name = metadata.get("name", "")
    if not name:
        yield required("metadata.name", "name or generateName is required")
    elif resource.group not in FREE:
        yield from name_causes("metadata.name", name, RULES.get(resource.qualified, SUBDOMAIN))
    yield from label_causes("metadata.labels", metadata.get("labels") or {})


def name_causes(field: str, name: str, rule: tuple[str, int, str] = LABEL) -> Iterator[Cause]:
    """Of a name under one of the rules here."""
    pattern, longest, said = rule
    if len(name) > longest:
        yield invalid(field, name, f"must be no more than {longest} bytes")
    if not re.fullmatch(pattern, name):
        yield invalid(field, name, said)


def label_causes(field: str, labels: Json) -> Iterator[Cause]:
    """Of keys and values of labels."""
    for key, value in labels.items():
        if not re.fullmatch(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]", key.rpartition("/")[2]):
            yield invalid(field, key, LABEL_KEY)
        if len(value) > 63:
            yield invalid(field, value, "must be no more than 63 bytes")
        elif not re.fullmatch(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?", value):
            yield invalid(field, value, LABEL_VALUE)


def metadata_update_causes(before: Json, after: Json) -> Iterator[Cause]:
    """Of a change."""
    old, new = before["metadata"], after["metadata"]
    if new.get("uid") != old.get("uid"):
        cause = invalid("metadata.uid", new.get("uid"), "field is immutable")
        yield cause
        yield cause  # the server checks metadata twice and says so twice
    yield from label_causes("metadata.labels", new.get("labels") or {})
