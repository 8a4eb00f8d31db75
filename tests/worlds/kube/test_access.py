"""Which cluster is meant: kubeconfigs good, bad and several, and the pod's own service account."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from opssquad.errors import UsageError
from opssquad.worlds.kube.access import choose, in_cluster


def config(**more: Any) -> dict[str, Any]:
    return {
        "current-context": "production",
        "clusters": [
            {"name": "c1", "cluster": {"server": "https://prod:6443", "certificate-authority": "ca.pem"}}
        ],
        "users": [{"name": "u1", "user": {"token": "sk-tell-nobody"}}],
        "contexts": [
            {"name": "production", "context": {"cluster": "c1", "user": "u1", "namespace": "shop"}},
            {"name": "staging", "context": {"cluster": "c1", "user": "u1"}},
        ],
        **more,
    }


def written(path: Path, document: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document if isinstance(document, str) else yaml.safe_dump(document), encoding="utf-8")
    return path


def test_the_current_context_is_taken_with_its_namespace(tmp_path: Path) -> None:
    access = choose([written(tmp_path / "config", config())])
    assert (access.name, access.namespace, access.server) == ("production", "shop", "https://prod:6443")
    assert access.cluster["certificate-authority"] == str(tmp_path / "ca.pem")
    assert "sk-tell-nobody" not in repr(access)


def test_what_is_asked_for_goes_before_what_the_file_says(tmp_path: Path) -> None:
    access = choose([written(tmp_path / "config", config())], context="staging", namespace="web")
    assert (access.name, access.namespace) == ("staging", "web")


@pytest.mark.parametrize("typed", ["prodution", "prod", "Production"])
def test_an_unknown_context_is_refused_with_the_nearest_names(tmp_path: Path, typed: str) -> None:
    with pytest.raises(UsageError, match=rf"no context '{typed}' in .*config; nearest: production"):
        choose([written(tmp_path / "config", config())], context=typed)


def test_of_several_files_the_first_wins_for_every_name(tmp_path: Path) -> None:
    first = written(tmp_path / "a" / "config", config(**{"current-context": ""}))
    other = {"name": "c1", "cluster": {"server": "https://evil:6443"}}
    more = {"name": "dev", "context": {"cluster": "c1", "user": "u1"}}
    second = written(tmp_path / "b", config(clusters=[other], contexts=[more], **{"current-context": "dev"}))
    access = choose([tmp_path / "gone", first, second])
    assert (access.name, access.server) == ("dev", "https://prod:6443")
    assert access.origin == f"{first}, {second}"
    assert access.cluster["certificate-authority"] == str(tmp_path / "a" / "ca.pem")


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("clusters: [}", r"config, line 1: not valid YAML"),
        ("just words", "expected a mapping with clusters, contexts and users"),
        ("contexts: 5", "'contexts' must be a list"),
        ("contexts: [{context: {}}]", r"contexts\[0\] needs 'name' and a mapping 'context'"),
        ("{}", "holds no contexts"),
        (config(clusters=[]), "context 'production' in .* names cluster 'c1', which is not there"),
        (config(users=[]), "names user 'u1', which is not there"),
        (config(**{"current-context": "old"}), "the current-context names no context 'old'"),
        (
            config(**{"current-context": ""}),
            "has no current-context; pass --context, one of: production, staging",
        ),
        (config(clusters=[{"name": "c1", "cluster": {"server": "prod"}}]), "server is 'prod', not a URL"),
        (
            config(clusters=[{"name": "c1", "cluster": {"server": "https://ada:s3cret@prod"}}]),
            "its cluster's server holds a login; put that into the user's entry",
        ),
    ],
)
def test_a_malformed_kubeconfig_is_told_in_one_line(tmp_path: Path, document: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        choose([written(tmp_path / "config", document)])
    assert "\n" not in str(caught.value)


def test_no_kubeconfig_at_all_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no kubeconfig found \(looked at .*gone\); .*--recording DIR"):
        choose([tmp_path / "gone"])


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="cannot read kubeconfig .*not UTF-8"):
        choose([path])


def test_in_a_pod_the_service_account_is_the_login(tmp_path: Path) -> None:
    for name, content in (("token", "t"), ("ca.crt", "c"), ("namespace", "ops\n")):
        (tmp_path / name).write_text(content)
    access = in_cluster("10.0.0.1:443", folder=tmp_path)
    assert (access.name, access.namespace, access.server) == ("in-cluster", "ops", "https://10.0.0.1:443")
    assert access.user == {"tokenFile": str(tmp_path / "token")}


def test_a_pod_without_a_service_account_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="token is missing"):
        in_cluster("10.0.0.1:443", folder=tmp_path)
