"""Any probe of a recorded network, answered by what follows from what was told."""

from opssquad.worlds.net import answers, asks
from opssquad.worlds.net.reaching import connect, echo, sockets, trace
from opssquad.worlds.net.resolving import lookup
from opssquad.worlds.net.serving import fetch, shake
from opssquad.worlds.net.view import Luck, View


def answered(ask: asks.Ask, view: View, number: int) -> answers.Answer:
    """What was recorded of a probe, else what follows from the rest. `number` is how often the same was asked
    before: each time gets the next of its recorded answers, and the last one from then on."""
    if exact := view.exact(ask):
        return exact[min(number, len(exact) - 1)].told(view.now)
    return _derived(ask, view, Luck(view.material.told.seed, asks.key(ask), number))


def _derived(ask: asks.Ask, view: View, luck: Luck) -> answers.Answer:
    """The answer; `not_recorded` where nothing tells it."""
    match ask:
        case asks.Lookup():
            return lookup(ask, view, luck)
        case asks.Connect():
            return connect(ask, view, luck)
        case asks.Shake():
            return shake(ask, view, luck)
        case asks.Fetch():
            return fetch(ask, view, luck)
        case asks.Trace():
            return trace(ask, view, luck)
        case asks.Echo():
            return echo(ask, view, luck)
        case asks.Sockets():
            return sockets(ask, view)
