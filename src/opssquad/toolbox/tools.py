"""A typed function as a tool: its signature is the contract, its docstring what the model reads."""

import asyncio
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from opssquad.errors import ToolError, UsageError
from opssquad.findings import Check, Result
from opssquad.toolbox.handles import Handle, Handles, History, Progress
from opssquad.toolbox.returned import as_check, as_preview, as_result
from opssquad.types import Effect, Json, Preview, Undo, digest

Function = Callable[..., Any]
ROLES = {
    "preview": "a function that returns a Preview, or a sentence that says what it would do",
    "undo": "a function that returns an Undo, or the reason why it cannot be undone, as irreversible=...",
    "verify": "a function that returns a Check, or whether it helped",
}
"""What a mutating tool needs beside the act, or it does not register."""
TEST = "test"
"""The source of a tool that a test defines itself."""
FORESEEN = "foreseen"
"""In a binding: the preview itself, of a tool that says of no object what its card rests on."""


@dataclass(frozen=True)
class Role:
    """One function of a tool with its injected parameters: the act itself, its preview, undo or verify."""

    function: Function
    handles: Mapping[str, type[Handle]]
    names: frozenset[str]
    optional: frozenset[str] = frozenset()
    """Parameters, as `Cluster | None`, that are None where no such system is connected."""

    @classmethod
    def of(cls, function: Function) -> Self:
        hints = get_type_hints(function)
        names = frozenset(inspect.signature(function).parameters)
        handles = {n: t for n, hint in hints.items() if n in names and (t := _handle(hint))}
        optional = frozenset(n for n in handles if not isinstance(hints[n], type))
        return cls(function, handles, names, optional)

    async def call(self, values: Mapping[str, Any], handles: Handles, effect: Effect) -> Any:
        """Call with the values it names and the handles it asks for, limited to the effect."""
        given = {name: value for name, value in values.items() if name in self.names}
        for name, kind in self.handles.items():
            there = name not in self.optional or any(issubclass(each, kind) for each in handles)
            given[name] = _find(handles, kind).limited(effect) if there else None
        return await self.invoke(given)

    async def invoke(self, given: Json) -> Any:
        """Call with everything that it takes; a function that is not async runs in a thread."""
        if inspect.iscoroutinefunction(self.function):
            return await self.function(**given)
        return await asyncio.to_thread(self.function, **given)


def _handle(hint: Any) -> type[Handle] | None:
    """The handle that a parameter asks for, as `Cluster` or `Cluster | None`; None for any other type."""
    kinds = [each for each in (get_args(hint) or (hint,)) if each is not type(None)]
    if len(kinds) == 1 and isinstance(kinds[0], type) and issubclass(kinds[0], Handle):
        return kinds[0]
    return None


def _find(handles: Handles, kind: type[Handle]) -> Handle:
    for offered, handle in handles.items():
        if issubclass(offered, kind):
            return handle
    if kind is Progress:
        # Nobody listens: a check must not fail for that.
        return Progress(lambda line: None)
    if kind is History:
        return History()
    raise ToolError(f"no {kind.__name__} is connected here; start with one (see `opssquad doctor`)")


@dataclass
class Tool:
    """A named function that a squad may call. `args` validates what the model gave. `squads` are those that
    it joins besides those whose `squad.yaml` names it, `signals` those that it may give, `irreversible` is
    why a mutation cannot be undone; `source` says where it comes from."""

    name: str
    effect: Effect
    description: str
    args: type[BaseModel]
    act: Role
    deadline: float = 30.0
    roles: dict[str, Role] = field(default_factory=dict)
    squads: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()
    irreversible: str = ""
    source: str = "bundled"
    _schema: Json | None = field(default=None, repr=False, compare=False)

    def preview(self, function: Function) -> Function:
        """Register how the act is foreseen: returns `Preview`; it gets handles that cannot write."""
        return self._add("preview", function)

    def undo(self, function: Function) -> Function:
        """Register how the act is taken back, computed before it: returns `Undo`."""
        return self._add("undo", function)

    def verify(self, function: Function) -> Function:
        """Register how to see whether the act helped: returns `Check`; may name `before: dict`."""
        return self._add("verify", function)

    def observe(self, function: Function) -> Function:
        """Register how the binding of a preview is read anew before the act: returns `{object: observed}`,
        equal to the binding as long as nothing that the card rests on has changed."""
        return self._add("observe", function)

    def _add(self, role: str, function: Function) -> Function:
        self.roles[role] = Role.of(function)
        return function

    def missing(self) -> list[str]:
        """The roles that a mutating tool lacks; empty when it may register."""
        has = {*self.roles, *(["undo"] if self.irreversible else [])}
        return [role for role in ROLES if self.effect == "mutate" and role not in has]

    def fingerprint(self) -> tuple[object, ...]:
        """What tells it from what it was: its words and the code of its functions."""
        codes = [role.function.__code__ for role in (self.act, *self.roles.values())]
        return (self.effect, self.description, str(self.parameters()), self.squads, self.irreversible,
                *((each.co_code, each.co_consts, each.co_names) for each in codes))  # fmt: skip

    def parameters(self) -> Json:
        """JSON Schema of the arguments, without titles, as models read it; made once."""
        if self._schema is None:
            schema = self.args.model_json_schema()
            for prop in schema.get("properties", {}).values():
                prop.pop("title", None)
            schema.pop("title", None)
            self._schema = schema
        return self._schema

    def validate(self, args: Json) -> Json:
        """The arguments as the function takes them. Raises ToolError that says what to mend."""
        try:
            model = self.args.model_validate(args)
        except ValidationError as error:
            said = "; ".join(
                f"{'.'.join(map(str, e['loc'])) or 'arguments'}: {e['msg']}" for e in error.errors()
            )
            raise ToolError(f"{self.name}: {said}. It takes: {', '.join(self.args.model_fields)}") from error
        return {name: getattr(model, name) for name in self.args.model_fields}

    async def run(self, args: Json, handles: Handles) -> Result:
        """Do it. Raises ToolError."""
        return as_result(self.name, await self.act.call(self.validate(args), handles, self.effect))

    async def foresee(self, args: Json, handles: Handles) -> tuple[Preview, Undo]:
        """What it would do and how it is taken back; nothing is changed. Raises ToolError."""
        values = self.validate(args)
        preview = await self._previewed(args, values, handles)
        if self.irreversible:
            return preview, Undo(note=f"It cannot be undone: {self.irreversible}")
        undo = await self.roles["undo"].call(values, handles, "read")
        return preview, undo if isinstance(undo, Undo) else Undo(note=str(undo))

    async def _previewed(self, args: Json, values: Json, handles: Handles) -> Preview:
        told = await self.roles["preview"].call(values, handles, "read")
        preview = as_preview(self.name, args, told)
        if "observe" in self.roles:
            return preview
        # What it says it would do is all that is known of what its card rests on.
        foreseen = {FORESEEN: digest([preview.command, preview.impact, preview.diff])}
        return preview.model_copy(update={"binding": {**preview.binding, **foreseen}})

    async def observed(self, args: Json, handles: Handles) -> Mapping[str, str]:
        """What the objects of the preview's binding look like now. Raises ToolError."""
        values = self.validate(args)
        if "observe" not in self.roles:
            return (await self._previewed(args, values, handles)).binding
        seen: Mapping[str, str] = await self.roles["observe"].call(values, handles, "read")
        return seen

    async def check(self, args: Json, before: Json, handles: Handles) -> Check:
        """Whether it helped; waits as long as the tool thinks right. Raises ToolError."""
        values = {**self.validate(args), "before": before}
        return as_check(await self.roles["verify"].call(values, handles, "read"))


def tool(
    *,
    effect: Effect,
    deadline: float = 30.0,
    name: str = "",
    squads: Sequence[str] = (),
    signals: Sequence[str] = (),
    irreversible: str = "",
) -> Callable[[Function], Tool]:
    """Make a function a tool. `deadline` in seconds bounds a call of it; `squads` are those that it joins,
    `signals` the ids that it may give, `irreversible` is why it cannot be undone."""
    if effect not in get_args(Effect):
        raise UsageError(f"effect must be one of {get_args(Effect)}, not {effect!r}")

    def make(function: Function) -> Tool:
        called = name or function.__name__
        act = Role.of(function)
        return Tool(
            name=called,
            effect=effect,
            description=inspect.cleandoc(function.__doc__ or ""),
            args=_arguments(called, function, act),
            act=act,
            deadline=deadline,
            squads=tuple(squads),
            signals=tuple(signals),
            irreversible=irreversible,
        )

    return make


def _arguments(name: str, function: Function, act: Role) -> type[BaseModel]:
    hints = get_type_hints(function, include_extras=True)
    fields: dict[str, Any] = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name in act.handles:
            continue
        if parameter.name not in hints:
            raise UsageError(f"tool {name}: parameter {parameter.name!r} has no type")
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[parameter.name] = (hints[parameter.name], default)
    return create_model(name, __config__=ConfigDict(extra="forbid"), **fields)
