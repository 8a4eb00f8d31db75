"""What is offered after a change that made things worse, whatever the model says."""

from pathlib import Path

from opssquad.events import Answered, Concluded
from opssquad.findings import Choice
from opssquad.models.base import Reply
from opssquad.testing import scripted, wants
from tests.squad.stage import Counter, Stage, conclude, stage


class Sinking(Counter):
    """A counter that somebody else lowers whenever it is raised."""

    def add(self, by: int) -> None:
        super().add(by - 5)


async def raised(s: Stage, mode: str = "chat") -> None:
    await s.ask("raise it", mode=mode)
    await s.decide("approved")
    await s.go_on()


async def test_after_an_act_that_made_it_worse_the_way_back_is_the_first_choice(tmp_path: Path) -> None:
    said = Reply(text="done", choices=(Choice(label="Look", tool="look"), Choice(label="Back", say="/undo")))
    async with stage(tmp_path, scripted(wants("bump", by=2), said), counter=Sinking(9)) as s:
        await raised(s)
        (answer,) = [e.answer for e in s.events if isinstance(e, Answered)]
    first, second = answer.choices
    assert (first.label, first.tool, first.args) == (
        *("Take the change back: lower it by 2", "bump"),
        {"by": -2},
    )
    assert second.label == "Look"


async def test_after_an_act_that_helped_no_way_back_is_pressed_on_anybody(tmp_path: Path) -> None:
    said = Reply(text="done", choices=(Choice(label="Look", tool="look"),))
    async with stage(tmp_path, scripted(wants("bump", by=2), said)) as s:
        await raised(s)
        (answer,) = [e.answer for e in s.events if isinstance(e, Answered)]
    assert [each.label for each in answer.choices] == ["Look"]


async def test_a_conclusion_after_an_act_that_made_it_worse_begins_with_the_way_back(tmp_path: Path) -> None:
    model = scripted(wants("look"), wants("bump", by=2), conclude(["e1"]))
    async with stage(tmp_path, model, counter=Sinking(9)) as s:
        await raised(s, mode="ask")
        (conclusion,) = [e.conclusion for e in s.events if isinstance(e, Concluded)]
    back = conclusion.options[0]
    assert (back.tool, back.args, back.action, back.target) == (
        "bump",
        {"by": -2},
        "patch",
        "Counter/ns/main",
    )
