"""What the opening of a run leaves in the audit log, before anything is asked of a cluster or a model."""

import asyncio
import hashlib
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from opssquad import content
from opssquad.errors import StoreError, UsageError
from opssquad.investigation import Investigation, Options
from opssquad.models.chat import Chat
from opssquad.store.base import AuditDraft, AuditFilter, AuditKind, AuditRecord
from opssquad.store.sqlite import Store
from opssquad.worlds.kube.access import choose, described
from opssquad.worlds.kube.serve import open_recording
from tests.investigation.test_unrecorded import no_room
from tests.stub_model import Json, serving, text

RECORDING = content.recordings()["auth-0308"]


@pytest.fixture
def options(tmp_path: Path) -> Options:
    return Options(state=tmp_path / "state", by="ada", recording=RECORDING)


async def lines(folder: Path, kind: AuditKind | None = None) -> list[AuditRecord]:
    async with await Store.open(folder) as store:
        assert await store.verify_audit() is None
        return list(await store.audit_records(wanted=AuditFilter(kind=kind)))


async def opened(options: Options, resume: str = "") -> str:
    async with await Investigation.open(options, resume=resume) as run:
        return run.thread


async def test_the_first_opening_tells_everything_and_the_next_only_that_it_connects(
    options: Options,
) -> None:
    thread = await opened(options)
    await opened(options, resume=thread)
    records = await lines(options.state)
    assert [(r.kind, r.tool, r.status) for r in records] == [
        ("configuration", "settings", "first"),
        ("configuration", "squad k8s", "first"),
        ("configuration", "squad network", "first"),
        ("policy", "policy", "first"),
        ("connection", "cluster", "opened"),
        ("connection", "cluster", "opened"),
    ]
    assert {(r.thread, r.incident, r.requested_by, r.agent) for r in records} == {
        (thread, thread, "ada", "k8s")
    }
    place = records[-1]
    assert place.target.cluster == place.args["context"] == "production"
    assert place.args["server"].startswith("http://127.0.0.1:")
    assert place.args["recording"] == str(RECORDING)


async def test_what_is_not_what_it_was_is_named(
    options: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened(options)
    own = tmp_path / "redaction.yaml"
    own.write_text("names: {secret: [flag]}\n")
    await opened(replace(options, redaction=own, approval_minutes=3))
    own.write_text("names: {secret: [flag, token]}\n")
    await opened(replace(options, redaction=own, approval_minutes=3))
    stricter = tmp_path / "policy.yaml"
    stricter.write_text(content.policy().read_text() + "# read again\n")
    monkeypatch.setattr(content, "policy", lambda: stricter)
    await opened(replace(options, redaction=own, approval_minutes=3))
    ours = tmp_path / "ours.yaml"
    ours.write_text("rules: [{name: no scaling, verdict: refuse, tool: scale, reason: not here}]\n")
    await opened(replace(options, redaction=own, approval_minutes=3, policy=ours))
    changed = [r for r in await lines(options.state) if r.status == "changed"]
    assert [(r.kind, r.tool, r.why) for r in changed] == [
        ("configuration", "settings", "changed: approval_minutes, redaction, redaction.yaml"),
        ("configuration", "settings", "changed: redaction.yaml"),
        ("policy", "policy", "changed: bundled, policy"),
        ("configuration", "settings", "changed: policy"),
        ("policy", "policy", "changed: organisation, policy"),
    ]


async def test_a_squad_whose_limits_or_prompt_changed_is_told(
    options: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened(options)
    folder = tmp_path / "k8s"
    folder.mkdir()
    for file in content.squad("k8s").glob("*.yaml"):
        text = file.read_text()
        folder.joinpath(file.name).write_text(text.replace("calls_hard: 25", "calls_hard: 20"))
    squad = content.squad
    monkeypatch.setattr(content, "squad", lambda name: folder if name == "k8s" else squad(name))
    prompt = content.prompt
    brief = "Be brief.\n"
    monkeypatch.setattr(content, "prompt", lambda name: prompt(name) + (brief if name == "k8s" else ""))
    await opened(options)
    (line,) = [r for r in await lines(options.state) if r.status == "changed"]
    assert (line.tool, line.why) == ("squad k8s", "changed: limits, prompt, squad.yaml")
    assert line.args["limits"]["calls_hard"] == 20


async def test_faults_of_the_organisation_that_come_or_change_are_on_record(
    options: Options, tmp_path: Path
) -> None:
    folder = tmp_path / "faults"
    folder.mkdir()
    await opened(replace(options, faults=folder))
    own = folder / "k8s.yaml"
    own.write_text("faults: [{id: K14, off: true, reason: scaled by night}]\n")
    await opened(replace(options, faults=folder))
    own.write_text("faults: [{id: K14, off: true, reason: scaled at night}]\n")
    await opened(replace(options, faults=folder))
    changed = [r for r in await lines(options.state) if r.status == "changed"]
    assert [(r.tool, r.why) for r in changed] == [
        ("squad k8s", "changed: own faults, own faults.yaml"),
        ("squad k8s", "changed: own faults.yaml"),
    ]
    assert changed[-1].args["own faults"] == str(own)
    assert changed[-1].args["own faults.yaml"] == hashlib.sha256(own.read_bytes()).hexdigest()[:16]


@asynccontextmanager
async def counting() -> AsyncIterator[tuple[int, list[int]]]:
    """A server that counts who comes, and hangs up on them."""
    came: list[int] = []

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(1)
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], came


def kubeconfig(folder: Path, server: str) -> Path:
    path = folder / "kubeconfig"
    user = {"name": "ada@example", "user": {"token": "t0p-s3cret-token", "as": "breakglass"}}
    config = {
        "current-context": "live",
        "contexts": [{"name": "live", "context": {"cluster": "c", "user": "ada@example"}}],
        "clusters": [{"name": "c", "cluster": {"server": server, "certificate-authority-data": "Y2E="}}],
        "users": [user],
    }
    path.write_text(yaml.safe_dump(config))
    return path


async def test_a_cluster_that_does_not_answer_is_on_record_with_the_reason(
    options: Options, tmp_path: Path
) -> None:
    async with counting() as (port, came):
        config = kubeconfig(tmp_path, f"http://127.0.0.1:{port}")
        with pytest.raises(UsageError) as caught:
            await opened(replace(options, recording=None, kubeconfig=config))
    assert came, "it was asked"
    before, after = await lines(options.state, "connection")
    assert (before.status, before.why) == ("opened", "")
    assert (after.status, after.target.cluster) == ("error", "live")
    assert after.why
    assert after.why[:40] in str(caught.value)
    assert after.args == before.args
    assert after.args["user"] == "ada@example as breakglass"
    assert after.args["server"] == f"http://127.0.0.1:{port}"
    said = "".join(r.model_dump_json() for r in await lines(options.state))
    assert "s3cret" not in said


def unwritable(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """No line of this kind can be written: the disk takes no more."""
    audit = Store.audit

    async def full(self: Store, draft: AuditDraft) -> Any:
        if draft.kind != kind:
            return await audit(self, draft)
        with no_room():
            return await audit(self, draft)

    monkeypatch.setattr(Store, "audit", full)


async def test_a_cluster_is_not_asked_when_that_cannot_be_put_on_record(
    options: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unwritable(monkeypatch, "connection")
    async with counting() as (port, came):
        config = kubeconfig(tmp_path, f"http://127.0.0.1:{port}")
        with pytest.raises(StoreError, match="nothing was half-written"):
            await opened(replace(options, recording=None, kubeconfig=config))
    assert came == []
    async with await Store.open(options.state) as store:
        assert await store.threads() == []


async def test_a_run_whose_policy_cannot_be_put_on_record_does_not_open(
    options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = Store.audit_change

    async def full(self: Store, draft: AuditDraft) -> Any:
        with no_room():
            return await change(self, draft)

    monkeypatch.setattr(Store, "audit_change", full)
    with pytest.raises(StoreError):
        await opened(options)
    assert await lines(options.state) == []


async def test_a_live_cluster_is_asked_after_the_line_and_the_thread_goes_on(options: Options) -> None:
    async with open_recording(RECORDING) as world:
        live = replace(options, recording=None, kubeconfig=world.kubeconfig)
        await opened(live)
    (line,) = await lines(options.state, "connection")
    assert (line.args["server"], line.args["recording"]) == (world.url, "")


def endpoint(monkeypatch: pytest.MonkeyPatch, url: str) -> str:
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    return url.removeprefix("http://").removesuffix("/v1")


async def test_a_model_endpoint_is_on_record_before_it_is_asked_and_once(
    options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []

    def look(asked: Json) -> Json:
        with closing(sqlite3.connect(options.state / "opssquad.sqlite")) as c:
            query = "select json_extract(body, '$.status') from audit where body like '%\"tool\":\"model\"%'"
            seen.append([status for (status,) in c.execute(query)])
        return text("It is fine.")

    async with serving([look]) as stub:
        place = endpoint(monkeypatch, stub.url)
        async with await Investigation.open(replace(options, model="one")) as run:
            _ = [e async for e in run.ask("how are you?")]
            _ = [e async for e in run.ask("and now?")]
            run.use_model("two")
            _ = [e async for e in run.ask("and now?")]
    assert seen == [["opened"], ["opened"], ["opened", "opened"]]
    told = [r for r in await lines(options.state, "connection") if r.tool == "model"]
    assert [(r.args, r.model) for r in told] == [
        ({"endpoint": place, "model": name}, name) for name in ("one", "two")
    ]
    settings = (await lines(options.state, "configuration"))[0]
    assert (settings.args["model"], settings.args["endpoint"]) == ("one", place)


async def test_a_model_is_not_asked_when_that_cannot_be_put_on_record(
    options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving([text("It is fine.")]) as stub:
        endpoint(monkeypatch, stub.url)
        async with await Investigation.open(replace(options, model="one")) as run:
            unwritable(monkeypatch, "connection")
            with pytest.raises(StoreError):
                _ = [e async for e in run.ask("how are you?")]
        assert stub.asked == []


async def test_an_endpoint_that_fails_is_on_record_with_the_reason_and_without_its_password(
    options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://ada:hunter2hunter2@127.0.0.1:9/v1")
    monkeypatch.setattr(Chat, "_wait", lambda *_: 0.0)
    async with await Investigation.open(replace(options, model="one")) as run:
        events = [e async for e in run.ask("why do logins fail?")]
    told = [r for r in await lines(options.state, "connection") if r.tool == "model"]
    assert [r.status for r in told] == ["opened", "error"]
    assert told[1].why.startswith("http://127.0.0.1:9/v1 cannot be reached")
    assert told[1].args == {"endpoint": "127.0.0.1:9", "model": "one"}
    everything = [*await lines(options.state), *events]
    assert "hunter2" not in "".join(each.model_dump_json() for each in everything)


def test_a_login_is_described_without_its_secrets(tmp_path: Path) -> None:
    told = described(choose([kubeconfig(tmp_path, "https://k8s.example:6443/c/1?token=hunter2")]))
    assert told == {
        "context": "live",
        "server": "https://k8s.example:6443/c/1",
        "user": "ada@example as breakglass",
        "authority": hashlib.sha256(b"ca").hexdigest()[:16],
    }
    config = yaml.safe_load((tmp_path / "kubeconfig").read_text())
    config["clusters"][0]["cluster"] = {"server": "https://k8s.example", "certificate-authority": "absent"}
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config))
    assert described(choose([tmp_path / "kubeconfig"]))["authority"] == ""
