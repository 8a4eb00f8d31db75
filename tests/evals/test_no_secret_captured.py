"""No secret of a captured system stands in its recording, and what stands there keeps its shape."""

import base64
import gzip
import json
from pathlib import Path
from typing import Any

from opssquad.evals.cleaning import Cleaner
from opssquad.evals.linting import lint
from opssquad.gate.own import Own
from opssquad.gate.redact import Redactor
from opssquad.worlds.kube.recording import load
from tests.cli.planted_world import PLACES, RECORDING, plant
from tests.evals.between import captured
from tests.gate.planting import forms, planted

Json = dict[str, Any]
WORD = "cmVkYWN0ZWQ="


def names(objects: list[Json]) -> set[tuple[str, str]]:
    return {(obj["kind"], obj["metadata"]["name"]) for obj in objects}


def content(folder: Path) -> str:
    """Every file of the recording as text."""
    packed = gzip.decompress((folder / "cluster" / "objects.jsonl.gz").read_bytes()).decode()
    plain = [file.read_text() for file in sorted(folder.rglob("*")) if file.suffix in (".log", ".yaml")]
    return "\n".join([packed, *plain])


async def test_nothing_that_was_planted_is_in_the_capture(tmp_path: Path) -> None:
    source, out = plant(tmp_path / "source" / "auth-0308"), tmp_path / "auth-0308"
    found = await captured(source, out, tmp_path)
    text = content(out)
    carriers = [each for each in planted() if each.place in PLACES]
    left = [each.id for each in carriers for secret in each.secrets for form in forms(secret) if form in text]
    assert left == []
    assert found.notes.redacted.in_objects > 50
    assert found.notes.redacted.in_logs > 50
    # What was not planted is as it was: names, keys, and the number of lines.
    before, after = load(source), load(out)
    # Events were planted in one of their forms; a server gives both.
    assert names(after.objects) == names(before.objects)
    for file in source.rglob("*.log"):
        stamps = [line.split(" ")[0] for line in file.read_text().split("\n")]
        assert [
            line.split(" ")[0] for line in (out / file.relative_to(source)).read_text().split("\n")
        ] == stamps
    assert lint(out, Own()).problems == []


def cleaned(obj: Json) -> tuple[Json, Cleaner]:
    cleaner = Cleaner(Redactor(b"k" * 32))
    clean = cleaner.object(json.loads(json.dumps(obj)))
    assert clean is not None
    return clean, cleaner


def test_a_secret_keeps_its_keys_and_loses_what_kubectl_applied() -> None:
    applied = '{"kind":"Secret","stringData":{"pin":"4711"}}'
    clean, cleaner = cleaned(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": "db",
                "annotations": {
                    "kubectl.kubernetes.io/last-applied-configuration": applied,
                    "team": "payments",
                },
            },
            "data": {"pin": "NDcxMQ==", "user": "YXBw"},
            "type": "Opaque",
        }
    )
    assert clean == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "db", "annotations": {"team": "payments"}},
        "data": {"pin": WORD, "user": WORD},
        "type": "Opaque",
    }
    assert cleaner.counts.secret_values == 2


def test_one_secret_reads_alike_in_an_object_and_in_a_log() -> None:
    cleaner = Cleaner(Redactor(b"k" * 32))
    clean = cleaner.object(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "a"},
            "data": {"password": "hunter22x"},
        }
    )
    log = cleaner.log([("2026-01-01T00:00:00.000000000Z", "login with password=hunter22x failed")])
    assert clean is not None
    placeholder = clean["data"]["password"]
    assert placeholder.startswith("«redacted ")
    assert log == f"2026-01-01T00:00:00.000000000Z login with password={placeholder} failed\n"
    assert (cleaner.counts.in_objects, cleaner.counts.in_logs) == (1, 1)


def test_a_secret_of_an_object_is_found_bare_in_a_log() -> None:
    env = [{"name": "DB_PASSWORD", "value": "xK29fQz81"}, {"name": "LEVEL", "value": "debug"}]
    spec = {"containers": [{"name": "web", "env": env}]}
    cleaner = Cleaner(Redactor(b"k" * 32))
    pod = cleaner.object({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": spec})
    assert pod is not None
    placeholder = pod["spec"]["containers"][0]["env"][0]["value"]
    log = cleaner.log([("2026-01-01T00:00:00.000000000Z", "debug: tried xK29fQz81, was refused")])
    assert log == f"2026-01-01T00:00:00.000000000Z debug: tried {placeholder}, was refused\n"
    assert cleaner.counts.in_logs == 1


def test_a_file_in_a_config_map_is_looked_through_in_base64_too() -> None:
    def encoded(text: bytes) -> str:
        return base64.b64encode(text).decode()

    data = {
        "app.properties": encoded(b"db.password=hunter22x\ndb.host=db\n"),
        "logo": encoded(b"\x89PNG\xff"),
        "motd": encoded(b"welcome\n"),
        "odd": "not base64",
    }
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "binaryData": data}
    clean, cleaner = cleaned(obj)
    text = base64.b64decode(clean["binaryData"]["app.properties"]).decode()
    assert text.startswith("db.password=«redacted ")
    assert text.endswith("»\ndb.host=db\n")
    assert {key: value for key, value in clean["binaryData"].items() if key != "app.properties"} == {
        key: value for key, value in data.items() if key != "app.properties"
    }
    assert cleaner.counts.in_objects == 1


def test_a_secret_over_several_lines_of_a_log_is_gone_and_every_line_keeps_its_time() -> None:
    key = [
        "-----BEGIN RSA PRIVATE KEY-----",
        "MIIEow" + "Ab1" * 19,
        "q7Zx" + "Cd2" * 19,
        "-----END RSA PRIVATE KEY-----",
    ]
    messages = ["starting", *key, "listening on 8080"]
    lines = [(f"2026-01-01T00:00:0{n}.000000000Z", message) for n, message in enumerate(messages)]
    log = Cleaner(Redactor(b"k" * 32)).log(lines)
    kept = [line.partition(" ") for line in log.splitlines()]
    assert [stamp for stamp, _, _ in kept] == [stamp for stamp, _ in lines]
    assert (kept[0][2], kept[-1][2]) == ("starting", "listening on 8080")
    assert "MIIEow" not in log
    assert "q7Zx" not in log


def test_an_object_that_its_secrets_made_is_left_out() -> None:
    obj = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a", "namespace": "b", "creationTimestamp": "password=hunter22x"},
    }
    assert Cleaner(Redactor(b"k" * 32)).object(obj) is None


def test_an_empty_log_stays_empty() -> None:
    assert Cleaner(Redactor()).log([]) == ""


def test_the_recording_that_is_planted_into_is_clean() -> None:
    assert lint(RECORDING, Own()).problems == []
