"""Conditions of the Gateway API."""

from tests.tools.signals.peers.row import GATEWAY_CLASS, SERVED, Row, gateway, route, said, wide

ROWS = [
    Row(
        "Gateway", "its class is missing", (gateway(), wide("GatewayClass", "other")), "gateway.class_missing"
    ),
    Row(
        "Gateway",
        "not accepted",
        (GATEWAY_CLASS, gateway(said("Accepted", "False", "Invalid"))),
        "gateway.not_accepted",
    ),
    Row(
        "Gateway",
        "not programmed",
        (GATEWAY_CLASS, gateway(said("Accepted", "True"), said("Programmed", "False", "AddressNotAssigned"))),
        "gateway.not_programmed",
    ),
    Row(
        "GatewayClass",
        "not accepted",
        (
            wide(
                "GatewayClass",
                "edge",
                {},
                {"conditions": [said("Accepted", "Unknown", "Pending", "Waiting for controller")]},
            ),
        ),
        "gatewayclass.not_accepted",
    ),
    Row(
        "HTTPRoute",
        "its Gateway is missing",
        (*SERVED, route(parent="egde"), GATEWAY_CLASS, gateway()),
        "route.not_accepted",
    ),
    Row(
        "HTTPRoute",
        "its namespace is not allowed: Same",
        (*SERVED, route(), GATEWAY_CLASS, gateway()),
        "route.not_accepted",
    ),
    Row(
        "HTTPRoute",
        "its namespace is not allowed: Selector",
        (
            *SERVED,
            route(),
            GATEWAY_CLASS,
            wide("Namespace", "n", labels={"team": "a"}),
            gateway(
                allowedRoutes={"namespaces": {"from": "Selector", "selector": {"matchLabels": {"team": "b"}}}}
            ),
        ),
        "route.not_accepted",
    ),
    Row(
        "HTTPRoute",
        "its Service is missing",
        (route(), GATEWAY_CLASS, gateway(allowedRoutes={"namespaces": {"from": "All"}})),
        "route.backend_missing",
    ),
    Row(
        "HTTPRoute",
        "a port that its Service does not have",
        (
            *SERVED,
            route({"name": "web", "port": 81}),
            GATEWAY_CLASS,
            gateway(allowedRoutes={"namespaces": {"from": "All"}}),
        ),
        "route.backend_missing",
    ),
]
