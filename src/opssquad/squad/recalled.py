"""The ledger of a thread as its events tell it: for commands that look at what was, without a graph."""

from collections.abc import Sequence

from opssquad.events import Called, Event, Returned, Verified
from opssquad.squad.ledger import Ledger


def ledger_of(events: Sequence[Event]) -> Ledger:
    """What a squad knew when the last of these events was written, evidence under the ids that it cited."""
    order = {event.call.id: n for n, event in enumerate(events) if isinstance(event, Called)}
    checks = {event.call.id: event.check for event in events if isinstance(event, Verified)}
    returned = {event.call.id: event for event in events if isinstance(event, Returned)}
    ledger = Ledger()
    # Reads come back as they end; the ledger took them as they were asked for, and numbered evidence so.
    for id, event in sorted(returned.items(), key=lambda item: order.get(item[0], -1)):
        ledger = ledger.took(event.call, event.result, event.turn, checks.get(id))
    return ledger
