"""Prints the share of recorded operations that pass, and the list of what does not, at the end of the
test run.
"""

from collections.abc import Iterator

import pytest


def _printed(reporter: pytest.TerminalReporter) -> Iterator[str]:
    for reports in reporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == "conformance":
                    yield from value


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Shares and failures, as the tests recorded them."""
    lines = list(dict.fromkeys(_printed(terminalreporter)))
    if lines:
        terminalreporter.section("conformance: recorded operations")
        for line in lines:
            terminalreporter.write_line(line)
