"""What holds for every test: property tests are bounded by their examples, not by a busy machine, and Ctrl-C
reaches the programs that tests start."""

import os
import signal
from collections import Counter
from zlib import crc32

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

# A shell lets what it runs in the background ignore Ctrl-C, and what that starts inherits it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep one part of several, by name, where OPSSQUAD_TEST_PART says so (`2/3`): builds have a bound."""
    part, _, parts = os.environ.get("OPSSQUAD_TEST_PART", "").partition("/")
    if not part:
        return
    kept: dict[bool, list[pytest.Item]] = {True: [], False: []}
    for item in items:
        kept[crc32(item.nodeid.encode()) % int(parts) == int(part) % int(parts)].append(item)
    config.hook.pytest_deselected(items=kept[False])
    items[:] = kept[True]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say why there was no network of namespaces: what was not tried must not look as if it held."""
    skipped = terminalreporter.stats.get("skipped", ())
    ours = [each for each in skipped if each.nodeid.startswith("tests/network/")]
    reasons = Counter(each.longrepr[-1] for each in ours if isinstance(each.longrepr, tuple))
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"{count} tests of real networks: {reason}")
