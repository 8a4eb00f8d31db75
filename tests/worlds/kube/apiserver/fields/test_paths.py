"""Field paths and their form in managedFields."""

from opssquad.worlds.kube.apiserver.fields.managers import entries, managers_of
from opssquad.worlds.kube.apiserver.fields.paths import from_fields_v1, show, to_fields_v1
from tests.conformance.world import pristine


def test_the_managed_fields_of_every_recorded_object_survive_reading_and_writing() -> None:
    store, changed, seen = pristine(), [], 0
    for resource in store.resources():
        for obj in store.list(resource):
            recorded = obj["metadata"].get("managedFields") or []
            seen += len(recorded)
            if entries(managers_of(obj)) != recorded:
                changed.append(f"{obj['kind']}/{obj['metadata']['name']}")
    assert seen > 500
    assert changed == []


def test_a_path_with_children_is_owned_by_a_dot() -> None:
    tree = {"f:metadata": {"f:labels": {".": {}, "f:app": {}}}}
    assert to_fields_v1(from_fields_v1(tree)) == tree


def test_paths_are_shown_as_conflicts_show_them() -> None:
    tree = {"f:spec": {"f:containers": {'k:{"name":"web"}': {"f:image": {}}}}}
    [path] = from_fields_v1(tree)
    assert show(path) == '.spec.containers[name="web"].image'
    [word] = from_fields_v1({"f:metadata": {"f:finalizers": {'v:"a/b"': {}}}})
    assert show(word) == '.metadata.finalizers[="a/b"]'
