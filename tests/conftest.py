"""What holds for every test: property tests are bounded by their examples, not by a busy machine, and Ctrl-C
reaches the programs that tests start."""

import signal
from collections import Counter

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

# A shell lets what it runs in the background ignore Ctrl-C, and what that starts inherits it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say why there was no network of namespaces: what was not tried must not look as if it held."""
    skipped = terminalreporter.stats.get("skipped", ())
    ours = [each for each in skipped if each.nodeid.startswith("tests/network/")]
    reasons = Counter(each.longrepr[-1] for each in ours if isinstance(each.longrepr, tuple))
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"{count} tests of real networks: {reason}")
