"""Hosts, ports and URLs as people type them: each is read the one right way, or refused in one line."""

from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opssquad.errors import ToolError
from opssquad.worlds.net import names


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("Cart.Shop.svc", "cart.shop.svc"),
        (" cart ", "cart"),
        ("cart.shop.svc.cluster.local.", "cart.shop.svc.cluster.local."),
        ("_http._tcp.cart", "_http._tcp.cart"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
        ("10.0.0.1", "10.0.0.1"),
        ("[2001:DB8:0::1]", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("[fe80::1%2]", "fe80::1%2"),
    ],
)
def test_a_host_is_read_as_dns_and_sockets_take_it(text: str, host: str) -> None:
    assert names.host(text) == host


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no host was given"),
        (".", "1 to 253 characters, this one 0"),
        ("a..b", "an empty label"),
        ("a..", "an empty label"),
        ("http://cart/", "without scheme, port or path"),
        ("cart:80", "without scheme, port or path"),
        ("-cart", "no label of one"),
        ("a" * 64, "no label of one"),
        (".".join(["a" * 50] * 6), "1 to 253 characters, this one 305"),
        ("a" * 100_000, "1 to 253 characters, this one 100000"),
        ("xn--0.example", "is no host name"),
        ("bü cher", "without scheme"),
        ("a\u202eb.example", "is no host name"),
        ("fe80::1%", "is no host"),
        ("fe80::1%../../etc", "is no host"),
        ("10.0.0.1%eth0", "is no label of one"),
        ("127.1", "an IPv4 address has four numbers"),
        ("2130706433", "an IPv4 address has four numbers"),
        ("0x7f000001", "an IPv4 address has four numbers"),
        ("1.2.3.256", "an IPv4 address has four numbers"),
        ("１２７.0.0.1", "an IPv4 address has four numbers"),
    ],
)
def test_what_is_no_host_is_refused_in_one_line(text: str, why: str) -> None:
    with pytest.raises(ToolError, match=why) as refusal:
        names.host(text)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 500


@pytest.mark.parametrize("number", [-1, 0, 65536, 10**9])
def test_a_port_out_of_range_is_refused(number: int) -> None:
    with pytest.raises(ToolError, match="1 to 65535"):
        names.port(number)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("HTTP://Cart", "http://cart/"),
        ("https://cart:443/a?b=c#d", "https://cart/a?b=c"),
        ("https://cart:8443", "https://cart:8443/"),
        ("http://bücher.example/straße", "http://xn--bcher-kva.example/stra%C3%9Fe"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
        ("http://[fe80::1%25eth0]/", "http://[fe80::1%25eth0]/"),
        ("http://cart/a%20b", "http://cart/a%20b"),
    ],
)
def test_a_url_is_read_and_written_the_same_way(text: str, url: str) -> None:
    read = names.url(text)
    assert str(read) == url
    assert names.url(str(read)) == read


def test_the_zone_of_an_address_in_a_url_is_the_interface() -> None:
    assert names.url("http://[fe80::1%25eth0]/").host == "fe80::1%eth0"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("cart/x", "only http and https"),
        ("ftp://cart/", "only http and https"),
        ("http:///x", "names no host"),
        ("http://cart:0/", "port 0 is out of range"),
        ("http://cart:65536/", "the URL's port is none"),
        ("http://cart:-1/", "the URL's port is none"),
        ("http://cart/a b", "encode them as %20"),
        ("http://cart/\r\nHost: other", "control characters"),
        ("http://[::1/", "that is no URL"),
        ("http://[::1%25../x]/", "that is no URL|is no host"),
        ("http://cart/" + "a" * 9000, "at most 8000 characters"),
    ],
)
def test_what_is_no_url_is_refused_in_one_line(text: str, why: str) -> None:
    with pytest.raises(ToolError, match=why) as refusal:
        names.url(text)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "text",
    [
        "http://user:hunter2@cart/",
        "http://hunter2@cart/",
        "http://user:hunter2\u2100@cart/",
        "http://user:hunter2/x@cart/",
        "http://:hunter2@[::1",
        "https://user:hunter2@",
    ],
)
def test_a_password_in_a_url_is_refused_and_never_repeated(text: str) -> None:
    with pytest.raises(ToolError) as refusal:
        names.url(text)
    assert "hunter2" not in str(refusal.value)


def test_a_password_in_a_host_is_refused_and_never_repeated() -> None:
    with pytest.raises(ToolError, match="without a user") as refusal:
        names.host("user:hunter2@cart")
    assert "hunter2" not in str(refusal.value)


Read = TypeVar("Read")


def read_or_refused(read: Callable[[str], Read], text: str) -> Read | None:
    """What is read; None where it is refused, in one line."""
    try:
        return read(text)
    except ToolError as refusal:
        said = str(refusal)
    assert "\n" not in said
    return None


@given(st.text(max_size=40))
def test_any_text_is_a_host_or_refused_and_a_host_is_read_as_itself(text: str) -> None:
    found = read_or_refused(names.host, text)
    assert found is None or (found.isascii() and names.host(found) == found)


@given(st.text(alphabet="ab:/@[]%.?#\\ü\u2100 0129é", max_size=25).map(lambda rest: f"http://{rest}"))
def test_any_url_is_read_as_itself_or_refused(text: str) -> None:
    found = read_or_refused(names.url, text)
    assert found is None or names.url(str(found)) == found
