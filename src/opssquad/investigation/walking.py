"""Puts the runbook that a thread is to run before its model, and its tools beside those of the squad."""

from opssquad.investigation.options import Options
from opssquad.models.base import Model
from opssquad.squad.knowledge import toolbox_of
from opssquad.squad.runbooks.known import as_begun
from opssquad.squad.runbooks.walker import Walker
from opssquad.toolbox import Toolbox


def walked(model: Model, options: Options) -> Model:
    """The model, behind the runbook if there is one to run. Raises UsageError."""
    if options.run is None:
        return model
    book, why = as_begun(options.squad, options.runbooks, options.run.id, options.run.digest)
    return Walker(options.run, book, toolbox_of(options.squad), model, why)


def tools_of(options: Options, known: Toolbox) -> tuple[str, ...]:
    """The tools that the runbook to run calls, of those that are `known`: a squad that only looks has
    runbooks whose changes are another squad's tools. None without a runbook. Raises UsageError."""
    if options.run is None:
        return ()
    book, _ = as_begun(options.squad, options.runbooks, options.run.id, options.run.digest)
    named = dict.fromkeys(block.look.tool for block in book.blocks) if book else {}
    return tuple(name for name in named if name in known)
