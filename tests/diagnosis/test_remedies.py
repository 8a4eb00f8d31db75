"""Actions as options: which are offered as a call, which in words, which not at all."""

from opssquad.diagnosis.catalogue import Remedy
from opssquad.diagnosis.remedies import options
from opssquad.findings import Option
from opssquad.types import Json

FACTS: Json = {"component": "Service/shop/cart", "name": "cart", "change": {"former": {}}, "anchor": {}}


def remedy(label: str, needs: str = "", **args: str) -> Remedy:
    return Remedy(action="patch", label=label, tool="set_service", args=args, needs=needs)


def offered(*actions: Remedy, **facts: Json) -> list[Option]:
    return list(options(actions, ["change"], {**FACTS, **facts}))


def test_an_option_whose_value_is_known_is_a_call() -> None:
    each = remedy("Set {name}[[: {anchor.fits}]]", selector="{anchor.fits}")
    (option,) = offered(each, anchor={"fits": "app=cart"})
    assert (option.label, option.tool, option.args) == (
        *("Set cart: app=cart", "set_service"),
        {"selector": "app=cart"},
    )


def test_an_option_whose_value_is_not_known_stays_in_words() -> None:
    (option,) = offered(remedy("Set {name}[[: {anchor.fits}]]", selector="{anchor.fits}"))
    assert (option.label, option.tool, option.args) == ("Set cart", "", {})


def test_an_option_whose_label_names_what_is_not_known_is_not_offered() -> None:
    assert offered(remedy("Back to {change.former.selector}", selector="{change.former.selector}")) == []
    assert offered(remedy("Set it", needs="refused", selector="app=cart")) == []


def test_two_ways_to_the_same_call_are_one_option() -> None:
    two = (remedy("Back to {anchor.fits}", s="{anchor.fits}"), remedy("Set it", s="{change.former.s}"))
    found = offered(*two, anchor={"fits": "a=b"}, change={"former": {"s": "a=b"}})
    assert [each.label for each in found] == ["Back to a=b"]
