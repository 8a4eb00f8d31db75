"""Sample values for tests: a call, its card, a decision, records; small, and the same in every test."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from opssquad.findings import Quote, ToolResult
from opssquad.store.base import AuditDraft, ThreadRecord
from opssquad.types import Approval, Decision, Preview, Target, ToolCall, Undo

NOW = datetime(2026, 3, 8, 14, 37, tzinfo=UTC)
TARGET = Target(cluster="production", namespace="web")


def a_call(id: str = "c1", tool: str = "rollback", **args: Any) -> ToolCall:
    return ToolCall(id=id, tool=tool, args=args or {"deployment": "api", "namespace": "web"}, target=TARGET)


def a_card(id: str = "a-c1", call: ToolCall | None = None, minutes: float = 10, **over: Any) -> Approval:
    values: dict[str, Any] = {
        "id": id,
        "thread": "t1",
        "call": call or a_call(),
        "preview": Preview(
            command="kubectl -n web rollout undo deployment/api --to-revision=7",
            impact="3 pods are replaced one by one",
            risk="medium",
            risk_rule="a rollout of a running workload",
            binding={"Deployment/web/api": "resourceVersion=41"},
        ),
        "undo": Undo(note="roll forward again", tool="rollback", args={"revision": 8}),
        "why": "pods crash since the last rollout",
        "evidence": ("e1", "e2"),
        "requested_by": "sam",
        "requested_at": NOW,
        "expires_at": NOW + timedelta(minutes=minutes),
        "world_time": NOW,
        "rule": "mutations ask",
    }
    return Approval(**{**values, **over})


def a_decision(
    card: Approval,
    outcome: Literal["approved", "refused", "expired", "voided"] = "approved",
    by: str = "kim",
    at: datetime = NOW,
    reason: str = "",
) -> Decision:
    return Decision(
        approval=card.id, call_digest=card.call.digest, outcome=outcome, by=by, at=at, reason=reason
    )


def a_result(call: str = "c1", text: str = "rolled back", **over: Any) -> ToolResult:
    source = Quote(locator="Deployment/web/api", text='{"kind":"Deployment"}')
    return ToolResult(**{"call": call, "status": "ok", "text": text, "sources": (source,), "ms": 12, **over})


def a_thread(id: str = "t1", **over: Any) -> ThreadRecord:
    values = {"squad": "k8s", "model": "offline", "started_at": NOW, "world_started_at": NOW}
    return ThreadRecord(**{"id": id, **values, **over})


def a_draft(status: str = "ok", **over: Any) -> AuditDraft:
    values = {"ts": NOW, "thread": "t1", "requested_by": "sam", "target": TARGET, "tool": "rollback"}
    return AuditDraft(**{**values, "status": status, **over})
