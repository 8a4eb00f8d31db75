"""What a file of declared tools may say. Unknown keys are refused; `sound` looks at what the keys hold."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, RootModel

from opssquad.findings import Severity
from opssquad.types import Effect, Risk, Value
from opssquad.worlds.command.commands import CAP
from opssquad.worlds.command.commands import MOST as MOST_PRINTED
from opssquad.worlds.http.client import MOST as MOST_ANSWERED


def _listed(value: Any) -> Any:
    if isinstance(value, str):
        raise ValueError("must be a list, [program, argument, ...]: no shell reads it")
    return value


Argv = Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)]
Paths = tuple[str, ...]


class Parameter(Value):
    """One argument that the model gives. One with a `default` may be left out; with `default: null` what it
    stands in is left out too."""

    type: Literal["string", "integer", "number", "boolean"] = "string"
    description: str = ""
    default: Any = None
    enum: tuple[str | int | float, ...] = ()
    pattern: str = ""
    minimum: float | None = None
    maximum: float | None = None
    allow_dash: bool = False

    @property
    def optional(self) -> bool:
        """Whether it may be left out."""
        return "default" in self.model_fields_set


class Secret(Value):
    """The name of a secret, put in at the call; `prefix` stands before it, as `Bearer `."""

    secret: str = Field(min_length=1)
    prefix: str = ""


class Test(Value):
    """What an output is asked: whether a line of it matches `regex`, or whether what stands at `path` of its
    JSON is as said (there, where nothing is said)."""

    regex: str = ""
    path: str = ""
    equals: Any = None
    above: float | None = None
    below: float | None = None

    @property
    def exact(self) -> bool:
        """Whether it compares with one value."""
        return "equals" in self.model_fields_set


class SignalRule(Value):
    """A signal, given for each line or value that passes `when`. Its text and entity have holes for
    parameters, named groups of the regex, and the fields beside the value."""

    id: str
    when: Test
    severity: Severity = "warning"
    text: str = Field(min_length=1)
    entity: str


class CommandStep(Value):
    """A program: `argv` with `{parameter}` holes, each inside one argument. `codes` are the exit codes with
    which it went well; `answer` is a path into the JSON that it prints."""

    argv: Argv
    env: dict[str, str | Secret] = Field(default_factory=dict)
    cwd: str = ""
    stdin: str = ""
    reads: Paths = ()
    writes: Paths = ()
    network: bool = False
    codes: tuple[int, ...] = (0,)
    answer: str = ""

    def env_texts(self) -> dict[str, str]:
        """The variables that are no secrets."""
        return {name: value for name, value in self.env.items() if isinstance(value, str)}


class HttpStep(Value):
    """A request. Holes of `url` are encoded for their place; `query` is added to it; `json` is the body;
    `answer` is a path into the JSON that is answered."""

    method: Literal["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    url: str
    query: dict[str, str] = Field(default_factory=dict)
    headers: dict[str, str | Secret] = Field(default_factory=dict)
    body: Any = Field(default=None, alias="json")
    destinations: tuple[str, ...] = ()
    answer: str = ""

    def header_texts(self) -> dict[str, str]:
        """The headers that are no secrets."""
        return {name: value for name, value in self.headers.items() if isinstance(value, str)}


class SqlStep(Value):
    """A statement that only reads; `:parameter` stands for a value, which goes to the server beside it."""

    statement: str = Field(min_length=1)
    rows: int = Field(default=50, ge=1, le=500)


class Verified(Value):
    """How to see that it helped: what the output must be. With `within` it is looked at again until it is so,
    that many seconds at most."""

    expect: Test
    within: float = Field(default=0, ge=0, le=300)


class CommandVerify(CommandStep, Verified):
    """A program that tells whether it helped."""


class HttpVerify(HttpStep, Verified):
    """A request that tells whether it helped."""


class Common(Value):
    """What every tool has. Without `effect` it counts as one that changes something."""

    name: str
    description: str
    effect: Effect | None = None
    squads: tuple[str, ...] = ()
    parameters: dict[str, Parameter] = Field(default_factory=dict)
    deadline: float = Field(default=30, gt=0, le=600)
    cap: int = Field(default=CAP, ge=1, le=max(MOST_PRINTED, MOST_ANSWERED))
    signals: tuple[SignalRule, ...] = ()
    risk: Risk | None = None
    irreversible: str = ""


class CommandTool(Common, CommandStep):
    """A tool that runs a program."""

    kind: Literal["command"]
    preview: CommandStep | None = None
    undo: CommandStep | None = None
    verify: CommandVerify | None = None


class HttpTool(Common, HttpStep):
    """A tool that calls an HTTP API."""

    kind: Literal["http"]
    preview: HttpStep | None = None
    undo: HttpStep | None = None
    verify: HttpVerify | None = None


class SqlTool(Common, SqlStep):
    """A tool that reads from the database."""

    kind: Literal["sql"]


AnyTool = CommandTool | HttpTool | SqlTool
KINDS: dict[str, type[CommandTool] | type[HttpTool] | type[SqlTool]] = {
    "command": CommandTool,
    "http": HttpTool,
    "sql": SqlTool,
}
Step = CommandStep | HttpStep | SqlStep


class ToolList(Value):
    """A file with several tools."""

    tools: tuple[Annotated[AnyTool, Field(discriminator="kind")], ...] = Field(min_length=1)


class ToolFile(RootModel[ToolList | Annotated[AnyTool, Field(discriminator="kind")]]):
    """A file of declared tools: one, or a list of them."""


class Written(RootModel[dict[str, Any]]):
    """A file before its tools are looked at one by one."""
