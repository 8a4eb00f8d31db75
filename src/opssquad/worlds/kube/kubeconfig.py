"""The kubeconfig file of a served recording: one cluster, one user, one context."""

import os
from pathlib import Path

import yaml


def write_kubeconfig(file: Path, cluster: str, url: str, token: str) -> None:
    """Write a kubeconfig whose context and cluster have the cluster's name; only its owner may read it."""
    user = f"{cluster}-oncall"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": cluster, "cluster": {"server": url}}],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": user}}],
        "current-context": cluster,
        "preferences": {},
    }
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        yaml.safe_dump(document, out, sort_keys=False)
