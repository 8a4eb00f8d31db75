"""A model outside the house behind a mask: it gets other names for what is the house's, and its answer comes
back with the real ones, so that tools, records and the screen know nothing of it.
"""

import string
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from opssquad.errors import StoreError
from opssquad.findings import ToolResult
from opssquad.gate.mask import Mask
from opssquad.gate.own import Masking
from opssquad.models.base import Case, Listener, Message, Model, ModelCall, Reply, Request, ToolSpec
from opssquad.squad.naming import names_in, names_of, nodes_of
from opssquad.types import Json

Outputs = Callable[[str], Awaitable[ToolResult]]
"""What a call returned, by its id. Raises StoreError where nothing is kept."""
Names = Callable[[], Awaitable[Iterable[str]]]
"""The names that the cluster has, as far as they may be read."""

_OF_A_MASK = f"{string.ascii_letters}{string.digits}\\-"
_TEXTS, _SAMPLES = ("description", "title"), ("enum", "const", "default", "examples")


def masked(model: Model, host: str, wanted: Masking, outputs: Outputs, names: Names) -> Model:
    """The model as it may be asked: behind a mask if its endpoint's `host` is outside the house and anything
    is to be masked."""
    return Masked(model, Mask(wanted), outputs, names) if wanted.hides_from(host) else model


class Masked:
    """A model behind a mask. `name` is the model's own; `says` what is masked, in words."""

    def __init__(self, model: Model, mask: Mask, outputs: Outputs, names: Names) -> None:
        self.name, self.endpoint = model.name, str(getattr(model, "endpoint", ""))
        self.says = mask.wanted.says
        self.mask = mask
        self._model, self._outputs, self._names = model, outputs, names
        self._read: set[str] = set()
        self._begun = False

    async def reply(self, request: Request, listener: Listener) -> Reply:
        """Answer a request, of which the model gets the masked words. Raises ModelError."""
        await self._learn(request.case)
        heard = _Unmasked(listener, self.mask)
        try:
            reply = await self._model.reply(self._hidden(request), heard)
        finally:
            heard.end()
        calls = tuple(map(self._call, reply.calls))
        return reply.model_copy(update={"text": self.mask.show(reply.text), "calls": calls})

    async def _learn(self, case: Case) -> None:
        wanted = self.mask.wanted
        if wanted.addresses:
            self.mask.learn(nodes_of(case), "host")
        if not wanted.names:
            return
        if not self._begun:
            self._begun = True
            self.mask.learn(await self._names())
        self.mask.learn(names_of(case))
        for call in case.calls:
            if call.call not in self._read:
                self._read.add(call.call)
                try:
                    self.mask.learn(names_in(await self._outputs(call.call)))
                except StoreError:
                    # Its process died before the output was kept: the case has what there is.
                    continue

    def _hidden(self, request: Request) -> Request:
        return Request(
            system=self.mask.hide(request.system),
            messages=tuple(map(self._message, request.messages)),
            tools=tuple(map(self._tool, request.tools)),
            # For models that read no words; no endpoint gets it.
            case=Case(),
        )

    def _message(self, message: Message) -> Message:
        calls = tuple(c.model_copy(update={"args": self.mask.hide_value(c.args)}) for c in message.calls)
        return message.model_copy(update={"text": self.mask.hide(message.text), "calls": calls})

    def _tool(self, tool: ToolSpec) -> ToolSpec:
        words = {"description": self.mask.hide(tool.description), "parameters": self._schema(tool.parameters)}
        return tool.model_copy(update=words)

    def _schema(self, schema: Any) -> Any:
        """A JSON Schema with its words masked, and its names of parameters as they are."""
        if isinstance(schema, list):
            return [self._schema(each) for each in schema]
        if not isinstance(schema, dict):
            return schema
        made: Json = {}
        for key, each in schema.items():
            if key in _SAMPLES or (key in _TEXTS and isinstance(each, str)):
                made[key] = self.mask.hide_value(each)
            else:
                made[key] = self._schema(each)
        return made

    def _call(self, call: ModelCall) -> ModelCall:
        real = {"tool": self.mask.show(call.tool), "problem": self.mask.show(call.problem)}
        if unknown := self.mask.unknown(call.args):
            said = (
                f"{', '.join(unknown)}: nothing of that name was shown to you; use names as they were shown"
            )
            real["problem"] = call.problem or said
        return call.model_copy(update={**real, "args": self.mask.show_value(call.args)})


class _Unmasked:
    """A listener that hears the real names. What may be the beginning of a mask waits for its end."""

    def __init__(self, listener: Listener, mask: Mask) -> None:
        self._listener, self._mask = listener, mask
        self._held = ""

    def text(self, piece: str) -> None:
        """A piece of the answer."""
        self._held += piece
        self._tell(len(self._held.rstrip(_OF_A_MASK)))

    def warn(self, text: str) -> None:
        """Passed on."""
        self._listener.warn(text)

    def end(self) -> None:
        """Nothing more comes."""
        self._tell(len(self._held))

    def _tell(self, end: int) -> None:
        said, self._held = self._held[:end], self._held[end:]
        if said:
            self._listener.text(self._mask.show(said))
