"""Reading a live system for a recording: objects, logs, and a list of what could not be read.

Reads only. What is read may hold secrets and is written nowhere here: the caller redacts and writes.
"""

from opssquad.worlds.kube.capture.logs import LogAsk, asked_logs, read_logs
from opssquad.worlds.kube.capture.objects import read_objects
from opssquad.worlds.kube.capture.turns import Turns

__all__ = ["LogAsk", "Turns", "asked_logs", "read_logs", "read_objects"]
