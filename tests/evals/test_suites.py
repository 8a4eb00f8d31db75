"""Suites as teams write them: what is wrong is one line with file and field, before anything is played."""

import shutil
from pathlib import Path

import pytest
import yaml

from opssquad import content
from opssquad.errors import UsageError
from opssquad.evals.plan import Wanted, cases_of, chosen, used, varied
from opssquad.evals.suite import read_suite
from tests.evals.program import evaluate, write_suite


@pytest.mark.parametrize("name", sorted(content.suites()))
def test_the_suites_that_come_with_the_product_are_sound(name: str) -> None:
    read = read_suite(name)
    assert read.suite.name == name
    assert len({case.id for case in cases_of([read])}) == len(cases_of([read]))


def test_the_full_suite_asks_every_question_of_every_recording_and_has_every_manner() -> None:
    cases = cases_of([read_suite("full")])
    asked = {(c.recording, c.question) for c in cases if c.manner in ("ask", "approve") and not c.noise}
    assert len(asked) == 3 * len(content.recordings())
    assert {c.manner for c in cases} == {"ask", "approve", "refuse", "change", "kill"}
    assert {c.recording for c in cases if c.shift is not None and c.noise is not None} == set(
        content.recordings()
    )


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ({"recording": "auth-0309"}, "cases[0].recording: no recording 'auth-0309'; there is: auth-0308"),
        ({"recording": "nothing-*"}, "cases[0].recording: no recording is called 'nothing-*'"),
        ({"questions": [7]}, "cases[0].questions[0]: no question 7; auth-0308 has"),
        ({"manners": ["maybe"]}, "cases.0.manners.0: input should be"),
        ({"manner": "ask"}, "cases.0.manner: unknown key; did you mean 'manners'?"),
        ({"seconds": 0}, "cases.0.seconds: input should be greater than 0"),
        ({"questions": []}, "cases.0.questions:"),
        ({"withheld": ["logs"]}, "cases[0].withheld[0]: no resource is called 'logs'; name it as"),
        ({"calls": -1}, "cases.0.calls: input should be greater than or equal to 0"),
    ],
)
def test_what_is_wrong_with_a_suite_is_one_line(tmp_path: Path, case: dict[str, object], said: str) -> None:
    file = write_suite(tmp_path, case)
    with pytest.raises(UsageError) as caught:
        cases_of([read_suite(str(file))])
    assert str(caught.value).startswith(f"{file}, line ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_case_that_stands_twice_is_refused(tmp_path: Path) -> None:
    file = write_suite(tmp_path, {}, {"recording": "auth-*"})
    with pytest.raises(UsageError, match="case auth-0308/q0/ask/plain stands twice"):
        cases_of([read_suite(str(file))])


def test_a_suite_may_hold_recordings_of_its_own_beside_it_and_words_of_its_own(tmp_path: Path) -> None:
    shutil.copytree(content.recordings()["shop-0412"], tmp_path / "mine" / "shop-0412")
    file = write_suite(tmp_path, {"recording": "mine/shop-0412", "questions": ["why is the shop old?", 1]})
    cases = cases_of([read_suite(str(file))])
    assert [case.id for case in cases] == ["shop-0412/own0/ask/plain", "shop-0412/q1/ask/plain"]
    assert cases[0].question == "why is the shop old?"
    assert cases[0].folder == tmp_path / "mine" / "shop-0412"


def test_cases_are_chosen_by_name_tag_and_squad(tmp_path: Path) -> None:
    file = write_suite(tmp_path, {"tags": ["slow"]}, {"recording": "shop-04*", "manners": ["approve"]})
    cases = cases_of([read_suite(str(file))])
    assert len(chosen(cases, Wanted())) == 3
    assert [c.recording for c in chosen(cases, Wanted(tag="slow"))] == ["auth-0308"]
    assert [c.recording for c in chosen(cases, Wanted(case="shop-0412"))] == ["shop-0412"]
    assert [c.recording for c in chosen(cases, Wanted(case="*/approve/*"))] == ["shop-0412", "shop-0427"]
    assert len(chosen(cases, Wanted(squad="k8s"))) == 3
    with pytest.raises(UsageError, match="no case of own fits"):
        chosen(cases, Wanted(squad="database"))


def test_what_makes_two_reports_comparable_is_the_cases_and_their_truths(tmp_path: Path) -> None:
    shutil.copytree(content.recordings()["shop-0412"], tmp_path / "shop-0412")
    read = read_suite(str(write_suite(tmp_path, {"recording": "shop-0412"})))
    before = used(read, cases_of([read]))
    assert used(read, cases_of([read])) == before
    truth = tmp_path / "shop-0412" / "truth.yaml"
    truth.write_text(truth.read_text().replace("fault: K02", "fault: K03"), encoding="utf-8")
    assert used(read, cases_of([read])).digest != before.digest


def test_a_case_can_be_played_under_other_names_whatever_its_suite_says() -> None:
    case = cases_of([read_suite("check")])[0]
    assert varied(case, None, None) == case
    shifted = varied(case, 7, None)
    assert (shifted.variant, shifted.shift, shifted.noise) == ("shift", 7, None)
    assert shifted.id == case.id.replace("/plain", "/shift")
    assert varied(shifted, None, 3).variant == "both"


def broken_copy(tmp_path: Path, **changed: object) -> Path:
    folder = tmp_path / "shop-0412"
    shutil.copytree(content.recordings()["shop-0412"], folder)
    truth = yaml.safe_load((folder / "truth.yaml").read_text(encoding="utf-8"))
    (folder / "truth.yaml").write_text(yaml.safe_dump({**truth, **changed}), encoding="utf-8")
    return write_suite(tmp_path, {"recording": "shop-0412"})


def test_a_truth_without_evidence_is_refused_with_file_and_field(tmp_path: Path) -> None:
    ended = evaluate(tmp_path / "state", "run", broken_copy(tmp_path, evidence=[]))
    assert ended.returncode == 2
    assert f"{tmp_path}/shop-0412/truth.yaml, line" in ended.stderr.replace("\n", " ")
    assert "evidence" in ended.stderr


def test_a_recording_that_is_no_fair_case_is_refused_before_anything_is_played(tmp_path: Path) -> None:
    proof = {"kind": "log", "where": "logs/shop/nowhere/web.log", "contains": "never said"}
    ended = evaluate(tmp_path / "state", "run", broken_copy(tmp_path, evidence=[proof, proof]))
    assert ended.returncode == 2
    told = " ".join(ended.stderr.split())
    assert "shop-0412: truth.yaml: log logs/shop/nowhere/web.log does not hold 'never said'" in told
    assert "passed" not in ended.stdout
