"""The error tree.

    OpsError
    ├── UsageError      the operator's mistake: one line, exit 2
    ├── ModelError      the language model let us down
    │   ├── ModelUnreachable   no answer, or a server error that retries did not cure
    │   ├── ModelRateLimited   429 past the cap; `retry_after` in seconds if the server said it
    │   └── ModelBadReply      an answer that cannot be used
    ├── ToolError       told to the model; the run goes on
    │   └── ToolUnsure         a write was sent and its answer was lost: it may have happened
    ├── Refused         the gate said no, or a card was refused, expired or voided
    ├── StoreError      the state on disk cannot be read or written
    └── NodeError       a remote executor failed

Anything else is a bug: it stops the run with a traceback in the log and one honest line on the screen.
"""


class OpsError(Exception):
    """Base of every error that the product means to raise."""


class UsageError(OpsError):
    """The operator's mistake: says what is wrong, where, and what to do, in one line."""


class ModelError(OpsError):
    """The language model let us down."""


class ModelUnreachable(ModelError):
    """No answer from the endpoint, or server errors that retries did not cure."""


class ModelRateLimited(ModelError):
    """The endpoint answered 429 past our patience."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ModelBadReply(ModelError):
    """The endpoint's answer cannot be used: not JSON, no choices, cut off."""


class ToolError(OpsError):
    """A tool could not do what was asked; the text tells the reader the next move.

    `blind`: the system did not let itself be looked at (no answer, no rights), so what is there is unknown.
    """

    def __init__(self, message: str, *, blind: bool = False) -> None:
        super().__init__(message)
        self.blind = blind


class ToolUnsure(ToolError):
    """A write was sent and its answer was lost: it may have happened, and is never repeated by itself."""


class Refused(OpsError):
    """The gate said no, or the card was refused, expired or voided."""


class StoreError(OpsError):
    """State on disk cannot be read or written."""


class NodeError(OpsError):
    """A remote executor failed."""
