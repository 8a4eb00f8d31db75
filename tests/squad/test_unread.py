"""What could not be looked at stands once for all that failed alike, and takes the certainty of no fault."""

from opssquad.models.base import PastCall
from opssquad.squad.concluding import unread
from tests.squad.runbooks import case


def call(tool: str, why: str = "", status: str = "ok", turn: int = 1) -> PastCall:
    data = {"unread": [{"what": "sessions", "why": why}]} if why else {}
    return PastCall.model_validate(
        {"turn": turn, "tool": tool, "args": {}, "status": status, "text": why, "call": tool, "data": data}
    )


def test_what_failed_alike_is_one_line() -> None:
    down = [call(tool, "the server is shutting down", "error") for tool in ("overview", "blocking")]
    assert unread(case([*down, call("tables")])) == ["overview, blocking: the server is shutting down"]


def test_what_lacks_a_part_says_which_and_another_reason_is_another_line() -> None:
    made = [call("overview", "permission denied"), call("server_log", "no log file", "error")]
    assert unread(case(made)) == [
        "server_log: no log file",
        "overview could not read sessions: permission denied",
    ]


def test_what_a_tool_saw_when_it_was_called_again_counts() -> None:
    assert unread(case([call("overview", "it is down", "error"), call("overview")])) == []
    assert unread(case([call("overview", "it was down", "error", turn=0)])) == []
