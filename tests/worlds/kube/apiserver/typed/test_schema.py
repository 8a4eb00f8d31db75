"""The schema says what the recorded OpenAPI documents say."""

from typing import Any

import pytest

from opssquad.worlds.kube.apiserver.typed.schema import Field, schema
from tests.conformance.world import DATA, load_json

DOCUMENTS = sorted((DATA / "openapi").glob("v3_api*_v*.json.gz"))
LEADS = ("io.k8s.apimachinery.pkg.apis.", "io.k8s.api.")


def properties() -> list[tuple[str, str, dict[str, Any]]]:
    """Type, field and OpenAPI property of every type that the schema has, too."""
    known, found = set(schema().names()), {}
    for document in DOCUMENTS:
        for name, body in load_json(document)["components"]["schemas"].items():
            short = next((name.removeprefix(lead) for lead in LEADS if name.startswith(lead)), name)
            if short in known:
                found |= {(short, key): prop for key, prop in body.get("properties", {}).items()}
    return [(kind, key, prop) for (kind, key), prop in found.items()]


def test_every_property_of_the_api_is_a_field() -> None:
    found = properties()
    assert len(found) > 2000
    assert [f"{kind}.{key}" for kind, key, _ in found if key not in schema().type(kind).fields] == []


def test_merge_keys_and_list_keys_are_those_of_the_api() -> None:
    def said(field: Field) -> tuple[str, tuple[str, ...]]:
        return field.merge_key, field.keys

    wrong = [
        f"{kind}.{key}"
        for kind, key, prop in properties()
        if said(schema().type(kind).fields[key])
        != (
            prop.get("x-kubernetes-patch-merge-key", ""),
            tuple(prop.get("x-kubernetes-list-map-keys", ())),
        )
    ]
    assert wrong == []


@pytest.mark.parametrize(("version", "kind"), [("apps/v1", "Deployment"), ("v1", "Pod"), ("batch/v1", "Job")])
def test_kinds_have_types(version: str, kind: str) -> None:
    found = schema().kind(version, kind)
    assert found
    assert found.short == kind


def test_an_unknown_kind_has_no_type() -> None:
    assert schema().kind("example.com/v1", "Widget") is None


def test_fields_of_embedded_structs_stand_inline() -> None:
    volume = schema().type("core.v1.Volume")
    assert "configMap" in volume.fields
    assert list(volume.numbered) == [1]
