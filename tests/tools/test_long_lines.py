"""Lines that are data, not text: what looks through them ends soon, whatever they hold."""

import time
from collections.abc import Callable

import pytest
from tools._access import in_text
from tools._addresses import endpoints
from tools._digest import mask
from tools._levels import plain_level
from tools._loglines import entries
from tools._mentions import mentioned
from tools.signals.calls import called
from tools.signals.defects import defect
from tools.signals.lookups import failed_lookup
from tools.signals.queues import stuck
from tools.signals.strangers import met

SIZE = 20_000
LINES = (
    "a" * SIZE,
    "a." * (SIZE // 2),
    "1" * SIZE,
    "host: " * 3000,
    "queue " * 3000,
    "unavailable (" + "a." * 9000,
)
LOOKS: dict[str, Callable[[str], object]] = {
    "mentioned": mentioned,
    "level": plain_level,
    "access": in_text,
    "defect": defect,
    "lookup": failed_lookup,
    "met": lambda line: list(met(line)),
    "called": lambda line: called(entries(f"2026-01-01T00:00:00Z ERROR {line}")),
    "stuck": lambda line: stuck(entries(f"2026-01-01T00:00:00Z ERROR {line}")),
    "mask": mask,
    "endpoints": endpoints,
}


@pytest.mark.parametrize("name", LOOKS)
def test_a_line_of_twenty_thousand_characters_is_read_in_no_time(name: str) -> None:
    began = time.process_time()
    for line in LINES:
        LOOKS[name](line)
    # A pattern that tries every pair of places would take minutes of this.
    assert time.process_time() - began < 5
