"""What the tools say where the login may not read everything, or change anything."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tools.changes import changes
from tools.rollback import rollback, rollback_check
from tools.workloads import scale

from opssquad import Json, ToolError
from opssquad.worlds.kube.apiserver.request import User
from tests.tools.stage import Stage, stage

AUTH = {"deployment": "auth-service", "namespace": "authentication"}
GROUPS = ("", "apps", "batch", "autoscaling", "policy", "networking.k8s.io")
READS: Json = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRole",
    "metadata": {"name": "looks"},
    "rules": [
        {
            "apiGroups": list(GROUPS),
            "resources": [
                *(
                    "deployments",
                    "replicasets",
                    "statefulsets",
                    "daemonsets",
                    "controllerrevisions",
                    "events",
                ),
                *("configmaps", "services", "pods", "jobs", "nodes", "resourcequotas"),
            ],
            "verbs": ["get", "list"],
        },
        {
            "apiGroups": ["authorization.k8s.io"],
            "resources": ["selfsubjectaccessreviews"],
            "verbs": ["create"],
        },
    ],
}
BINDING: Json = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRoleBinding",
    "metadata": {"name": "looks"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "looks"},
    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "viewer"}],
}


@asynccontextmanager
async def viewing() -> AsyncIterator[Stage]:
    """A login that may look at workloads and configuration, not at Secrets, and change nothing."""
    async with stage("auth-0308") as s:
        await s.cluster.create("ClusterRole", READS)
        await s.cluster.create("ClusterRoleBinding", BINDING)
        viewer = User("viewer", ("system:authenticated",))
        s.served.world.authenticate = lambda authorization: viewer  # type: ignore[method-assign]
        yield s


async def test_a_check_names_the_missing_right_and_what_it_could_not_read() -> None:
    async with viewing() as s:
        result = await s.run(rollback_check, **AUTH)
    found = {each["name"]: each["outcome"] for each in result.data["checks"]}
    assert result.data["verdict"] == "risky"
    assert found["dry run"] == "blocked"
    assert found["references"] == "unknown"
    assert "this login may not patch the Deployment" in result.text
    assert 'User "viewer" cannot patch resource "deployments"' in result.text
    assert "Secret auth-db" in result.text


async def test_no_card_is_made_for_what_the_server_forbids() -> None:
    async with viewing() as s:
        with pytest.raises(ToolError, match="cannot patch resource"):
            await s.foresee(rollback, **AUTH)
        with pytest.raises(ToolError, match="cannot patch resource"):
            await s.run(rollback, **AUTH)
        with pytest.raises(ToolError, match="forbidden"):
            await s.foresee(scale, name="login-ui", namespace="authentication", replicas=3)


async def test_changes_tells_what_it_saw_and_names_what_it_may_not_read() -> None:
    async with viewing() as s:
        result = await s.run(changes, namespace="authentication")
    assert "auth-service revision 3" in result.text
    (line,) = [each for each in result.text.splitlines() if each.startswith("Not read, so unknown")]
    assert "Secret" in line
    assert "ConfigMap" not in line


async def test_with_no_rights_at_all_the_servers_own_words_are_the_answer() -> None:
    async with stage("auth-0308") as s:
        nobody = User("nobody", ("system:authenticated",))
        s.served.world.authenticate = lambda authorization: nobody  # type: ignore[method-assign]
        with pytest.raises(ToolError, match='User "nobody" cannot list resource'):
            await s.run(changes, namespace="authentication")
