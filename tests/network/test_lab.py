"""The laboratory itself: it leaves nothing behind, and two of them do not meet."""

import os

import pytest

from opssquad.worlds.net import asks
from tests.network.lab import Lab, Link, why_not
from tests.network.namespace import FOLDER

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())


def mine() -> list[str]:
    return [each.name for each in FOLDER.glob(f"lab{os.getpid()}-*")] if FOLDER.is_dir() else []


def test_nothing_stays_behind_when_something_fails() -> None:
    before, started = mine(), []

    def fail() -> None:
        with Lab() as lab:
            lab.host("client", Link(delay=1))
            started.append(lab.start("client", "sh", "-c", "echo up; exec sleep 600", ready="up"))
            assert len(mine()) == len(before) + 2
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert mine() == before
    assert started[0].returncode is not None


def test_a_rule_that_is_none_is_told_in_the_words_of_nft() -> None:
    with Lab() as lab:
        lab.host("client")
        with pytest.raises(RuntimeError, match="syntax error"):
            lab.rule("client", "input", "no rule at all")


def test_two_side_by_side_have_the_same_addresses_and_do_not_meet() -> None:
    with Lab() as one, Lab() as other:
        for lab in (one, other):
            lab.host("client")
            lab.host("server")
        one.drop("server", 80)
        ask = asks.Connect(host=one.hosts["server"].v4, port=80, seconds=0.2)
        assert (one.ask("client", ask).end, other.ask("client", ask).end) == ("timeout", "refused")


def test_what_ends_before_it_is_ready_is_told_with_what_it_said() -> None:
    with Lab() as lab:
        lab.host("client")
        with pytest.raises(RuntimeError, match="ended early: no such luck"):
            lab.start("client", "echo", "no such luck", ready="up")


@pytest.mark.parametrize("percent", [0.0, 100.0])
def test_a_link_loses_what_it_should(percent: float) -> None:
    with Lab() as lab:
        client = lab.host("client", Link(delay=1, loss=percent))
        found = lab.ask("client", asks.Echo(host=client.router4, seconds=0.3))
        assert found.end == ("timeout" if percent else "ok")
