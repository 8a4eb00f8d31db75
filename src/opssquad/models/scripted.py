"""Plays replies that were written down: for tests, documentation and demonstrations of one's own."""

from collections.abc import Iterable
from pathlib import Path
from typing import Self

from opssquad.documents import read_yaml
from opssquad.errors import ModelBadReply
from opssquad.models.base import Listener, ModelCall, Reply, Request
from opssquad.types import Json, Value


class Line(Value):
    """One reply of a script: what is said, and calls as `{tool: name, args: {...}}`."""

    class Call(Value):
        tool: str
        args: Json = {}

    text: str = ""
    calls: tuple[Call, ...] = ()


class Script(Value):
    """The file of a script."""

    replies: tuple[Line, ...]


class Scripted:
    """A model that answers with the next reply of its list, or fails with the exception that stands there;
    `asked` keeps what it was asked."""

    def __init__(self, replies: Iterable[Reply | Exception], name: str = "scripted") -> None:
        self.name = name
        self.asked: list[Request] = []
        self._replies = list(replies)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read YAML `replies: [{text, calls: [{tool, args}]}]`. Raises UsageError."""
        lines = read_yaml(path, Script).replies
        return cls(map(played, range(len(lines)), lines), name=f"scripted:{path.name}")

    async def reply(self, request: Request, listener: Listener) -> Reply:
        """The next reply. Raises what stands in its place, and ModelBadReply when the script is over."""
        self.asked.append(request)
        if len(self.asked) > len(self._replies):
            raise ModelBadReply(f"the script of {self.name} is over after {len(self._replies)} replies")
        answer = self._replies[len(self.asked) - 1]
        if isinstance(answer, Exception):
            raise answer
        if answer.text:
            listener.text(answer.text)
        return answer


def played(number: int, line: Line) -> Reply:
    """A line of a script as a reply; call ids say which reply and which call it was."""
    calls = tuple(ModelCall(id=f"s{number}-{i}", tool=c.tool, args=c.args) for i, c in enumerate(line.calls))
    return Reply(text=line.text, calls=calls, finish="calls" if calls else "stop")
