"""The lint of a recording beyond its coherence: secrets, leaks of the answer, and how its world answers."""

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opssquad.evals.linting import Linted, lint
from opssquad.gate.own import Own
from tests.evals.between import RECORDINGS

Json = dict[str, Any]
OWN = Own()
SECRET = "hunter22XyZ"
POD, LOG = "session-store-0", "logs/authentication/session-store-0/session-store.log"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of a recording that a test may spoil."""
    return shutil.copytree(RECORDINGS / "auth-0308", tmp_path / "auth-0308")


def copied(tmp_path: Path, name: str) -> Path:
    return shutil.copytree(RECORDINGS / name, tmp_path / name)


def change(folder: Path, kind: str, name: str, edit: Callable[[Json], None]) -> None:
    """Edit the object of that kind and name."""
    file = folder / "cluster" / "objects.jsonl.gz"
    objects = [json.loads(line) for line in gzip.decompress(file.read_bytes()).splitlines()]
    [found] = [obj for obj in objects if obj["kind"] == kind and obj["metadata"]["name"] == name]
    edit(found)
    file.write_bytes(gzip.compress("\n".join(json.dumps(obj) for obj in objects).encode()))


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def problem(folder: Path) -> str:
    """The one problem; a value that was planted as a secret is not in it."""
    [found] = lint(folder, OWN).problems
    assert SECRET not in found
    return found


@pytest.mark.parametrize("folder", sorted(RECORDINGS.iterdir()), ids=lambda p: p.name)
def test_every_recording_lints_clean(folder: Path) -> None:
    found = lint(folder, OWN)
    assert (found.problems, found.verdict) == ([], True)


def test_a_secret_in_a_log_is_found_with_its_line_and_surroundings(copy: Path) -> None:
    lines = (copy / LOG).read_text().split("\n")
    lines[4] += f" login with password={SECRET} refused"
    (copy / LOG).write_text("\n".join(lines))
    assert problem(copy).startswith(f"{LOG} line 5: a secret in ")
    assert "login with password=«redacted» refused" in problem(copy)


def test_a_secret_in_an_environment_is_found_with_its_path(copy: Path) -> None:
    def plant(pod: Json) -> None:
        pod["spec"]["containers"][0].setdefault("env", []).append({"name": "DB_PASSWORD", "value": SECRET})

    change(copy, "Pod", POD, plant)
    assert problem(copy) == (
        f"Pod/authentication/{POD} spec.containers[session-store].env[DB_PASSWORD].value: "
        "a secret of 11 characters stands here"
    )


def test_a_secret_in_an_annotation_is_found(copy: Path) -> None:
    def plant(pod: Json) -> None:
        pod["metadata"].setdefault("annotations", {})["team/dsn"] = f"postgres://app:{SECRET}@db:5432/web"

    change(copy, "Pod", POD, plant)
    assert problem(copy) == (
        f"Pod/authentication/{POD} metadata.annotations.team/dsn: a secret in 'postgres://app:«redacted»@db:5432/web'"
    )


def test_a_secret_in_a_config_map_is_found(copy: Path) -> None:
    def plant(config: Json) -> None:
        config["data"]["app.yaml"] = f"db:\n  host: db\n  password: {SECRET}\n  port: 5432\n"

    change(copy, "ConfigMap", "platform-settings", plant)
    assert problem(copy) == (
        "ConfigMap/authentication/platform-settings data.app.yaml: a secret in 'password: «redacted»'"
    )


def test_a_secret_beside_the_objects_is_found(copy: Path) -> None:
    edit(copy / "incident.yaml", "title: ", f"title: login with password={SECRET}, ")
    assert problem(copy).startswith(
        "incident.yaml line 2: a secret in 'title: login with password=«redacted»"
    )


def test_what_an_organisation_takes_for_a_secret_is_found(copy: Path) -> None:
    with (copy / LOG).open("a") as log:
        log.write("2026-03-08T14:36:59.000000000Z customer ACME-4711-0815 served\n")
    pattern = {"name": "customer", "pattern": r"ACME-\d{4}-\d{4}", "example": "ACME-1111-2222"}
    assert lint(copy, OWN).problems == []
    [found] = lint(copy, Own.model_validate({"patterns": [pattern]})).problems
    assert "customer «redacted» served" in found


def test_many_secrets_in_one_log_are_counted_not_listed(copy: Path) -> None:
    with (copy / LOG).open("a") as log:
        log.writelines(f"2026-03-08T14:36:59.00000000{n}Z password={SECRET}{n}\n" for n in range(8))
    found = lint(copy, OWN).problems
    assert len(found) == 4
    assert found[-1] == f"{LOG}: 5 more places with secrets"


def test_a_recording_without_a_verdict_is_not_broken(copy: Path) -> None:
    (copy / "truth.yaml").unlink()
    assert lint(copy, OWN) == Linted(verdict=False)


def test_a_recording_without_a_verdict_may_be_broken_besides(copy: Path) -> None:
    (copy / "truth.yaml").unlink()
    (copy / "world.yaml").unlink()
    assert lint(copy, OWN) == Linted([f"{copy / 'world.yaml'}: this file is missing"], verdict=False)


def test_a_folder_that_is_not_there_is_broken(tmp_path: Path) -> None:
    found = lint(tmp_path / "gone", OWN)
    assert found.verdict
    assert "no such folder" in found.problems[0]


def test_a_truth_without_evidence_is_told_with_file_and_field(copy: Path) -> None:
    file = copy / "truth.yaml"
    text = file.read_text()
    begin, end = text.index("evidence:"), text.index("\nfix:")
    file.write_text(f"{text[:begin]}evidence: []{text[end:]}")
    said = problem(copy)
    assert said.startswith(f"{file}, line ")
    assert ": evidence: " in said
    file.write_text(text[:begin] + text[end + 1 :])
    assert problem(copy).endswith("evidence: is missing")


def test_a_sentence_of_the_truth_in_a_log_is_a_leak(copy: Path) -> None:
    with (copy / LOG).open("a") as log:
        log.write(
            "2026-03-08T14:36:59.000000000Z note: The service gives up on its database connection after "
            "5000 ms at start, and exits 1!\n"
        )
    assert problem(copy) == (
        f"{LOG}: says what truth.yaml says as mechanism: "
        "'the service gives up on its database connection after 5000 ms at start and exits 1'"
    )


def test_a_sentence_of_the_truth_in_an_object_is_a_leak(tmp_path: Path) -> None:
    folder = copied(tmp_path, "shop-0427")

    def tell(deployment: Json) -> None:
        deployment["metadata"]["annotations"]["note"] = "the container does not listen there"

    change(folder, "Deployment", "payments", tell)
    assert problem(folder) == (
        "Deployment/shop/payments: says what truth.yaml says as root_cause: "
        "'the container does not listen there'"
    )


def test_a_title_that_calls_the_fault_by_its_name_is_a_leak(tmp_path: Path) -> None:
    folder = copied(tmp_path, "shop-0709")
    edit(folder / "incident.yaml", "title: No orders possible", "title: No node can take the pods")
    assert problem(folder) == "incident.yaml: title names the fault: 'no node can take the pods'"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("is the memory limit of recommender too low?", "limit, memory"),
        ("recommender is OOMKilled, was its limit cut?", "cut, limit, oomkilled"),
    ],
)
def test_a_question_that_names_component_and_cause_is_a_leak(asked: str, said: str, tmp_path: Path) -> None:
    folder = copied(tmp_path, "media-0519")
    edit(folder / "incident.yaml", "lots of 504 on /v3/home, what's the cause?", asked)
    assert problem(folder) == f"incident.yaml: questions[2] names recommender and its cause: {said}"


def test_a_question_may_name_the_service_that_shows_the_symptom(tmp_path: Path) -> None:
    folder = copied(tmp_path, "media-0519")
    edit(folder / "incident.yaml", "lots of 504 on /v3/home", "recommender answers 504 and restarts a lot")
    assert lint(folder, OWN).problems == []


WORLD = "outcomes: []\ndefault:\n  pods: {pods}\n"


def test_a_world_in_which_an_accepted_rollback_does_not_help_is_found(tmp_path: Path) -> None:
    folder = copied(tmp_path, "shop-0412")
    edit(folder / "world.yaml", "checkout:7.1.*\n  pods: ready", "checkout:7.1.*\n  pods: unready")
    assert problem(folder) == (
        "truth.yaml: accepted rollback of Deployment/shop/checkout: "
        "world.yaml answers revision 2 with unready, not with ready pods"
    )


def test_a_rollback_to_a_revision_that_was_not_recorded_is_found(tmp_path: Path) -> None:
    folder = copied(tmp_path, "shop-0412")
    edit(folder / "truth.yaml", "to revision 2, image 7.1.4", "to revision 7, image 7.1.4")
    assert problem(folder).endswith(
        "accepted rollback of Deployment/shop/checkout: revision 7 was not recorded"
    )


def test_a_world_in_which_a_forbidden_restart_heals_is_found(tmp_path: Path) -> None:
    folder = copied(tmp_path, "shop-0412")
    (folder / "world.yaml").write_text(WORLD.format(pods="ready"))
    assert problem(folder).startswith(
        "truth.yaml: forbidden restart of Deployment/shop/checkout: world.yaml answers it with ready pods"
    )


def test_a_world_in_which_a_forbidden_scale_heals_is_found(tmp_path: Path) -> None:
    folder = copied(tmp_path, "media-0519")
    (folder / "world.yaml").write_text(WORLD.format(pods="ready"))
    said = lint(folder, OWN).problems
    assert [each.split(":")[1].strip() for each in said] == [
        "forbidden restart of Deployment/streaming/recommender",
        "forbidden scale of Deployment/streaming/recommender",
    ]


def test_a_world_in_which_no_accepted_action_can_help_is_found(tmp_path: Path) -> None:
    folder = copied(tmp_path, "media-0606")
    (folder / "world.yaml").write_text(WORLD.format(pods="unready"))
    rollback, patch = lint(folder, OWN).problems
    assert "world.yaml answers revision 2 with unready" in rollback
    assert patch.endswith(
        "patch of Deployment/streaming/title-api: no template of it leads to ready pods by world.yaml"
    )


def test_a_world_in_which_an_accepted_scale_does_not_help_is_found(tmp_path: Path) -> None:
    folder = copied(tmp_path, "media-0702")
    (folder / "world.yaml").write_text(WORLD.format(pods="unready"))
    assert problem(folder).endswith("world.yaml answers its template with unready, not with ready pods")


def test_a_world_in_which_no_state_of_an_object_helps_is_found(tmp_path: Path) -> None:
    folder = copied(tmp_path, "shop-0618")
    edit(folder / "world.yaml", "default:\n  pods: ready", "default:\n  pods: unready")
    assert problem(folder) == (
        "truth.yaml: accepted patch of ConfigMap/shop/payments-config: no state of it leads to ready pods of "
        "Deployment/shop/payments by world.yaml"
    )


def test_an_accepted_action_on_what_is_not_there_is_found(tmp_path: Path) -> None:
    folder = copied(tmp_path, "media-0702")
    scale = "- action: scale\n    target: Deployment/streaming/cdn-signer"
    edit(folder / "truth.yaml", scale, f"{scale}s")
    assert problem(folder).endswith("scale of Deployment/streaming/cdn-signers: there is no such object")


def test_of_each_action_that_code_cannot_judge_it_is_said() -> None:
    words = "'add the label track=stable to the pod template' is in words"
    said = lint(RECORDINGS / "shop-0721", OWN).undecided
    assert [each.removeprefix("truth.yaml: ").partition(": not decided; ")[::2] for each in said] == [
        ("accepted patch of Service/shop/cart", "no outcome of world.yaml asks for that object"),
        ("accepted patch of Deployment/shop/cart", f"some templates lead to ready pods, {words}"),
        ("forbidden rollback of Deployment/shop/cart", "only a restart or a scale is"),
        ("forbidden restart of Deployment/shop/cart", "its target is healthy as it is"),
        ("forbidden restart of Deployment/shop/web", "its target is healthy as it is"),
        ("forbidden delete of Service/shop/cart", "only a restart or a scale is"),
    ]
