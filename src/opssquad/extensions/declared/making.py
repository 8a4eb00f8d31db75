"""From a sound declaration to a tool: its arguments, its act, and for a change what stands around it."""

import asyncio
import time
import warnings
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from opssquad.extensions.declared import telling
from opssquad.extensions.declared.document import AnyTool, Parameter, SqlTool, Step, Verified
from opssquad.extensions.declared.steps import Bounds, Runner, Secrets, runner
from opssquad.findings import Check, Result
from opssquad.toolbox import Role, Tool
from opssquad.types import Effect, Json, Preview, Risk, Undo

HANDLE = "_handle"
"""No parameter can be called so."""
SPARE = 5.0
"""Seconds that a call has beyond the deadline of what it does, to end it and say so."""
LONGEST = 4000
"""Characters of an argument."""
IMPACT = 1500
PAUSE = 1.0
"""Seconds between two looks whether it helped."""


@dataclass
class DeclaredTool(Tool):
    """A tool from a YAML file. `file` and `line` say where it stands, `told` is what stands there."""

    file: Path = field(default_factory=Path)
    line: int = 0
    told: str = ""

    def fingerprint(self) -> tuple[object, ...]:
        """What tells it from what it was: its declaration, as all of them have the same code."""
        return (*super().fingerprint(), self.told)


def make(tool: AnyTool, file: Path, line: int, secrets: Secrets) -> tuple[DeclaredTool, ...]:
    """The tool, and for one with an undo the tool that takes it back, called `NAME_undo`."""
    maker = Maker(tool, file, line, secrets)
    return (maker.act(), maker.undo()) if maker.undone else (maker.act(),)


class Maker:
    """Makes the tools of one declaration."""

    def __init__(self, tool: AnyTool, file: Path, line: int, secrets: Secrets) -> None:
        self._tool, self._file, self._line = tool, file, line
        self._bounds = Bounds(tool.name, tool.deadline, tool.cap, tool.parameters, secrets)
        self.undone = None if isinstance(tool, SqlTool) else tool.undo
        self._verify = None if isinstance(tool, SqlTool) else tool.verify
        self._effect: Effect = tool.effect or "mutate"
        self._told = tool.model_dump_json()
        self._args = _arguments(tool.name, tool.parameters)

    def act(self) -> DeclaredTool:
        """The tool itself."""
        acts = self._runner(self._tool)
        made = self._made(self._tool.name, self._tool.description, acts, self._tool.irreversible)
        if self._effect == "mutate":
            self._around(made, acts, helped=True)
        if self.undone:
            back = self._runner(self.undone)

            async def undo(**values: Any) -> Undo:
                given = {name: each for name, each in values.items() if name != HANDLE and each is not None}
                line = back.line(values)
                return Undo(note=f"run {line}", tool=f"{self._tool.name}_undo", args=given, command=line)

            made.roles["undo"] = self._role(undo, back)
        return made

    def undo(self) -> DeclaredTool:
        """The tool that takes it back; it is taken back by the tool itself."""
        assert self.undone, "only a tool with an undo has one"
        back, acts = self._runner(self.undone), self._runner(self._tool)
        made = self._made(
            f"{self._tool.name}_undo", f"Take back {self._tool.name}: {self._tool.description}", back
        )
        self._around(made, back, helped=False)

        async def undo(**values: Any) -> Undo:
            given = {name: each for name, each in values.items() if name != HANDLE and each is not None}
            return Undo(note="do it again", tool=self._tool.name, args=given, command=acts.line(values))

        made.roles["undo"] = self._role(undo, back)
        return made

    def _made(self, name: str, description: str, does: Runner, irreversible: str = "") -> DeclaredTool:
        async def act(**values: Any) -> Result:
            handle = values.pop(HANDLE)
            output = await does.run(handle, values, unsure=self._effect == "mutate")
            return telling.result(output, name, self._tool.signals, values)

        return DeclaredTool(
            name=name,
            effect=self._effect,
            description=" ".join(description.split()),
            args=self._args,
            act=self._role(act, does),
            deadline=self._tool.deadline + SPARE,
            squads=self._tool.squads,
            signals=tuple(each.id for each in self._tool.signals),
            irreversible=irreversible,
            source=str(self._file),
            file=self._file,
            line=self._line,
            told=self._told,
        )

    def _around(self, made: DeclaredTool, does: Runner, *, helped: bool) -> None:
        """What foresees a change, and what sees whether it is as it should be afterwards."""
        tool, verify = self._tool, self._verify
        assert not isinstance(tool, SqlTool), "a statement changes nothing"
        assert tool.preview, "a change that is sound has one"
        assert verify, "a change that is sound has one"
        shows, looks = self._runner(tool.preview), Looks(self._runner(verify), verify, made.name, helped)
        risk, rule = self._risk(made)

        async def preview(**values: Any) -> Preview:
            handle = values.pop(HANDLE)
            shown = telling.result(await shows.run(handle, values), tool.name, (), values).text
            held, _, _ = await looks.once(handle, values)
            return Preview(
                command=does.line(values),
                impact=f"{shown[:IMPACT]}{' …' if len(shown) > IMPACT else ''}",
                risk=risk,
                risk_rule=rule,
                verify_plan=looks.plan(values),
                before={"held": held},
            )

        made.roles["preview"] = self._role(preview, shows)
        made.roles["verify"] = self._role(looks.check, looks.runner, "before")

    def _risk(self, made: DeclaredTool) -> tuple[Risk, str]:
        if self._tool.risk:
            return self._tool.risk, f"{self._file.name} says so"
        if made.irreversible:
            return "high", "it cannot be undone"
        if self._tool.effect is None:
            return "medium", f"its effect is not declared in {self._file.name}, so it counts as a change"
        return "medium", f"{self._file.name} judges no risk"

    def _runner(self, step: Step) -> Runner:
        return runner(step, self._bounds)

    def _role(self, function: Callable[..., Awaitable[Any]], does: Runner, *more: str) -> Role:
        names = frozenset({*self._tool.parameters, HANDLE, *more})
        return Role(function, {HANDLE: does.handle}, names)


@dataclass(frozen=True)
class Looks:
    """Sees whether a change is as it should be: that what is expected holds, or after an undo that it does
    not."""

    runner: Runner
    verify: Verified
    name: str
    helped: bool

    async def once(self, handle: Any, values: Mapping[str, Any]) -> tuple[bool, telling.Match | None, Any]:
        """Whether it is so now, the exact text that shows it, and the whole output."""
        output = await self.runner.run(handle, values)
        match = next(telling.matches(self.verify.expect, output, self.name), None)
        return (match is not None) == self.helped, match, output

    async def check(self, **values: Any) -> Check:
        """Look until it is so, as long as is declared."""
        handle, before = values.pop(HANDLE), values.pop("before", {})
        end = time.monotonic() + self.verify.within
        held, match, output = await self.once(handle, values)
        while not held and time.monotonic() < end:
            await asyncio.sleep(PAUSE)
            held, match, output = await self.once(handle, values)
        was = bool(before.get("held"))
        expected = f"{'' if self.helped else 'no more: '}{telling.asked(self.verify.expect)}"
        said = f"it is as expected ({expected})" if held else f"it is not as expected ({expected})"
        quotes = (match.quote,) if match else ()
        here = [each for each in quotes if each.locator.endswith(" values")]
        return Check(
            outcome="better" if held and not was else "same",
            text=f"{said}{', as it was before' if held and was else ''}: {output.line}",
            quotes=quotes,
            sources=(*output.sources, *here),
        )

    def plan(self, values: Mapping[str, Any]) -> str:
        """What will be looked at, in words."""
        until = f", for {self.verify.within:g} s at most" if self.verify.within else ""
        see = "no more " if not self.helped else ""
        return f"{self.runner.line(values)}: {see}{telling.asked(self.verify.expect)}{until}"


def _arguments(name: str, parameters: Mapping[str, Parameter]) -> type[BaseModel]:
    fields: dict[str, Any] = {each: _field(told) for each, told in parameters.items()}
    with warnings.catch_warnings():
        # A parameter may be called `schema` or `json`, which models have methods of.
        warnings.simplefilter("ignore", UserWarning)
        return create_model(name, __config__=ConfigDict(extra="forbid"), **fields)


def _field(told: Parameter) -> tuple[Any, Any]:
    kinds: dict[str, Any] = {"string": str, "integer": int, "number": float, "boolean": bool}
    kind = Literal[told.enum] if told.enum else kinds[told.type]
    limits: Json = {"description": told.description or None}
    if told.type == "string" and not told.enum:
        limits |= {"max_length": LONGEST, **({"pattern": f"^(?:{told.pattern})$"} if told.pattern else {})}
    if told.type in ("integer", "number") and not told.enum:
        limits |= {"ge": told.minimum, "le": told.maximum}
    kind = Annotated[kind, Field(**limits)]
    if not told.optional:
        return kind, ...
    return (kind | None if told.default is None else kind), told.default
