"""The laboratory for the tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.network.lab import Lab, Link, why_not


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A client and a server behind a router. Each test has ports of its own."""
    if reason := why_not():
        pytest.skip(reason)
    with Lab() as made:
        made.host("client")
        made.host("server")
        yield made


@pytest.fixture(scope="module")
def narrow() -> Iterator[Lab]:
    """A client, and two hosts that packets of at most 1400 bytes get to; the router says so of `small`, and
    nothing of `silent`."""
    if reason := why_not():
        pytest.skip(reason)
    with Lab() as made:
        made.host("client")
        made.host("small", Link(mtu=1400))
        silent = made.host("silent")
        made.rule("router", "forward", f"ip daddr {silent.v4} meta length > 1400 drop")
        made.rule("router", "forward", f"ip6 daddr {silent.v6} meta length > 1400 drop")
        yield made
