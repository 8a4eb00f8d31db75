"""A tool of a server as a `Tool` of ours: whether it only reads is its owner's word, not its server's."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, cast

from pydantic import BaseModel, ConfigDict, SecretStr, create_model

from opssquad.errors import ToolError
from opssquad.extensions.mcp import words
from opssquad.extensions.mcp.document import FILE, Mapped, Secret, ServerSpec
from opssquad.extensions.mcp.lock import Approved
from opssquad.extensions.settings import Own, ToolSettings
from opssquad.extensions.settings import read as read_settings
from opssquad.findings import Check, Quote, Result
from opssquad.gate.redact import Redactor
from opssquad.settings import variable
from opssquad.toolbox import Role, Tool
from opssquad.types import Effect, Json, Preview, called
from opssquad.worlds.mcp.checking import misfit
from opssquad.worlds.mcp.offered import Address, Place, Program
from opssquad.worlds.mcp.servers import CALL, START, McpServers, Server

MOST = 1_000_000
"""Characters of an answer that are kept."""
ERROR = 2_000
"""Characters of what a server calls an error."""
GIVEN = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "TMPDIR")
"""Variables that every command gets; any other it must be said to inherit."""
MARK = "(a secret of its settings)"


class Arguments(BaseModel):
    """Whatever a model gives: the schema of the server judges it."""

    model_config = ConfigDict(extra="allow")


@dataclass
class RemoteTool(Tool):
    """A tool whose arguments are judged by a JSON Schema; `file` is where its server is named."""

    file: Path = Path(FILE)
    line: int = 1

    def validate(self, args: Json) -> Json:
        """The arguments, as they are, for a function that takes all of them. Raises ToolError that says what
        to mend."""
        if said := misfit(self.parameters(), args):
            known = ", ".join(self.parameters()["properties"]) or "no arguments"
            raise ToolError(f"{self.name}: {said}. It takes: {known}")
        return {"arguments": args}


@dataclass(frozen=True)
class Source:
    """A server as the file of a folder describes it."""

    folder: Path
    name: str
    spec: ServerSpec

    def server(self) -> tuple[Server, list[str]]:
        """The server with its secrets put in, and those secrets. Raises ToolError where one is missing."""
        given = [*self.spec.env.values(), *self.spec.headers.values()]
        known = _secrets(self.folder, [each.secret for each in given if isinstance(each, Secret)])
        inherited = [value for name in self.spec.inherits if _secret(name, value := variable(name))]
        return Server(self.name, self._place(known)), [*known.values(), *inherited]

    def _place(self, known: dict[str, str]) -> Place:
        def put(value: str | Secret) -> str:
            return value if isinstance(value, str) else f"{value.prefix}{known[value.secret]}"

        if self.spec.url:
            return Address(self.spec.url, {name: put(value) for name, value in self.spec.headers.items()})
        given = {name: value for name in (*GIVEN, *self.spec.inherits) if (value := variable(name))}
        env = {**given, **{name: put(value) for name, value in self.spec.env.items()}}
        return Program(self.spec.command, env, self.spec.folder(self.folder))


class _Secrets(ToolSettings):
    """The section of `tools.yaml`; what of it another server needs is not looked at."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    section: ClassVar[str] = "mcp"


def _secret(name: str, value: str) -> bool:
    """Whether a variable is one by its name or its form."""
    return bool(value) and Redactor().read(f"{name}: {value}").count > 0


def _secrets(folder: Path, names: Sequence[str]) -> dict[str, str]:
    if not names:
        return {}
    fields: dict[str, Any] = {f"{name}": (SecretStr, ...) for name in names}
    model = cast("type[ToolSettings]", create_model("McpSecrets", __base__=_Secrets, **fields))
    settings = read_settings(model, Own(folder / "tools" / "mcp.yaml"))
    return {name: getattr(settings, name).get_secret_value() for name in names}


def build(source: Source, name: str, approved: Approved) -> Tool:
    """The tool under that name, as it was approved."""
    offered, spec = approved.offered, source.spec
    mapped = spec.tools.get(offered.name) or Mapped(effect="mutate")
    tool = RemoteTool(
        name=name,
        effect=mapped.effect,
        description=words.description(source.name, offered, approved.suspicious),
        args=Arguments,
        act=_act(source, name, approved, mapped.effect),
        deadline=START + CALL + 5,
        squads=spec.squads if mapped.squads is None else mapped.squads,
        source=f"MCP server {source.name}",
        file=source.folder / FILE,
        _schema=words.parameters(offered, approved.suspicious),
    )
    if mapped.effect == "mutate":
        tool.irreversible = f"only MCP server {source.name} knows what {offered.name} does"
        tool.roles = {"preview": _preview(source, name, approved), "verify": _verify(source)}
    return tool


def _act(source: Source, name: str, approved: Approved, effect: Effect) -> Role:
    async def act(servers: McpServers, arguments: Json) -> Result:
        server, secrets = source.server()
        try:
            told = await servers.call(server, approved.offered, arguments, effect)
        except ToolError as error:
            raise type(error)(without(str(error), secrets)) from error
        text = without(told.text, secrets)
        if told.failed:
            raise ToolError(f"{name}: the server says: {text[:ERROR].strip() or 'it failed'}")
        return _result(name, text, _data(told.data, secrets))

    return Role(act, {"servers": McpServers}, frozenset({"arguments", "servers"}))


def _preview(source: Source, name: str, approved: Approved) -> Role:
    rests = f"{source.spec.place_digest()[:12]} {approved.digest[:12]}"

    async def preview(arguments: Json) -> Preview:
        return Preview(
            command=called(name, arguments),
            impact=f"there is no preview: only MCP server {source.name} knows what it changes; it cannot be"
            " undone by us, and nobody verifies what came of it",
            risk="high",
            risk_rule="what it changes is not known here",
            binding={f"MCP server {source.name}": rests},
            verify_plan="not verified: look for yourself",
        )

    return Role(preview, {}, frozenset({"arguments"}))


def _verify(source: Source) -> Role:
    async def verify() -> Check:
        text = f"not verified: only MCP server {source.name} knows what it changed; look for yourself"
        return Check(outcome="unknown", text=text)

    return Role(verify, {}, frozenset())


def _result(name: str, text: str, data: Any) -> Result:
    if len(text) > MOST:
        text = f"{text[:MOST]}\n… cut: it answered {len(text):,} characters, {MOST:,} are kept"
    sources = (Quote(locator=f"answer of {name}", text=text),) if text.strip() else ()
    told = data if isinstance(data, dict) else {} if data is None else {"result": data}
    return Result(text=text or "nothing", sources=sources, data=told)


def without(text: str, secrets: Sequence[str]) -> str:
    """The text with each of its secrets said to be one, also as JSON writes it."""
    for each in secrets:
        for form in (each, json.dumps(each)[1:-1], json.dumps(each, ensure_ascii=False)[1:-1]):
            text = text.replace(form, MARK)
    return text


def _data(data: Any, secrets: Sequence[str]) -> Any:
    """Structured content without secrets, as far as it can be kept at all."""
    text = json.dumps(data)
    if len(text) > MOST:
        return None
    return json.loads(without(text, secrets))
