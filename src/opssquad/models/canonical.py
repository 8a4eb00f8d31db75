"""What a model was asked, as digests that two runs of the same thing share. Pure.

What differs from run to run by nature is written in one way first: ids of threads and calls and the letters
of fences by the order in which they appear; times and ages as such, and with them padding and line breaks,
which follow their width. Two runs of one recording differ in nothing else, as long as nothing is restarted:
its clock goes on while a model thinks.
"""

import re
from typing import Any

from opssquad.models.base import Message, Request
from opssquad.types import Value, digest

SHOWN = 16
"""Hexadecimal digits of a digest: enough to tell a message from any other of its run."""
_FENCE = re.compile(r"(?<=data )[a-p]{10}(?=»)")
_CALL = re.compile(r"(.+)-\d+\.\d+(?:\..+)?")
_TIME = re.compile(
    r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?"
    r"|(?<![\w.:-])[0-2]?\d:[0-5]\d(?::[0-5]\d)?(?!\w|:\d)"
)
_AGE = re.compile(
    r"(?<![\w.-])\d+ (?:s|min|h|d)\b(?: \d+ (?:s|min|h|d)\b)?"  # as `times.duration` writes it
    r"|(?<![\w.-])(?:\d+y)?(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?(?<=[ydhms])(?![\w-])"  # as kubectl does
)
_SPACES = re.compile(r"\s+")
_RESTART = re.compile(r"\brestart\b")
_MADE = re.compile(r"(?<=[a-z0-9]-)[bcdfghjklmnpqrstvwxz2456789]{5,10}(?![a-z0-9])")
"""The endings of names that a cluster makes."""


class Asked(Value):
    """Digests of a request: `system`, `tools` by name, and each message as `role digest`."""

    system: str
    tools: dict[str, str]
    messages: tuple[str, ...]

    @property
    def digest(self) -> str:
        """One digest of all of it."""
        return digest(self.model_dump())[:SHOWN]

    def unlike(self, now: "Asked") -> str:
        """In what a request of now differs from this one, in words; empty if in nothing."""
        if self.system != now.system:
            return "the system prompt"
        if self.tools != now.tools:
            names = sorted(self.tools.keys() | now.tools.keys())
            return f"the tools ({', '.join(n for n in names if self.tools.get(n) != now.tools.get(n))})"
        for number, (was, is_) in enumerate(zip(self.messages, now.messages, strict=False), 1):
            if was != is_:
                return f"message {number} ({was.split()[0]})"
        had, has = len(self.messages), len(now.messages)
        return f"the number of messages ({had} recorded, {has} asked)" if had != has else ""


def asked(request: Request) -> Asked:
    """The digests of a request. Its case is left out: a model that reads words never sees it."""
    plain = _Plain(request)
    return Asked(
        system=plain.digest(request.system),
        tools={tool.name: digest(tool.model_dump())[:SHOWN] for tool in request.tools},
        messages=tuple(f"{m.role} {plain.message(m)}" for m in request.messages),
    )


def _restarts(message: Message) -> bool:
    """Whether it asks for a restart, by a tool or a line."""
    return any(_RESTART.search(f"{call.tool} {call.args}") for call in message.calls)


class _Plain:
    """Writes texts of one request without what differs by nature."""

    def __init__(self, request: Request) -> None:
        ids: dict[str, str] = {}
        for message in request.messages:
            for id in (*(call.id for call in message.calls), *([message.call] if message.call else [])):
                ids.setdefault(id, f"call {len(ids) + 1}")
        threads = dict.fromkeys(found[1] for id in ids if (found := _CALL.fullmatch(id)))
        self._ids = {**{thread: f"thread {n}" for n, thread in enumerate(threads, 1)}, **ids}
        longest = sorted(map(re.escape, self._ids), key=len, reverse=True)
        self._known = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(longest) or '(?!)'})(?![A-Za-z0-9])")
        self._fences: dict[str, str] = {}
        self._restarted = False

    def text(self, text: str) -> str:
        """The text as every run has it."""
        text = self._known.sub(lambda hit: self._ids[hit[0]], text)
        text = _FENCE.sub(lambda hit: self._fences.setdefault(hit[0], str(len(self._fences))), text)
        text = _AGE.sub("age", _TIME.sub("time", _SPACES.sub(" ", text)))
        return " ".join(sorted(_MADE.sub("made", text).split(" "))) if self._restarted else text

    def digest(self, value: Any) -> str:
        """A digest of anything made of texts, each as every run has it."""
        return digest(self._value(value))[:SHOWN]

    def message(self, message: Message) -> str:
        """A digest of a message; to be asked for in the conversation's order."""
        # A restart puts the time into the template, and a cluster names what it makes after the template:
        # from then on its names, and the order of what is listed by them, are other ones in every run.
        self._restarted = self._restarted or _restarts(message)
        calls = [[call.id, call.tool, call.args, call.problem] for call in message.calls]
        return self.digest([message.text, calls, message.call])

    def _value(self, value: Any) -> Any:
        match value:
            case str():
                return self.text(value)
            case list() | tuple():
                return [self._value(each) for each in value]
            case dict():
                return {name: self._value(each) for name, each in value.items()}
            case _:
                return value
