"""Rules and calls as tests write them, and as hypothesis makes them up."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from opssquad.gate.policy import STRICTNESS
from opssquad.gate.rules.facts import Facts
from opssquad.gate.rules.reading import Layer, Origin
from opssquad.gate.rules.rule import Rule
from opssquad.gate.rules.windows import DAYS
from opssquad.types import Effect, Json, Target, ToolCall

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
"""A Wednesday."""


def call(tool: str = "restart", cluster: str = "prod", namespace: str = "web", **args: Any) -> ToolCall:
    return ToolCall(id="c1", tool=tool, args=args, target=Target(cluster=cluster, namespace=namespace))


def facts(
    made: ToolCall | None = None, effect: Effect = "mutate", squad: str = "k8s", at: datetime = NOON
) -> Facts:
    return Facts.of(made or call(), effect, squad, at)


def rule(verdict: str = "ask", name: str = "r", **keys: Any) -> Rule:
    return Rule.model_validate({"name": name, "verdict": verdict, **keys})


def layer(*rules: Rule, origin: Origin = "bundled", loosens: bool = False) -> Layer:
    return Layer.of(*rules, origin=origin, loosens=loosens)


def some(*texts: str) -> st.SearchStrategy[list[str]]:
    """One or two of these."""
    return st.lists(st.sampled_from(texts), min_size=1, max_size=2)


PATTERNS: dict[str, st.SearchStrategy[list[str]]] = {
    "squad": some("*", "k8s", "k*", "db"),
    "tool": some("*", "scale", "s*", "restart", "kubectl", "get", "?ubectl"),
    "cluster": some("*", "prod", "p*", "?*", "staging"),
    "namespace": some("*", "web", "w*", "kube-*", "**", "?eb"),
    "kind": some("*", "deploy", "Deployment", "D*", "secrets", "Certificate", "certificates", "?od"),
    "object": some("*", "api", "a*", "api-?", "db"),
}
ALTERNATIVES = st.one_of(
    st.sampled_from(["api", "a*", "*", True, False, 3, 5, 20.0]),
    st.builds(lambda low, more: {"min": low, "max": low + more}, st.integers(0, 9), st.integers(0, 9)),
    st.builds(lambda low: {"min": low}, st.integers(0, 9)),
)
ARGS = st.dictionaries(
    st.sampled_from(["replicas", "image"]), st.lists(ALTERNATIVES, min_size=1, max_size=2), max_size=2
)
HOURS = st.integers(0, 23).map(lambda hour: f"{hour:02}:{hour * 7 % 60:02}")
WINDOWS = st.fixed_dictionaries(
    {
        "zone": st.sampled_from(["UTC", "Europe/Berlin"]),
        "weekdays": some(*DAYS, "mon-fri", "fri-mon", "mon-sun"),
    },
    optional={
        "from": HOURS,
        "until": st.just("23:30"),
        "dates": st.builds(
            lambda start, days: {"first": start, "last": start + timedelta(days=days)},
            st.dates(date(2026, 3, 1), date(2026, 4, 5)),
            st.integers(0, 20),
        ),
    },
)
APPROVAL = st.fixed_dictionaries(
    {},
    optional={
        "approvers": st.integers(1, 3),
        "roles": some("sre", "dba", "lead"),
        "requester_may_approve": st.booleans(),
    },
)


def _rule(keys: Json, verdict: str, approval: Json) -> Rule:
    return rule(verdict, **keys, **(approval if verdict == "ask" else {}))


RULES = st.builds(
    _rule,
    st.fixed_dictionaries(
        {},
        optional={
            **PATTERNS,
            "effect": st.sampled_from(["read", "mutate", "any"]),
            "args": ARGS,
            "when": st.lists(WINDOWS, min_size=1, max_size=2),
        },
    ),
    st.sampled_from(sorted(STRICTNESS)),
    APPROVAL,
)
VALUES = st.one_of(
    st.integers(-1, 25),
    st.sampled_from(["api", "apple", "5", "", None, True, 3.5, float("nan"), [1], {"a": 1}]),
)
CALL_ARGS = st.fixed_dictionaries(
    {},
    optional={
        "replicas": VALUES,
        "image": VALUES,
        "name": st.sampled_from(["api", "api-1", "db", "", 7]),
        "pod": st.sampled_from(["api", "db"]),
        "kind": st.sampled_from(
            ["Deployment", "deploy", "Secret", "cert", "all", "certificates.x.io", "", 4]
        ),
        "line": st.sampled_from(
            [
                "kubectl get pods",
                "kubectl get deploy,secrets api db",
                "kubectl version",
                "k get cert/api",
                "ls",
            ]
        ),
    },
)
CALLS = st.builds(
    lambda tool, cluster, namespace, args: call(tool, cluster, namespace, **args),
    st.sampled_from(["scale", "restart", "kubectl", "get", "health", "a tool of their own", ""]),
    st.sampled_from(["prod", "staging", ""]),
    st.sampled_from(["web", "kube-system", ""]),
    CALL_ARGS,
)
TIMES = st.datetimes(
    datetime(2026, 3, 1),  # noqa: DTZ001  a strategy's bounds have no zone
    datetime(2026, 4, 20),  # noqa: DTZ001
    timezones=st.just(UTC),
)
EFFECTS: st.SearchStrategy[Effect] = st.sampled_from(["read", "mutate"])
FACTS = st.builds(facts, CALLS, EFFECTS, st.sampled_from(["k8s", "db", ""]), TIMES)
