"""What the real controllers did in the recorded sequences, ours do too."""

import sys

import pytest

from tests.conformance.sequences import differences, names

# Why these are not held to: what sets them off is no request of a user, or is not imitated.
NOT_REPLAYED = {
    "hpa-scales-up": "the autoscaler stands still",
    "node-not-ready": "nodes stand still",
}
# A change of the user overtakes a step of the controllers that is some milliseconds away, or does not.
RACES = {"change-cause"}


@pytest.mark.parametrize("name", [n for n in names() if n not in NOT_REPLAYED and n not in RACES])
def test_our_controllers_go_the_recorded_way(name: str) -> None:
    assert differences(name) == []


def test_only_the_order_of_two_writes_differs_where_a_user_is_quicker() -> None:
    for name in sorted(RACES):
        [difference] = differences(name)
        assert difference.startswith("deployments: ")


def test_the_sequences_that_are_left_out_are_named_with_the_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    left = {**NOT_REPLAYED, **dict.fromkeys(RACES, "a race of two writes")}
    assert left.keys() <= set(names())
    told = "; ".join(f"{name}: {reason}" for name, reason in sorted(left.items()))
    with capsys.disabled():
        sys.stdout.write(f"\nsequences: {len(names()) - len(left)} of {len(names())} match; not {told}\n")
