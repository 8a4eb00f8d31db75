"""What `squad.yaml` says, read and validated; the fault catalogue is read by `diagnosis`."""

import difflib
from pathlib import Path

import yaml
from pydantic import Field, ValidationError

from opssquad.errors import UsageError
from opssquad.types import Value


class Limits(Value):
    """Budgets of one question. At the soft limit the squad is told to conclude, at the hard one it must."""

    calls_soft: int = Field(default=12, gt=0)
    calls_hard: int = Field(default=25, gt=0)
    seconds: float = Field(default=600, gt=0)
    rounds: int = Field(default=30, gt=0)


class SquadSpec(Value):
    """A squad: its words on screen, its prompt, its tools in the order the model sees them, its limits."""

    name: str
    title: str
    description: str
    prompt: str
    tools: tuple[str, ...]
    limits: Limits = Limits()


def load_squad(folder: Path) -> SquadSpec:
    """Read `squad.yaml`. Raises UsageError with the file, the key and the nearest valid one."""
    path = folder / "squad.yaml"
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise UsageError(f"{path}: {error}") from error
    try:
        return SquadSpec.model_validate(raw)
    except ValidationError as error:
        raise UsageError(f"{path}: {_first(error)}") from error


def _first(error: ValidationError) -> str:
    problem = error.errors()[0]
    where = ".".join(map(str, problem["loc"])) or "the file"
    if problem["type"] != "extra_forbidden":
        return f"{where}: {problem['msg']}"
    key = str(problem["loc"][-1])
    near = difflib.get_close_matches(key, [*SquadSpec.model_fields, *Limits.model_fields], n=1)
    return f"{where}: unknown key{f'; did you mean {near[0]!r}?' if near else ''}"
