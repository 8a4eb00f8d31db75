"""One conversation with a squad: dependencies in, events out, interrupts answered, always resumable."""

from opssquad.investigation.options import Options
from opssquad.investigation.run import Investigation

__all__ = ["Investigation", "Options"]
