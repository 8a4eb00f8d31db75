"""Errors of a program's own code, and which release or setting they came with."""

import pytest
from tools._kube import ref
from tools.signals._scene import make
from tools.signals.defects import defect

from opssquad import Signal
from tests.tools.signals.objects import NOW, deployment, faults, logged, obj, pod, ranked, rolled_out

BUG = "ERROR TypeError: Cannot read properties of undefined (reading 'price')"


@pytest.mark.parametrize(
    "line",
    [
        "java.lang.NullPointerException: Cannot invoke \"Price.amount()\" because \"p\" is null",
        "TypeError: Cannot read properties of undefined (reading 'price')",
        "KeyError: 'coupon'",
        "panic: runtime error: invalid memory address or nil pointer dereference",
        "thread 'main' panicked at src/cart.rs:12:5:",
        "System.NullReferenceException: Object reference not set to an instance of an object.",
        "undefined method `price' for nil (NoMethodError)",
        "** (FunctionClauseError) no function clause matching in Cart.add/2",
        "PHP Fatal error: Uncaught Error: Call to a member function price() on null",
    ],
)  # fmt: skip
def test_the_words_of_runtimes_tell_of_faults_of_code(line: str) -> None:
    assert defect(line) in line
    assert defect(line)


@pytest.mark.parametrize(
    "line", ["connection refused", "503 Service Unavailable", "timeout error", "java.io.IOException: reset"]
)  # fmt: skip
def test_calls_that_fail_are_none(line: str) -> None:
    assert defect(line) == ""


def edited(minutes: float) -> Signal:
    """A ConfigMap that the Deployment `web` reads was edited so long ago."""
    from datetime import timedelta

    flags = obj("ConfigMap", "flags")
    at = NOW - timedelta(minutes=minutes)
    return make(
        "config.changed", flags, ref(flags), "flags edited", (), at=at, data={"used_by": ["Deployment/n/web"]}
    )


def test_code_that_fails_since_a_release_is_that_releases_fault() -> None:
    web = deployment(2, 2)
    failing = logged(pod(ready=True), *[BUG] * 12)
    found = ranked(web, pod(ready=True), more=[*failing, rolled_out(web, "image")])[0]
    assert (found.fault, found.options[0].action) == ("P02", "rollback")
    assert {each.action for each in found.inadmissible} == {"restart"}
    assert "P02" not in faults(web, pod(ready=True), more=failing), "no release came before"
    assert "P02" not in faults(
        web, more=[*logged(pod(ready=True), *["ERROR it failed"] * 12), rolled_out(web, "image")]
    )


def test_code_that_fails_since_a_setting_was_edited_is_the_settings_fault() -> None:
    web = deployment(2, 2)
    failing = logged(pod(ready=True), *[BUG] * 12)
    found = ranked(web, pod(ready=True), more=[*failing, edited(5), rolled_out(web, "image", minutes=40)])[0]
    assert (found.fault, str(found.component)) == ("P03", "ConfigMap/n/flags")
    assert {each.action for each in found.inadmissible} == {"rollback", "restart"}
    other = [*logged(pod(ready=True), *["ERROR it failed"] * 12), edited(5)]
    assert [each.confidence for each in ranked(web, more=other) if each.fault == "P03"] == ["possible"]
