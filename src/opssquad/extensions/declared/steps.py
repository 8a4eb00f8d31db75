"""What a declared step does at a call: run a program, send a request, ask the database; and what it gave."""

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from opssquad.errors import OpsError, ToolError, ToolUnsure
from opssquad.extensions.declared import jsonpath, requests
from opssquad.extensions.declared.document import CommandStep, HttpStep, Parameter, Secret, SqlStep, Step
from opssquad.extensions.declared.statements import binds
from opssquad.extensions.declared.template import absent, fill, fill_all, said
from opssquad.findings import Quote
from opssquad.toolbox import Handle
from opssquad.types import Json
from opssquad.worlds.command.commands import Commands, Ran
from opssquad.worlds.http.client import Http
from opssquad.worlds.sql.database import Database, row_text

Secrets = Callable[[str], str]
"""The value of a secret by its name; raises ToolError where there is none."""
DEEPEST = 60
"""Levels of JSON that are taken for more than text."""
SHOWN = 300
"""Characters of an error that are told."""


@dataclass(frozen=True)
class Output:
    """What a step gave. `text` is the whole of it, `value` the part that is meant where it is JSON or rows
    (`structured`); `line` is what an engineer would type; `notes` are told besides."""

    text: str
    line: str
    value: Any = None
    structured: bool = False
    sources: tuple[Quote, ...] = ()
    notes: tuple[str, ...] = ()
    data: Json = field(default_factory=dict)


class Runner(Protocol):
    """A step that can be run on its handle. Raises ToolError."""

    @property
    def handle(self) -> type[Handle]: ...
    def line(self, values: Mapping[str, Any]) -> str: ...
    async def run(self, handle: Any, values: Mapping[str, Any], unsure: bool = False) -> Output: ...


@dataclass(frozen=True)
class Bounds:
    """What is the same for every step of a tool: its name, its limits, where its secrets are."""

    name: str
    seconds: float
    cap: int
    parameters: Mapping[str, Parameter]
    secrets: Secrets


def runner(step: Step, bounds: Bounds) -> Runner:
    """What runs a step."""
    match step:
        case CommandStep():
            return CommandRunner(step, bounds)
        case HttpStep():
            return HttpRunner(step, bounds)
        case SqlStep():
            return SqlRunner(step, bounds)


class Kept:
    """The secrets that were put into one call, and texts without them."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._given: list[str] = []

    def texts(self, values: Mapping[str, str | Secret], holes: Mapping[str, Any]) -> dict[str, str]:
        """The values, filled, with the secrets in their places."""
        return {n: self._one(v) if isinstance(v, Secret) else fill(v, holes) for n, v in values.items()}

    def _one(self, meant: Secret) -> str:
        value = self._secrets(meant.secret)
        self._given.append(value)
        return meant.prefix + value

    def out_of(self, text: str) -> str:
        """The text without them."""
        for each in filter(None, self._given):
            text = text.replace(each, "(a secret of its settings)")
        return text


@dataclass(frozen=True)
class CommandRunner:
    """Runs a program."""

    step: CommandStep
    bounds: Bounds
    handle: type[Handle] = Commands

    def argv(self, values: Mapping[str, Any]) -> list[str]:
        """The arguments, each with its holes filled. Raises ToolError for one that would be an option."""
        found = []
        for template in self.step.argv:
            if absent(template, values):
                continue
            word = fill(template, values)
            if word.startswith("-") and not template.startswith("-"):
                self._dash(template, word)
            found.append(word)
        return found

    def _dash(self, template: str, word: str) -> None:
        for name, parameter in self.bounds.parameters.items():
            if template.startswith(f"{{{name}}}") and parameter.allow_dash:
                return
        raise ToolError(f"{word[:60]!r} begins with -, which {self.step.argv[0]} would take for an option")

    def line(self, values: Mapping[str, Any]) -> str:
        """It as it would be typed."""
        return shlex.join(self.argv(values))

    async def run(self, handle: Commands, values: Mapping[str, Any], unsure: bool = False) -> Output:
        """Run it. Raises ToolError where it does not end well; ToolUnsure where it was cut amid a change."""
        step, kept = self.step, Kept(self.bounds.secrets)
        argv = self.argv(values)
        env = kept.texts(step.env, values)
        try:
            ran = await handle.run(
                argv, env=env, cwd=fill(step.cwd, values) or None, seconds=self.bounds.seconds,
                cap=self.bounds.cap, stdin=fill(step.stdin, values), reads=step.reads, writes=step.writes,
                network=step.network,
            )  # fmt: skip
        except OpsError as error:
            raise type(error)(kept.out_of(str(error))) from None
        out, err = kept.out_of(ran.out), kept.out_of(ran.err)
        if ran.cut and unsure:
            raise ToolUnsure(
                f"{argv[0]} printed more than {self.bounds.cap} bytes and was killed amid its change"
            )
        if ran.code not in step.codes and not ran.cut:
            last = " ".join((err.strip() or out.strip())[-SHOWN:].split())
            raise ToolError(f"{shlex.join(argv)[:SHOWN]} ended with {ran.code}: {last or 'it said nothing'}")
        sources = _sources(self.bounds.name, out, err)
        value, structured = _meant(out, step.answer, self.bounds.name, cut=ran.cut)
        notes = _notes(ran, err, self.bounds.cap)
        data = {"code": ran.code, "sandbox": ran.sandbox, "cut": ran.cut}
        return Output(out, ran.line, value, structured, sources, notes, data)


def _notes(ran: Ran, err: str, cap: int) -> tuple[str, ...]:
    notes = [f"It was killed after {cap} bytes of output; the rest is not known."] if ran.cut else []
    notes += [f"stderr: {err.strip()}"] if err.strip() else []
    notes += [f"({ran.sandbox})"] if ran.sandbox.startswith("not sandboxed") else []
    return tuple(notes)


def _sources(name: str, out: str, err: str = "") -> tuple[Quote, ...]:
    found = [(f"tool {name}", out), (f"tool {name} stderr", err)]
    return tuple(Quote(locator=locator, text=text) for locator, text in found if text.strip())


def _meant(text: str, path: str, name: str, *, cut: bool) -> tuple[Any, bool]:
    """The part of a JSON text that is meant, and whether there is one. Raises ToolError where a path is asked
    of what is no JSON."""
    if text.lstrip()[:1] in ("{", "[") and not cut or path:
        try:
            value = json.loads(text)
            if _depth(value) > DEEPEST:
                raise ValueError("nested too deeply")
        except (ValueError, RecursionError):
            if path:
                more = " whole" if cut else ""
                raise ToolError(f"{name}: the output is no{more} JSON, and {path!r} is asked of it") from None
        else:
            return jsonpath.answer(value, path), True
    return None, False


def _depth(value: Any) -> int:
    """How deeply a value is nested, counted without descending by calls."""
    level, depth = [value], 0
    while level := [
        inner
        for each in level
        if isinstance(each, dict | list)
        for inner in (each.values() if isinstance(each, dict) else each)
    ]:
        depth += 1
    return depth


@dataclass(frozen=True)
class HttpRunner:
    """Sends a request."""

    step: HttpStep
    bounds: Bounds
    handle: type[Handle] = Http

    def line(self, values: Mapping[str, Any]) -> str:
        """It as it would be typed; secrets are variables there."""
        step, words = self.step, ["curl", "-sS"]
        words += [] if step.method == "GET" else ["-I"] if step.method == "HEAD" else ["-X", step.method]
        for name, value in step.headers.items():
            text = f"{value.prefix}${value.secret}" if isinstance(value, Secret) else fill(value, values)
            plain = shlex.quote(f"{name}: {text}")
            words += ["-H", f'"{name}: {text}"' if isinstance(value, Secret) else plain]
        if step.body is not None:
            words += ["--json", shlex.quote(json.dumps(fill_all(step.body, values), ensure_ascii=False))]
        for name, text in requests.query(step, values).items():
            words += ["--url-query", shlex.quote(f"{name}={text}")]
        return " ".join([*words, shlex.quote(requests.filled(step, values))])

    async def run(self, handle: Http, values: Mapping[str, Any], unsure: bool = False) -> Output:
        """Send it. Raises ToolError for a bad status too."""
        step, kept = self.step, Kept(self.bounds.secrets)
        url = requests.filled(step, values)
        headers = kept.texts(step.headers, values)
        try:
            reply = await handle.request(
                step.method, url, params=requests.query(step, values), headers=headers,
                json=None if step.body is None else fill_all(step.body, values),
                seconds=self.bounds.seconds, cap=self.bounds.cap,
            )  # fmt: skip
        except OpsError as error:
            raise type(error)(kept.out_of(str(error))) from None
        text = kept.out_of(reply.text)
        if not reply.ok:
            shown = " ".join(text[:SHOWN].split())
            place = f"{step.method} {url.partition('?')[0]}"
            raise ToolError(f"{place} answers {reply.status} {reply.reason}{f': {shown}' if shown else ''}")
        value, structured = _meant(text, step.answer, self.bounds.name, cut=reply.cut)
        notes = ("The answer is longer than is read; the rest is not known.",) if reply.cut else ()
        data: Json = {"status": reply.status, "cut": reply.cut}
        sources = _sources(self.bounds.name, text)
        return Output(text, self.line(values), value, structured, sources, notes, data)


@dataclass(frozen=True)
class SqlRunner:
    """Asks the database."""

    step: SqlStep
    bounds: Bounds
    handle: type[Handle] = Database

    def line(self, values: Mapping[str, Any]) -> str:
        """The statement, and the values of its parameters in a comment."""
        _, names = binds(self.step.statement, self.bounds.parameters)
        given = ", ".join(f"{name}={' '.join(said(values[name]).split())}" for name in names)
        return f"{self.step.statement.strip()}{f'  -- {given}' if given else ''}"

    async def run(self, handle: Database, values: Mapping[str, Any], unsure: bool = False) -> Output:
        """Ask. Raises ToolError for what does not provably only read."""
        text, names = binds(self.step.statement, self.bounds.parameters)
        given = [values[name] for name in names]
        found = await handle.select(text, self.step.rows, self.bounds.cap, given)
        rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
        lines = "\n".join(map(row_text, rows)) or "no rows"
        notes = ("There are more rows, which were not read.",) if found.cut else ()
        source = Quote(locator=f"rows {handle.name}/{self.bounds.name}", text=lines)
        return Output(lines, self.line(values), rows, True, (source,), notes, {"cut": found.cut})


def texts(parts: Sequence[str]) -> str:
    """Parts that say something, a line each."""
    return "\n".join(filter(None, parts))
