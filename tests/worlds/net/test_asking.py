"""Probes in words: what evidence names is what is asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opssquad.errors import ToolError
from opssquad.worlds.net import asks
from opssquad.worlds.net.asking import parse
from opssquad.worlds.net.telling import place

HOSTS = st.sampled_from(["cart.shop", "192.0.2.7", "2001:db8::7", "cart", "cart.shop.svc.cluster.local."])
PORTS = st.integers(1, 65535)
ORIGINS = st.sampled_from(["", "node/k2", "node/from-a"])
URLS = st.sampled_from(["http://cart/", "https://cart.shop:8443/a?b=c"])
METHODS = st.sampled_from(["GET", "HEAD"])
SERVERS = st.sampled_from(["", "192.0.2.53", "192.0.2.53:5353"])
TYPES = st.sampled_from(["A", "PTR", "MX"])
ASKS = st.one_of(
    st.builds(asks.Lookup, name=HOSTS, type=TYPES, origin=ORIGINS, server=SERVERS),
    st.builds(asks.Connect, host=HOSTS, port=PORTS, origin=ORIGINS),
    st.builds(asks.Shake, host=HOSTS, port=PORTS, origin=ORIGINS, name=st.sampled_from(["", "www.shop"])),
    st.builds(asks.Fetch, url=URLS, origin=ORIGINS, method=METHODS),
    st.builds(asks.Trace, host=HOSTS, port=st.one_of(st.just(0), PORTS), origin=ORIGINS),
    st.builds(asks.Echo, host=HOSTS, origin=ORIGINS),
    st.builds(asks.Sockets, origin=ORIGINS),
)


@given(ASKS)
def test_a_probe_is_read_back_from_how_evidence_names_it(ask: asks.Ask) -> None:
    assert parse(place(ask).removeprefix("probe ")) == ask


@given(ASKS)
def test_a_probe_is_read_back_from_its_key(ask: asks.Ask) -> None:
    assert parse(asks.key(ask)) == ask


@pytest.mark.parametrize("text", [
    "", "connect", "connect cart", "connect cart:99999", "dig cart", "lookup", "lookup a b c", "{", "[]",
    "{}", "sockets all", "fetch FETCH http://a/", "echo a b", 'connect {"host": 1}',
])  # fmt: skip
def test_what_is_no_probe_is_refused_in_a_line(text: str) -> None:
    with pytest.raises(ToolError, match="connect HOST:PORT") as refused:
        parse(text)
    assert "\n" not in str(refused.value)
