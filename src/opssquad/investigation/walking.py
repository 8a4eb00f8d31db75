"""Puts the runbook that a thread is to run before its model."""

from opssquad.investigation.options import Options
from opssquad.models.base import Model
from opssquad.squad.knowledge import toolbox_of
from opssquad.squad.runbooks.known import as_begun
from opssquad.squad.runbooks.walker import Walker


def walked(model: Model, options: Options) -> Model:
    """The model, behind the runbook if there is one to run. Raises UsageError."""
    if options.run is None:
        return model
    book, why = as_begun(options.squad, options.runbooks, options.run.id, options.run.digest)
    return Walker(options.run, book, toolbox_of(options.squad), model, why)
