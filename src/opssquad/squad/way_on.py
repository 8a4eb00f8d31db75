"""What is offered after a change, whatever the model says: the way back where it made things worse, and what
its check holds to be needed still."""

from collections.abc import Iterable, Mapping, Sequence

from opssquad.findings import Action, Check, Choice, Option
from opssquad.models.base import PastCall
from opssquad.types import Approval

ACTIONS: Mapping[str, Action] = {
    "rollback": "rollback",
    "restart": "restart",
    "scale": "scale",
    "cordon": "cordon",
    "uncordon": "uncordon",
    "delete_pod": "delete",
}
"""What the change of a tool is called; any other is a patch."""
TAKE_BACK = "/undo"
"""Words that an engineer may say for the same."""


def with_way_back(check: Check, card: Approval) -> Check:
    """The check with the undo of the card before all else, where the change made things worse."""
    undo = card.undo
    if check.outcome != "worse" or not undo.tool:
        return check
    back = Option(
        label=f"Take the change back: {undo.note}",
        action=ACTIONS.get(undo.tool, "patch"),
        target=next(iter(card.preview.binding), ""),
        tool=undo.tool,
        args=undo.args,
    )
    return check.model_copy(update={"next": (back, *check.next)})


def ways_on(calls: Iterable[PastCall]) -> tuple[Option, ...]:
    """What the check of the last change among the calls offers."""
    checked = [call.check for call in calls if call.check]
    return checked[-1].next if checked else ()


def first_of_all(ways: Sequence[Option], choices: Sequence[Choice]) -> list[Choice]:
    """The choices with those ways on before them, each once."""
    found = [way.choice() for way in ways]
    made = [(each.tool, each.args) for each in found]
    back = any(way.label.startswith("Take the change back") for way in ways)
    rest = [
        each
        for each in choices
        if (not each.tool or (each.tool, each.args) not in made) and not (back and each.say == TAKE_BACK)
    ]
    return [*found, *rest]
