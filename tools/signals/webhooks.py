"""Admission webhooks: who stands behind them, whether anyone answers there, which of them see new pods."""

from collections.abc import Iterator

from opssquad import Json, Ref, Severity, Signal

from .._kube import dig, quote_at, ref
from .._selectors import matches, namespace_matches
from ._scene import Scene, make
from .services import ready_addresses

VALIDATING, MUTATING = "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"
HTTPS = 443
"""The port of a webhook's Service where the configuration names none."""
WORDS = {
    "service_missing": "which does not exist",
    "port_missing": "which has no port {port}",
    "no_ready_endpoint": "which has no ready endpoint",
}


def webhook_signals(config: Json, scene: Scene) -> Iterator[Signal]:
    """`webhook.unavailable` for each Service behind a webhook configuration that cannot answer, once."""
    behind: dict[tuple[Ref, int], list[int]] = {}
    for index, hook in enumerate(dig(config, "webhooks", default=())):
        if address := service_of(hook):
            port = dig(hook, "clientConfig", "service", "port", default=HTTPS)
            behind.setdefault((address, port), []).append(index)
    for (address, port), indexes in behind.items():
        if why := _why(address, port, scene):
            yield _unavailable(config, address, port, why, indexes)


def service_of(hook: Json) -> Ref | None:
    """The Service that a webhook is asked at; None where it is outside the cluster."""
    service = dig(hook, "clientConfig", "service", default={})
    if not service.get("name") or not service.get("namespace"):
        return None
    return Ref(kind="Service", namespace=service["namespace"], name=service["name"])


def _why(address: Ref, port: int, scene: Scene) -> str:
    """Why the Service cannot answer; "" where it can, or where that was not read."""
    if scene.lacks(address):
        return "service_missing"
    service = scene.get(address)
    if service is None or dig(service, "spec", "type") == "ExternalName":
        return ""
    if not any(each.get("port") == port for each in dig(service, "spec", "ports", default=())):
        return "port_missing"
    known = scene.covers("EndpointSlice", address.namespace)
    return "no_ready_endpoint" if known and not ready_addresses(service, scene) else ""


def _unavailable(config: Json, address: Ref, port: int, why: str, indexes: list[int]) -> Signal:
    hooks = [config["webhooks"][index] for index in indexes]
    # The server's default: a webhook that does not answer refuses.
    policies = {hook.get("failurePolicy") or "Fail" for hook in hooks}
    policy = "Fail" if "Fail" in policies else "Ignore"
    severity: Severity = "info"
    if policy == "Fail":
        severity = "critical" if any(sees_new_pods(hook) for hook in hooks) else "warning"
    rules = list(dict.fromkeys(words for hook in hooks for words in _rules(hook)))
    refused = "what it would check is refused" if policy == "Fail" else "what it would check passes unchecked"
    return make(
        "webhook.unavailable",
        config,
        ref(config),
        f"{config['kind']} {config['metadata']['name']} asks Service {address.namespace}/{address.name}, "
        f"{WORDS[why].format(port=port)} (failurePolicy {policy}: {refused}; {', '.join(rules[:4])})",
        [
            quote_at(config, "webhooks", indexes[0], "clientConfig", "service"),
            quote_at(config, "webhooks", indexes[0], "failurePolicy"),
        ],
        severity=severity,
        data={
            "service": str(address),
            "service_namespace": address.namespace,
            "why": why,
            "failure_policy": policy,
            "kind": "validating" if config["kind"] == VALIDATING else "mutating",
            "webhooks": [str(hook.get("name", "")) for hook in hooks],
            "rules": rules,
        },
    )


def _rules(hook: Json) -> Iterator[str]:
    """What a webhook is asked about: `CREATE/UPDATE pods`."""
    for rule in dig(hook, "rules", default=()):
        yield f"{'/'.join(rule.get('operations') or ())} {', '.join(rule.get('resources') or ())}"


def sees_new_pods(hook: Json) -> bool:
    """Whether a webhook's rules take in the creation of pods."""
    return any(
        _any(rule.get("operations"), "CREATE", "*")
        and _any(rule.get("apiGroups"), "", "*")
        and _any(rule.get("resources"), "pods", "*", "*/*")
        for rule in dig(hook, "rules", default=())
    )


def _any(words: list[str] | None, *wanted: str) -> bool:
    return any(each in wanted for each in words or ())


def sees(hook: Json, pod: Json, scene: Scene) -> bool:
    """Whether a webhook was, or for all that was read may have been, asked about a pod's creation."""
    space = pod["metadata"].get("namespace", "")
    return (
        sees_new_pods(hook)
        and namespace_matches(hook.get("namespaceSelector"), space, scene) is not False
        and matches(hook.get("objectSelector"), dig(pod, "metadata", "labels", default={}))
    )


def configuration_of(webhook: str, scene: Scene) -> Json | None:
    """The configuration whose webhook of that name is asked about new pods; None where none or several are.

    Of a mutating and a validating one of the same name it is the mutating one: that is asked first.
    """
    for kind in (MUTATING, VALIDATING):
        found = [
            config
            for config in scene.of(kind)
            if any(h.get("name") == webhook and sees_new_pods(h) for h in dig(config, "webhooks", default=()))
        ]
        if found:
            return found[0] if len(found) == 1 else None
    return None
