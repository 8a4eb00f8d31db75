"""Tools: typed functions with a declared effect. The signature is the contract, the docstring what the model
reads, and handles (parameters whose type is a `Handle`) are injected by the house, never given by the model.

Nothing registers globally: a `Toolbox` is built from the tools that a squad names.
"""

import asyncio
import difflib
import inspect
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from opssquad.errors import ToolError, UsageError
from opssquad.findings import Check, Result
from opssquad.observations import Observation, Stretch
from opssquad.types import Effect, Json, Preview, Undo

Function = Callable[..., Any]
ROLES = ("preview", "undo", "verify", "observe")
"""What a mutating tool needs beside the act, or it does not register."""


class Handle:
    """Base of everything that is injected into a tool by type: a cluster, a database, a clock."""

    def limited(self, effect: Effect) -> Self:
        """The handle as a call of that effect may have it: for `read` it must refuse every write."""
        return self


class Progress(Handle):
    """Lets a running tool say what it sees, line by line."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say


class Record(Handle):
    """What this conversation has on record so far: its timeline, and what that means for a fault or for all
    (`""`)."""

    def __init__(
        self, timeline: Callable[[], Awaitable[str]], differential: Callable[[str], Awaitable[str]]
    ) -> None:
        self.timeline = timeline
        self.differential = differential


async def _kept_nowhere(seen: Sequence[Observation]) -> Sequence[Observation]:
    return ()


async def _nothing_known(uid: str) -> Sequence[Stretch]:
    return ()


class History(Handle):
    """What looks have shown of the revisions of workloads, in this conversation and before it.

    `record` keeps looks and gives those that tell something new; `of` gives what is kept of the workload of
    that uid, in the order it was seen. Where nothing is kept both give nothing. Both raise StoreError.
    """

    def __init__(
        self,
        record: Callable[[Sequence[Observation]], Awaitable[Sequence[Observation]]] = _kept_nowhere,
        of: Callable[[str], Awaitable[Sequence[Stretch]]] = _nothing_known,
    ) -> None:
        self.record = record
        self.of = of


Handles = Mapping[type[Handle], Handle]


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
    """A named function that a squad may call. `args` validates what the model gave."""

    name: str
    effect: Effect
    description: str
    args: type[BaseModel]
    act: Role
    deadline: float = 30.0
    roles: dict[str, Role] = field(default_factory=dict)

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
        return [role for role in ROLES if self.effect == "mutate" and role not in self.roles]

    def parameters(self) -> Json:
        """JSON Schema of the arguments, without titles, as models read it."""
        schema = self.args.model_json_schema()
        for prop in schema.get("properties", {}).values():
            prop.pop("title", None)
        schema.pop("title", None)
        return schema

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
        value = await self.act.call(self.validate(args), handles, self.effect)
        return value if isinstance(value, Result) else Result(text=str(value))

    async def foresee(self, args: Json, handles: Handles) -> tuple[Preview, Undo]:
        """What it would do and how it is taken back; nothing is changed. Raises ToolError."""
        values = self.validate(args)
        preview = await self.roles["preview"].call(values, handles, "read")
        undo = await self.roles["undo"].call(values, handles, "read")
        return preview, undo

    async def observed(self, args: Json, handles: Handles) -> Mapping[str, str]:
        """What the objects of the preview's binding look like now. Raises ToolError."""
        seen: Mapping[str, str] = await self.roles["observe"].call(self.validate(args), handles, "read")
        return seen

    async def check(self, args: Json, before: Json, handles: Handles) -> Check:
        """Whether it helped; waits as long as the tool thinks right. Raises ToolError."""
        values = {**self.validate(args), "before": before}
        checked: Check = await self.roles["verify"].call(values, handles, "read")
        return checked


def tool(*, effect: Effect, deadline: float = 30.0, name: str = "") -> Callable[[Function], Tool]:
    """Make a function a tool. `deadline` in seconds bounds a call of it."""
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


class Toolbox:
    """The tools a squad may use, by name. Refuses duplicates and mutating tools that lack a role."""

    def __init__(self, tools: Iterable[Tool]) -> None:
        self._tools: dict[str, Tool] = {}
        for each in tools:
            if each.name in self._tools:
                raise UsageError(f"two tools are called {each.name!r}; rename one")
            if missing := each.missing():
                raise UsageError(f"tool {each.name!r} mutates and lacks {', '.join(missing)}; add them")
            self._tools[each.name] = each

    def __iter__(self) -> Iterator[Tool]:
        return iter(self._tools.values())

    def __contains__(self, name: str) -> bool:
        return name in self._tools

    def get(self, name: str) -> Tool:
        """The tool of that name. Raises ToolError with the nearest names."""
        if name not in self._tools:
            near = difflib.get_close_matches(name, self._tools, n=3) or sorted(self._tools)
            raise ToolError(f"no tool {name!r}; nearest: {', '.join(near)}")
        return self._tools[name]
