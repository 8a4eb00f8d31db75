"""What `mcp.yaml` may say: where servers are, which squads their tools join, what each tool does."""

import re
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from opssquad.extensions.settings import ToolSettings
from opssquad.gate.redact import Redactor
from opssquad.types import Effect, Json, Value, digest

FILE = "mcp.yaml"
NAME = re.compile(r"[a-z][a-z0-9_-]{0,30}")
TOOL = re.compile(r"[a-zA-Z0-9_-]{1,64}")
"""Names of tools that every model endpoint takes."""
KEEP = "a secret stands in it; name it here and keep it in tools.yaml"
_SECRET = re.compile(r"[a-z][a-z0-9_]*")
_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "x-api-key"})


def _listed(value: Any) -> Any:
    if isinstance(value, str):
        raise ValueError("must be a list, [program, argument, ...]: no shell reads it")
    return value


def _named(value: str) -> str:
    if not NAME.fullmatch(value):
        raise ValueError("must be of a-z, 0-9, _ and -, begin with a letter, and have at most 31 signs")
    return value


def _toolish(value: str) -> str:
    if value and not TOOL.fullmatch(value):
        raise ValueError("must be of a-z, A-Z, 0-9, _ and -, and have at most 64 signs")
    return value


def _kept(value: str) -> str:
    if not _SECRET.fullmatch(value):
        raise ValueError(f"must be the name of a secret in tools.yaml, of a-z, 0-9 and _, not {value!r}")
    if hasattr(ToolSettings, value):
        raise ValueError(f"no secret can be called {value!r}; give it another name")
    return value


class Secret(Value):
    """The name of a secret in the section `mcp` of `tools.yaml`; `prefix` stands before it, as `Bearer `."""

    secret: Annotated[str, AfterValidator(_kept)]
    prefix: str = ""


def _form(value: object) -> str:
    return "text" if isinstance(value, str) else "secret"


# Told apart by form, so that only what is meant is said to be wrong.
Given = Annotated[Annotated[str, Tag("text")] | Annotated[Secret, Tag("secret")], Discriminator(_form)]


class Mapped(Value):
    """What its owner knows of a tool: whether it only reads; under which name and in which squads it is had,
    where those are not the usual ones."""

    effect: Effect
    name: Annotated[str, AfterValidator(_toolish)] = ""
    squads: tuple[str, ...] | None = None


class ServerSpec(Value):
    """A server: a `command` that is started here, in `cwd` (else the folder of this file), with the variables
    that it `inherits` and those of `env`; or a `url`, with `headers`. Its tools join `squads`."""

    command: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()
    cwd: str = ""
    inherits: tuple[str, ...] = ()
    env: dict[str, Given] = Field(default_factory=dict)
    url: str = ""
    headers: dict[str, Given] = Field(default_factory=dict)
    squads: tuple[str, ...] = ()
    tools: dict[str, Mapped] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if bool(self.command) == bool(self.url):
            raise ValueError("needs either `command: [program, ...]` or `url: https://...`")
        if self.url and (self.cwd or self.inherits or self.env):
            raise ValueError("`cwd`, `inherits` and `env` are for a command")
        if self.command and self.headers:
            raise ValueError("`headers` are for a url")
        self._no_secret()
        return self

    def _no_secret(self) -> None:
        redact = Redactor()
        if self.url:
            parts = urlsplit(self.url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError("`url` must begin with http:// or https:// and name a host")
            if parts.username or parts.password or redact.read(self.url).count:
                raise ValueError(f"`url`: {KEEP}: `headers: {{Authorization: {{secret: NAME}}}}`")
        if redact.read(" ".join(self.command)).count:
            raise ValueError(f"`command`: {KEEP}: `env: {{VARIABLE: {{secret: NAME}}}}`")
        for name, value in {**self.headers, **self.env}.items():
            plain = isinstance(value, str)
            if plain and (name.lower() in _HEADERS or redact.read(f"{name}: {value}").count):
                raise ValueError(f"`{name}`: {KEEP}: `{name}: {{secret: NAME}}`")

    def place_digest(self) -> str:
        """What tells the server from another one: where it is and what it is given, no secret of it."""
        place: Json = self.model_dump(mode="json", exclude={"squads", "tools"})
        return digest(place)

    def where(self) -> str:
        """Where it is, in words."""
        return self.url or " ".join(self.command)

    def folder(self, own: Path) -> Path:
        """Where its command works."""
        return own / Path(self.cwd).expanduser()


class McpFile(Value):
    """Servers by name."""

    servers: dict[Annotated[str, AfterValidator(_named)], ServerSpec]
