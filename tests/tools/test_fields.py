"""Flat fields of objects: paths, differences, and that a secret's value never shows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tools._fields import differences, flat, hidden, secret_name, shown, unified, veiled


def deployment(image: str, **env: str) -> dict[str, object]:
    variables = [{"name": key, "value": value} for key, value in env.items()]
    return {
        "metadata": {"name": "app", "resourceVersion": image},
        "spec": {"template": {"spec": {"containers": [{"name": "app", "image": image, "env": variables}]}}},
        "status": {"replicas": len(env)},
    }


def test_items_of_a_list_go_by_their_name_and_dotted_keys_stand_in_brackets() -> None:
    obj = {
        "containers": [{"name": "app", "image": "a"}],
        "labels": {"app.io/x": "1"},
        "args": ["-v"],
        "empty": {},
    }
    assert dict(flat(obj)) == {
        "containers[app].name": "app",
        "containers[app].image": "a",
        "labels[app.io/x]": "1",
        "args[0]": "-v",
        "empty": {},
    }


def test_what_the_server_writes_itself_is_no_difference() -> None:
    paths = [each.path for each in differences(deployment("a:1", X="1"), deployment("a:2", X="1", Y="2"))]
    assert paths == [
        "spec.template.spec.containers[app].image",
        "spec.template.spec.containers[app].env[Y].name",
        "spec.template.spec.containers[app].env[Y].value",
    ]


def test_a_unified_diff_says_one_line_out_and_one_line_in() -> None:
    text = unified("Deployment/ns/app", deployment("a:1", POOL="20"), deployment("a:2", POOL="50"))
    assert text.splitlines() == [
        "--- Deployment/ns/app (now)",
        "+++ Deployment/ns/app (after, server dry run)",
        "@@ spec.template.spec.containers[app] @@",
        "-image: a:1",
        "+image: a:2",
        "@@ spec.template.spec.containers[app].env @@",
        "-POOL: 20",
        "+POOL: 50",
    ]


def test_no_difference_is_an_empty_diff() -> None:
    assert unified("Deployment/ns/app", deployment("a"), deployment("a")) == ""


def test_a_long_text_is_compared_line_by_line() -> None:
    old, new = ({"data": {"nginx.conf": f"a 1;\nb {n};\nc 3;\n"}} for n in (2, 7))
    assert unified("ConfigMap/ns/c", old, new).splitlines()[3:] == [
        " nginx.conf:",
        "@@ -1,3 +1,3 @@",
        " a 1;",
        "-b 2;",
        "+b 7;",
        " c 3;",
    ]


SECRETS = (
    "DB_PASSWORD",
    "password",
    "API_KEY",
    "apiKey",
    "STRIPE_SECRET",
    "SESSION_TOKEN",
    "SIGNING_KEY",
    "PGPWD",
)
PLAIN = (
    "DB_TIMEOUT",
    "TOKEN_TTL",
    "PASSWORD_MIN_LENGTH",
    "KEY_ID",
    "SECRET_NAME",
    "LOG_LEVEL",
    "MONKEY",
    "AUTHOR",
)


@pytest.mark.parametrize("name", SECRETS)
def test_names_that_hold_a_secret(name: str) -> None:
    assert secret_name(name)


@pytest.mark.parametrize("name", PLAIN)
def test_names_that_only_speak_of_one(name: str) -> None:
    assert not secret_name(name)


def test_a_secret_shows_that_it_changed_and_never_what_it_is() -> None:
    assert veiled("one", "two", "DB_PASSWORD") == ("«redacted»", "«redacted, changed»")
    assert veiled(None, "two", "DB_PASSWORD") == ("(none)", "«redacted»")
    assert veiled("one", None, "DB_PASSWORD") == ("«redacted»", "(none)")


@given(st.text(alphabet="abcdefghijk0123456789", min_size=12), st.sampled_from(SECRETS))
def test_no_diff_ever_holds_the_value_of_a_secret(value: str, name: str) -> None:
    old, new = deployment("a:1", **{name: "before"}), deployment("a:1", **{name: value})
    config = [{"data": {name: each}} for each in ("before", value, f"{value}\nmore")]
    twice = deployment("a:1")
    twice["spec"] = {"env": [{"name": name, "value": value}, {"name": name, "value": value + "x"}]}
    for before, after in (
        (old, new),
        (new, old),
        (config[0], config[1]),
        (config[0], config[2]),
        ({}, twice),
    ):
        assert value not in unified("x", before, after)


def test_credentials_in_a_url_and_in_a_flag_are_hidden() -> None:
    assert hidden("postgres://app:hunter2@db:5432/x") == "postgres://«redacted»@db:5432/x"
    assert hidden("--db-password=hunter2 --port 8080") == "--db-password=«redacted» --port 8080"


def test_a_very_long_value_is_cut_and_says_so() -> None:
    assert shown("x" * 300).endswith("… (60 more characters)")
