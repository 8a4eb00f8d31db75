"""opssquad: ask a squad what is wrong, approve the fix, see that it helped.

The public names, for tool authors and embedders, are resolved on first use: starting the command line stays
instant.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opssquad.errors import OpsError as OpsError
    from opssquad.errors import ToolError as ToolError
    from opssquad.errors import UsageError as UsageError
    from opssquad.extensions.settings import ToolSettings as ToolSettings
    from opssquad.findings import Check as Check
    from opssquad.findings import Option as Option
    from opssquad.findings import Quote as Quote
    from opssquad.findings import Result as Result
    from opssquad.findings import Severity as Severity
    from opssquad.findings import Signal as Signal
    from opssquad.matching import matcher as matcher
    from opssquad.observations import Known as Known
    from opssquad.observations import Observation as Observation
    from opssquad.observations import PodSeen as PodSeen
    from opssquad.observations import Stretch as Stretch
    from opssquad.observations import judged as judged
    from opssquad.observations import replaced as replaced
    from opssquad.times import ago as ago
    from opssquad.times import clock_time as clock_time
    from opssquad.times import duration as duration
    from opssquad.times import parse_time as parse_time
    from opssquad.times import rfc3339 as rfc3339
    from opssquad.toolbox import Clock as Clock
    from opssquad.toolbox import Handle as Handle
    from opssquad.toolbox import History as History
    from opssquad.toolbox import Progress as Progress
    from opssquad.toolbox import Record as Record
    from opssquad.toolbox import Tool as Tool
    from opssquad.toolbox import Toolbox as Toolbox
    from opssquad.toolbox import tool as tool
    from opssquad.types import Json as Json
    from opssquad.types import Preview as Preview
    from opssquad.types import Ref as Ref
    from opssquad.types import Risk as Risk
    from opssquad.types import Undo as Undo
    from opssquad.worlds.command.commands import Commands as Commands
    from opssquad.worlds.command.commands import Ran as Ran
    from opssquad.worlds.http.client import Http as Http
    from opssquad.worlds.http.client import Reply as Reply
    from opssquad.worlds.kube.cluster import Cluster as Cluster
    from opssquad.worlds.kube.containerlog import Log as Log
    from opssquad.worlds.kube.kubectl import Kubectl as Kubectl
    from opssquad.worlds.kube.kubectl import Printed as Printed
    from opssquad.worlds.kube.reading import Table as Table
    from opssquad.worlds.net import answers as answers
    from opssquad.worlds.net import asks as asks
    from opssquad.worlds.net import series as series
    from opssquad.worlds.net.network import Network as Network
    from opssquad.worlds.net.network import probe_quote as probe_quote
    from opssquad.worlds.net.network import probe_source as probe_source
    from opssquad.worlds.sql.database import Answered as Answered
    from opssquad.worlds.sql.database import Database as Database
    from opssquad.worlds.sql.database import Rows as Rows
    from opssquad.worlds.sql.database import row_text as row_text
    from opssquad.worlds.sql.trouble import DatabaseError as DatabaseError

__version__ = "0.1.0"

_PUBLIC = {
    "errors": ("OpsError", "ToolError", "UsageError"),
    "findings": ("Check", "Option", "Quote", "Result", "Severity", "Signal"),
    "matching": ("matcher",),
    "observations": ("Known", "Observation", "PodSeen", "Stretch", "judged", "replaced"),
    "times": ("ago", "clock_time", "duration", "parse_time", "rfc3339"),
    "toolbox": ("Clock", "Handle", "History", "Progress", "Record", "Tool", "Toolbox", "tool"),
    "extensions.settings": ("ToolSettings",),
    "types": ("Json", "Preview", "Ref", "Risk", "Undo"),
    "worlds.command.commands": ("Commands", "Ran"),
    "worlds.http.client": ("Http", "Reply"),
    "worlds.kube.cluster": ("Cluster",),
    "worlds.kube.containerlog": ("Log",),
    "worlds.kube.kubectl": ("Kubectl", "Printed"),
    "worlds.kube.reading": ("Table",),
    "worlds.net": ("answers", "asks", "series"),
    "worlds.net.network": ("Network", "probe_quote", "probe_source"),
    "worlds.sql.database": ("Answered", "Database", "Rows", "row_text"),
    "worlds.sql.trouble": ("DatabaseError",),
}
_HOME = {name: module for module, names in _PUBLIC.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = import_module(f"opssquad.{_HOME[name]}")
    return getattr(home, name) if hasattr(home, name) else import_module(f"{home.__name__}.{name}")


def __dir__() -> list[str]:
    return sorted(_HOME)
