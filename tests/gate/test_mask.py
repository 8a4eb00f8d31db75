"""What is of the house goes out under other names and comes back exactly; what everybody knows stays."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from opssquad.gate.mask import Mask
from opssquad.gate.own import Masking

ALL = Masking(addresses=True, names=True, words=("Initech", "big-co"))
NAMES = ("auth-service", "authentication", "auth", "auth-service-7d9f8b6c5-x2x4z", "token-service", "host-3")


def mask(wanted: Masking = ALL) -> Mask:
    made = Mask(wanted)
    made.learn(NAMES)
    made.learn(["prod-worker-1"], "host")
    return made


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("dial tcp 10.2.0.7:5432: refused", "10.2.0.7"),
        ("from 10.0.0.0/8", "10.0.0.0"),
        ("listen [fd00:10:244::1f]:443", "fd00:10:244::1f"),
        ("node ip-10-2-0-7 is down", "ip-10-2-0-7"),
        ("at db.internal:5432", "db.internal"),
        ("https://grafana.corp.example/d/1", "grafana.corp.example"),
        ("postgres://app:«redacted ab2cd»@db/web", "db/"),
        ("http://gateway:8080/x", "gateway"),
        ("mail ops+oncall@initrode.de now", "oncall"),
        ("registry.initrode.io/platform/x:v2", "initrode"),
        ("Welcome to INITECH", "INITECH"),
        ("ns initech-prod, MYINITECHAPP", "INITECH"),
        ("bill of big-co", "big-co"),
        ("Deployment/authentication/auth-service", "auth"),
        ("pod auth-service-7d9f8b6c5-x2x4z crashed", "auth-service"),
        ("prod-worker-1 is NotReady", "prod-worker-1"),
        ("app=auth-service,env=x", "auth-service"),
        (r'{"log":"a\n10.2.0.7\nauth-service"}', "10.2.0.7"),
        (r'{"log":"a\nauth-service"}', "auth-service"),
        ("Auth-Service is slow", "Auth-Service"),
    ],
)
def test_what_is_of_the_house_is_gone_and_comes_back(text: str, gone: str) -> None:
    m = mask()
    hidden = m.hide(text)
    assert gone not in hidden
    assert m.show(hidden) == text
    assert not m.unknown(hidden)


@pytest.mark.parametrize(
    "text",
    [
        "app.kubernetes.io/name: x",
        "node-role.kubernetes.io/control-plane",
        "java.lang.NullPointerException at Main.java:31",
        "spec.template.spec.containers[0].image",
        "2026-03-08T14:31:02.115Z took 5000ms",
        "14:31:02 started, version v2.4.1",
        "image: docker.io/library/nginx:1.25.3",
        "config.yaml, run.sh, server.go:77, data.json",
        "std::string a::b",
        "namespace default in kube-system",
    ],
)
def test_what_tells_nothing_of_the_house_stays(text: str) -> None:
    assert mask().hide(text) == text


def test_one_thing_has_one_mask_and_its_pods_show_whose_they_are() -> None:
    m = mask()
    first = m.hide("auth-service in authentication at 10.0.0.1 and 10.0.0.2, auth-service again")
    assert first == "name-1 in name-2 at addr-1 and addr-2, name-1 again"
    assert m.hide("auth-service-7d9f8b6c5-x2x4z") == "name-1-7d9f8b6c5-x2x4z"


def test_a_real_name_that_looks_like_a_mask_is_told_apart() -> None:
    m = Mask(Masking(addresses=True))
    hidden = m.hide("host-1 at a.example.com")
    assert hidden == "name-1 at host-1"
    assert m.show("host-1 and name-1") == "a.example.com and host-1"


def test_only_what_is_wanted_is_masked() -> None:
    text = "auth-service at 10.0.0.1 of Initech"
    assert mask(Masking(words=("initech",))).hide(text).startswith("name-1 at 10.0.0.1")
    assert Mask(Masking(words=("initech",))).hide(text) == "auth-service at 10.0.0.1 of word-1"
    assert Mask(Masking(addresses=True)).hide(text) == "auth-service at addr-1 of Initech"


def test_a_mask_that_was_never_given_is_told() -> None:
    m = mask()
    m.hide("auth-service")
    assert m.unknown({"a": ["name-1", "Host-9"], "name-7": 1}) == ["Host-9", "name-7"]
    assert m.show("NAME-1 and host-9") == "auth-service and host-9"


PIECES = st.sampled_from(
    [*NAMES, "10.0.0.1", "::1", "fe80::2", "db.internal", "initech", "Initech", "big-co", "host-1", "name-2"]
    + ["a@b.example", "://", "@", "\\n", "\\", "-", ".", "_", "/", ":", " ", "1", "x", "é", "n", "«redacted»"]
)


@example("a@b.exampleauth-serviceauth-service-7d9f8b6c5-x2x4zauth-service-7d9f8b6c5-x2x4z")
@given(st.lists(PIECES, max_size=12).map("".join))
def test_whatever_is_hidden_comes_back_as_it_was(text: str) -> None:
    m = mask()
    assert m.show(m.hide(text)) == text
    assert m.hide(text) == m.hide(text)


values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.integers() | PIECES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PIECES, inner, max_size=3),
    max_leaves=6,
)


@given(values)
def test_a_json_value_comes_back_as_it_was(value: Any) -> None:
    m = mask()
    hidden = m.hide_value(value)
    assert m.show_value(hidden) == value
    assert not m.unknown(hidden)
