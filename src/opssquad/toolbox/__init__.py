"""Tools: typed functions with a declared effect, what is injected into them, and the box that a squad has.

Handles (parameters whose type is a `Handle`) are injected by the house, never given by the model.
"""

from opssquad.toolbox.box import Toolbox, lacks
from opssquad.toolbox.handles import Clock, Handle, Handles, History, Progress, Record
from opssquad.toolbox.tools import ROLES, TEST, Role, Tool, tool

__all__ = [
    "ROLES",
    "TEST",
    "Clock",
    "Handle",
    "Handles",
    "History",
    "Progress",
    "Record",
    "Role",
    "Tool",
    "Toolbox",
    "lacks",
    "tool",
]
