"""A message that a consumer cannot get past, in the words of clients of brokers."""

import pytest
from tools._loglines import entries
from tools.signals.queues import lag, stuck

from tests.tools.signals.objects import ago, faults, logged, pod


@pytest.mark.parametrize(
    ("line", "id"),
    [
        ("ERROR cannot decode record, offset=4711, will retry", "4711"),
        ("ERROR Backoff FixedBackOff exhausted for orders-2@4711", "4711"),
        ('WARN handler failed {"message_id": "b7f0-11", "redelivered": true}', "b7f0-11"),
        ("ERROR stream sequence 8812: bad checksum, naking", "8812"),
        ("ERROR job 90210 failed: no such crane", "90210"),
    ],
)
def test_a_message_that_fails_again_and_again_is_stuck(line: str, id: str) -> None:
    found = stuck(entries("\n".join(f"{ago(n)} {line}" for n in range(9, 0, -1))))
    assert found is not None
    assert (found.id, len(found.entries)) == (id, 9)


def test_messages_that_fail_each_once_are_not_stuck() -> None:
    lines = [f"{ago(99 - n)} ERROR cannot decode record, offset={4000 + n}" for n in range(50)]
    assert stuck(entries("\n".join(lines))) is None
    assert stuck(entries(f"{ago(1)} ERROR cannot decode record, offset=4711")) is None
    for other in ("Unexpected token < in JSON at position 0", "topic a: publish timed out after 30000 ms"):
        assert stuck(entries("\n".join([f"{ago(1)} ERROR {other}"] * 9))) is None, other
    assert stuck(entries("\n".join([f"{ago(1)} INFO committed offset=4711"] * 9))) is None


def test_what_waits_and_grows_is_told() -> None:
    grows = lag(entries("\n".join(f"{ago(9 - n)} INFO consumer lag={100 * n + 7}" for n in range(8))))
    assert grows is not None
    assert (grows.before, grows.after) == (7, 707)
    assert lag(entries(f"{ago(2)} INFO lag 1\n{ago(1)} INFO lag {'2' * 950}")) is None
    assert lag(entries("\n".join(f"{ago(9 - n)} INFO consumer lag={7 + n % 2}" for n in range(8)))) is None


def test_the_owner_is_asked_to_set_it_aside_and_no_restart_is_offered() -> None:
    said = logged(pod(ready=True), *["ERROR cannot decode record, offset=4711, will retry"] * 8)
    assert faults(pod(ready=True), more=said)[:1] == ["P08"]
