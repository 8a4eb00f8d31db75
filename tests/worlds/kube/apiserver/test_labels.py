"""Label selectors: what they select, and how the server complains about what it cannot read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opssquad.worlds.kube.apiserver import labels
from opssquad.worlds.kube.apiserver.status import ApiStatus

WEB = {"app": "web", "tier": "frontend"}


@pytest.mark.parametrize(
    ("selector", "selects"),
    [
        ("", True),
        ("app", True),
        ("!app", False),
        ("!legacy", True),
        ("app=web", True),
        ("app==web,tier=frontend", True),
        ("app!=web", False),
        ("legacy!=yes", True),
        ("app in (web, api)", True),
        ("app notin (web)", False),
        ("legacy notin (yes)", True),
        ("legacy in (yes)", False),
        ("app=", False),
        ("app in ()", False),
        ("generation>1", False),
    ],
)
def test_a_selector_selects(selector: str, selects: bool) -> None:
    assert labels.matches(labels.parse(selector), WEB) is selects


def test_numbers_are_compared_as_numbers() -> None:
    assert labels.matches(labels.parse("size>9"), {"size": "10"})
    assert not labels.matches(labels.parse("size<9"), {"size": "10"})


@pytest.mark.parametrize(
    ("selector", "complaint"),
    [
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("=web", "found '=', expected: !, identifier, or 'end of string'"),
        ("app in (", "unable to parse requirement: found '', expected: ',', ')' or identifier"),
        ("app in (web", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("a=!b,,", "unable to parse requirement: found '!', expected: identifier"),
    ],
)
def test_complaints_are_the_servers(selector: str, complaint: str) -> None:
    with pytest.raises(ApiStatus) as raised:
        labels.parse(selector)
    assert (raised.value.code, raised.value.message) == (400, complaint)


@given(st.text(alphabet="ab=!<>(), in", max_size=20))
def test_any_text_is_read_or_refused_with_a_400(selector: str) -> None:
    try:
        code = 200 if labels.parse(selector) is not None else 0
    except ApiStatus as refused:
        code = refused.code
    assert code in (200, 400)


def test_a_selector_object_has_a_text_form() -> None:
    selector = {
        "matchLabels": {"tier": "frontend", "app": "web"},
        "matchExpressions": [
            {"key": "zone", "operator": "In", "values": ["b", "a"]},
            {"key": "legacy", "operator": "DoesNotExist"},
        ],
    }
    assert labels.text(selector) == "app=web,!legacy,tier=frontend,zone in (a,b)"
    assert labels.text(None, "<none>") == "<none>"


def test_no_selector_object_selects_nothing_and_an_empty_one_everything() -> None:
    assert labels.of_selector(None) is None
    assert labels.of_selector({}) == []
