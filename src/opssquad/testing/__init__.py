"""The testing kit: tools and squads of one's own, tried against recordings as they run in production.

    from opssquad.testing import call, own_tool

    def test_it_counts():
        deploys = own_tool("deploys", __file__)
        assert "cart" in call(deploys, {"service": "cart"}, recording="auth-0308").text

Everything here works in a plain function; the `async_` forms are for tests that are coroutines. Nothing needs
pytest, nothing reaches a live system, and nothing of the product imports it.
"""

from opssquad.testing.calling import Change, async_call, call
from opssquad.testing.found import own_tool, recording_of
from opssquad.testing.outcome import Made, Outcome
from opssquad.testing.scripts import concludes, scripted, wants
from opssquad.testing.squads import async_run_squad, run_squad
from opssquad.testing.world import World, recorded

__all__ = [
    "Change",
    "Made",
    "Outcome",
    "World",
    "async_call",
    "async_run_squad",
    "call",
    "concludes",
    "own_tool",
    "recorded",
    "recording_of",
    "run_squad",
    "scripted",
    "wants",
]
