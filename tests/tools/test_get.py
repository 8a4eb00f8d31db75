"""The tool `get`: any object in few lines, and never a secret."""

import json

import pytest
import yaml
from tools.get import get, shown, trimmed

from opssquad import Cluster, Json, Result, ToolError
from tests.tools.recorded import IDS, objects, of_kind
from tests.tools.test_changes import cluster_of


async def run(recording: str, **args: object) -> Result:
    async with cluster_of(recording) as cluster:
        return await get.run(args, {Cluster: cluster})


async def test_an_object_comes_as_yaml_with_its_age_and_the_line_to_type() -> None:
    result = await run("auth-0308", kind="deploy", name="auth-service", namespace="authentication")
    title, _, body = result.text.partition("\n")
    assert title == "Deployment auth-service in authentication, 125 d 4 h old:"
    container = yaml.safe_load(body)["spec"]["template"]["spec"]["containers"][0]
    assert {"name": "DB_TIMEOUT", "value": "5000"} in container["env"]
    assert result.data["workloads"] == ["Deployment/authentication/auth-service"]
    assert result.commands == ("kubectl -n authentication get deploy auth-service -o yaml",)
    assert "managedFields" not in result.text + result.sources[0].text


@pytest.mark.parametrize("recording", IDS)
async def test_no_value_of_a_secret_is_ever_shown(recording: str) -> None:
    secrets = list(of_kind(recording, "Secret"))
    async with cluster_of(recording) as cluster:
        for secret in secrets:
            meta = secret["metadata"]
            args = {"kind": "Secret", "name": meta["name"], "namespace": meta["namespace"]}
            result = await get.run(args, {Cluster: cluster})
            values = [value for value in secret.get("data", {}).values() if len(value) > 3]
            told = result.text + result.sources[0].text
            assert all(key in told for key in secret.get("data", {}))
            assert not any(value in told for value in values)


async def test_what_is_not_there_is_answered_with_the_nearest() -> None:
    with pytest.raises(ToolError, match="nearest: auth-service"):
        await run("auth-0308", kind="Deployment", name="auth-servce", namespace="authentication")


def test_any_object_of_any_recording_is_short_and_keeps_its_name() -> None:
    for recording in IDS:
        for obj in objects(recording):
            text = shown(obj)
            assert len(text) < 5200
            assert obj["metadata"]["name"] in text


def test_long_texts_and_lists_are_cut_and_say_so() -> None:
    obj: Json = {"metadata": {"name": "x", "uid": "1"}, "data": {"a": "y" * 1000}, "items": list(range(100))}
    cut = trimmed(obj)
    assert cut["data"]["a"].endswith("... (1000 characters)")
    assert cut["items"][-1] == "... and 70 more"
    assert cut["metadata"] == {"name": "x"}
    assert json.loads(json.dumps(obj))["items"] == obj["items"]


def test_a_huge_object_tells_how_much_is_left_out() -> None:
    obj: Json = {"metadata": {"name": "x"}, "data": {f"key-{n}": "value" for n in range(2000)}}
    assert shown(obj).splitlines()[-1].endswith("more lines are kept with the evidence")
