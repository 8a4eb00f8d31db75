"""Conditions of Services, Ingresses and NetworkPolicies."""

from tests.tools.signals.network import endpoints, policy, running, service
from tests.tools.signals.objects import event, obj, pod
from tests.tools.signals.peers.row import CALLER, CLASS, SERVED, WEB, Row, ingress

ROWS = [
    Row(
        "Service",
        "no endpoints",
        (service("web", selector={"app": "wob"}), WEB, running(WEB)),
        "service.no_endpoints",
    ),
    Row(
        "Service",
        "some endpoints are not ready",
        (*SERVED[:1], pod(), service("web"), endpoints("web")),
        "pod.not_ready",
    ),
    Row(
        "Service",
        "a warning about it",
        (*SERVED, event(service("web"), "SyncLoadBalancerFailed", "no quota left")),
        "service.warned",
    ),
    Row(
        "Service",
        "endpoints without a selector, for the election of a leader",
        (
            service("web", selector={}),
            obj("Endpoints", "web", annotations={"control-plane.alpha.kubernetes.io/leader": "{}"}),
        ),
        silent="whoever writes such endpoints keeps a lease in them",
    ),
    Row(
        "Ingress",
        "it names no class",
        (ingress(ingressClassName=None), CLASS, *SERVED),
        "ingress.class_missing",
    ),
    Row(
        "Ingress",
        "its class is missing",
        (ingress(ingressClassName="edge"), CLASS, *SERVED),
        "ingress.class_missing",
    ),
    Row(
        "Ingress",
        "a class that a cloud knows by itself",
        (ingress(ingressClassName="gce"), CLASS, *SERVED),
        silent="no object need exist for it",
    ),
    Row("Ingress", "its Service is missing", (ingress(), CLASS), "ingress.backend_missing"),
    Row(
        "Ingress",
        "its TLS Secret is missing",
        (ingress(tls=[{"secretName": "cert"}]), CLASS, *SERVED),
        "ingress.backend_missing",
    ),
    Row(
        "NetworkPolicy",
        "it is about all pods",
        (CALLER, running(CALLER), *SERVED, policy("deny", {}, "Ingress")),
        "policy.denies",
    ),
    Row(
        "NetworkPolicy",
        "it is about all pods and denies no call that is made",
        (*SERVED, policy("deny", {}, "Ingress")),
        silent="a default that denies is good practice; what it denies tells",
    ),
    Row(
        "NetworkPolicy",
        "it is about no pod",
        (*SERVED, policy("deny", {"matchLabels": {"app": "wob"}}, "Ingress")),
        "policy.selects_nothing",
    ),
]
