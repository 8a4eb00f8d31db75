"""Speaks to a world of the tests as a client would, without a socket."""

import json
from typing import Any

from opssquad.worlds.kube.apiserver.dispatch import answer
from opssquad.worlds.kube.apiserver.request import Call, Reply
from tests.conformance.world import USERS, StandingStill

Json = dict[str, Any]
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
SHOP = "/api/v1/namespaces/shop"
APPS = "/apis/apps/v1/namespaces/shop"


def body_of(reply: Reply) -> Json:
    """The JSON object of a reply; lists come ready as bytes."""
    body = json.loads(reply.body) if isinstance(reply.body, bytes) else reply.body
    assert isinstance(body, dict)
    return body


class Driver:
    """A client of one world; `say` gives the status and the body."""

    def __init__(self, user: str = "admin") -> None:
        self.world = StandingStill()
        self.user = user

    def say(
        self, method: str, path: str, body: Any = None, media: str = "application/json"
    ) -> tuple[int, Json]:
        """One request with a JSON body."""
        raw = b"" if body is None else json.dumps(body).encode()
        headers = {"content-type": media, "user-agent": "tester/1.0"}
        reply = answer(self.world, Call(method, path, USERS[self.user], headers, raw))
        assert isinstance(reply, Reply)
        return reply.status, body_of(reply)

    def get(self, path: str) -> Json:
        """An object that is there."""
        status, body = self.say("GET", path)
        assert status == 200, body
        return body

    def patch(self, path: str, body: Any, media: str = MERGE) -> tuple[int, Json]:
        """A patch, a merge patch unless said otherwise."""
        return self.say("PATCH", path, body, media)
