"""What becomes of a pod, as world.yaml says it: a word, or a word with details."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Text = Annotated[str, Field(min_length=1)]
Seconds = Annotated[float, Field(gt=0)]


class Strict(BaseModel):
    """Frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Crash(Strict):
    """The container ends with this code again and again; `log` is a recorded log that shows it. `after`:
    seconds from its start until then, about, in which it is ready; `probe`: what the liveness probe says
    before the kubelet ends it."""

    exit_code: int
    reason: Text
    log: str | None = None
    after: Seconds | None = None
    probe: Text | None = None


class Pending(Strict):
    """The pod never starts, for this reason."""

    message: Text


class Pull(Strict):
    """Why the image cannot be had: how the registry answers, or `says` in containerd's words, in which
    `$image`, `$host` and `$path` stand for the container's."""

    answer: Literal["not_found", "unauthorized", "denied", "lookup", "throttled", "timeout"] = "not_found"
    says: Text | None = None


class StartError(Strict):
    """The runtime cannot start the container, with this message."""

    message: Text
    exit_code: int = 128


class Unready(Strict):
    """What the readiness probe says; `$ip` is the pod's address."""

    message: Text


class Init(Strict):
    """An init container that never ends, or crashes."""

    container: Text
    crash: Crash | None = None


class Refused(Strict):
    """The API server refuses the pod in these words, in which `$name` is the pod's name."""

    message: Text


class Volume(Strict):
    """A volume cannot be mounted, or not attached."""

    message: Text
    reason: Literal["FailedMount", "FailedAttachVolume"] = "FailedMount"


class Evicted(Strict):
    """The kubelet evicts the pod about so many seconds after its start."""

    message: Text
    after: Seconds = 600


class Lingering(Strict):
    """A container beside the first of a pod that is to end by itself, which does not."""

    container: Text


Kind = Literal[
    "ready",
    "unready",
    "image_pull_error",
    "crash",
    "pending",
    "start_error",
    "init",
    "refused",
    "volume_error",
    "evicted",
    "lingering",
]
PLAIN = ("ready", "unready", "image_pull_error")


class Fate(Strict):
    """What becomes of a workload's new pods; in YAML a word, or one key with details."""

    kind: Kind
    crash: Crash | None = None
    pending: Pending | None = None
    image_pull_error: Pull | None = None
    unready: Unready | None = None
    start_error: StartError | None = None
    init: Init | None = None
    refused: Refused | None = None
    volume_error: Volume | None = None
    evicted: Evicted | None = None
    lingering: Lingering | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_yaml(cls, value: Any) -> Any:
        if isinstance(value, str) and value in PLAIN:
            return {"kind": value}
        detailed = [name for name in cls.model_fields if name != "kind"]
        if isinstance(value, dict) and len(value) == 1 and next(iter(value)) in detailed:
            return {"kind": next(iter(value)), **value}
        if isinstance(value, dict) and "kind" in value:
            return value
        words = f"{', '.join(PLAIN)}, or one of {', '.join(detailed)} with details, as {{crash: ...}}"
        raise ValueError(f"must be {words}; not {value!r}")

    def written(self) -> Any:
        """As in YAML: the word, or the word with its details."""
        detail = getattr(self, self.kind, None)
        return {self.kind: detail.model_dump(mode="json", exclude_none=True)} if detail else self.kind
