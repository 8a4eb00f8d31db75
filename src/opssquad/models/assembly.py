"""From what an OpenAI-compatible endpoint sends, whole or in pieces, to a `Reply`; tolerant and pure.

Servers differ: some leave out `index`, reuse it for a second call, send arguments as an object, or never say
why they stopped. What cannot be mended is named in `ModelCall.problem`, never run as if it were empty.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from opssquad.errors import ModelBadReply
from opssquad.models.base import ModelCall, Reply
from opssquad.models.bounds import SAID, WHOLE_NUMBER, clean, fault
from opssquad.types import Json, Usage

FILTERED = ("content_filter", "refusal", "safety")


@dataclass
class _Call:
    index: int | None
    id: str
    name: str
    arguments: str = ""


@dataclass
class Assembly:
    """Takes chunks in order; `done`: `[DONE]` or a finish reason came, so the stream was not cut."""

    pieces: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    calls: list[_Call] = field(default_factory=list)
    finish: str = ""
    usage: Usage = Usage()
    done: bool = False
    _size: int = 0

    def add(self, chunk: Json) -> str:
        """Take a chunk; returns the text it brought. Raises ModelBadReply for an error sent mid-stream."""
        if chunk.get("error"):
            raise ModelBadReply(f"the endpoint broke off: {said(chunk)}")
        self.usage = _usage(chunk.get("usage")) or self.usage
        choices = chunk.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
            return ""
        choice = choices[0]
        if choice.get("finish_reason"):
            self.finish, self.done = str(choice["finish_reason"]), True
        return self._part(_mapping(choice.get("delta")) or _mapping(choice.get("message")))

    def _part(self, part: Json) -> str:
        text, refusal = _text(part.get("content")), _text(part.get("refusal"))
        self._grow(text + refusal)
        self.pieces.append(text)
        self.refused.append(refusal)
        fragments = part.get("tool_calls")
        for fragment in fragments if isinstance(fragments, list) else ():
            self._fragment(_mapping(fragment))
        return text

    def _grow(self, text: str) -> None:
        self._size += len(text)
        if self._size > SAID:
            raise ModelBadReply(f"the answer is longer than {SAID} characters; it is not read on")

    def _fragment(self, fragment: Json) -> None:
        function = _mapping(fragment.get("function"))
        index = fragment.get("index")
        index = index if isinstance(index, int) else None
        id_, name = clean(str(fragment.get("id") or "")), clean(str(function.get("name") or ""))
        call = self._open(index, id_, name)
        if call is None:
            call = _Call(index, id_, name)
            self.calls.append(call)
        elif name and not call.name:
            call.name = name
        call.id = call.id or id_
        arguments = function.get("arguments")
        text = arguments if isinstance(arguments, str) else json.dumps(arguments) if arguments else ""
        self._grow(text + name)
        call.arguments += text

    def _open(self, index: int | None, id_: str, name: str) -> _Call | None:
        """The call that a fragment goes on with; None when it begins one."""
        if id_:
            known = next((c for c in self.calls if c.id == id_), None)
            if known or not self.calls:
                return known
        fits = [c for c in self.calls if index is None or c.index is None or c.index == index]
        last = fits[-1] if fits else None
        if last is None or (id_ and last.id):
            return None
        # A second name where one is complete is a second call: some servers give every call index 0, or none.
        return None if name and last.name and not (id_ and not last.id) else last

    def reply(self) -> Reply:
        """The whole answer. Neither text nor calls counts as a refusal."""
        text, refusal = "".join(self.pieces), "".join(self.refused)
        calls = tuple(_finished(call, number) for number, call in enumerate(self.calls, 1))
        if refusal or self.finish in FILTERED:
            return Reply(text=refusal or text, usage=self.usage, finish="refusal")
        if calls:
            return Reply(text=text, calls=calls, usage=self.usage, finish="calls")
        if self.finish == "length":
            return Reply(text=text, usage=self.usage, finish="length")
        return Reply(text=text, usage=self.usage, finish="stop" if text.strip() else "refusal")


def whole(body: Any) -> Reply:
    """A reply that came in one piece. Raises ModelBadReply when it holds no answer."""
    if not isinstance(body, dict) or not isinstance(body.get("choices"), list) or not body["choices"]:
        raise ModelBadReply(f"the endpoint's answer holds no choices: {json.dumps(body)[:120]}")
    assembly = Assembly()
    assembly.add(body)
    return assembly.reply()


def said(body: Any) -> str:
    """What an error body says, in one line: `error.message`, `error`, `detail` or `message`."""
    if not isinstance(body, dict):
        return ""
    error = body.get("error", body.get("detail", body.get("message", "")))
    text = error.get("message") or error.get("code") or "" if isinstance(error, dict) else error
    return clean(" ".join(str(text).split())[:300])


def _finished(call: _Call, number: int) -> ModelCall:
    id_ = call.id or f"call_{number}"
    if not call.name:
        return ModelCall(id=id_, tool="", problem="the call names no tool")
    try:
        args = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError) as error:
        problem = f"the arguments are not valid JSON ({error}): {clean(call.arguments[:200])}"
        return ModelCall(id=id_, tool=call.name, problem=problem)
    if isinstance(args, str):
        args = _unwrapped(args)
    if not isinstance(args, dict):
        problem = f"the arguments must be a JSON object, not {clean(call.arguments[:200])}"
        return ModelCall(id=id_, tool=call.name, problem=problem)
    if why := fault(args):
        return ModelCall(id=id_, tool=call.name, problem=f"the arguments cannot be taken: {why}")
    return ModelCall(id=id_, tool=call.name, args=args)


def _unwrapped(text: str) -> Any:
    """Some servers encode the object twice."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _mapping(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _text(content: Any) -> str:
    """Text as a string or as a list of parts."""
    if isinstance(content, list):
        return clean("".join(str(p.get("text") or "") for p in content if isinstance(p, dict)))
    return clean(str(content)) if content else ""


def _usage(usage: Any) -> Usage | None:
    if not isinstance(usage, dict):
        return None
    return Usage(prompt=_count(usage.get("prompt_tokens")), completion=_count(usage.get("completion_tokens")))


def _count(value: Any) -> int:
    return value if isinstance(value, int) and 0 <= value < WHOLE_NUMBER else 0
