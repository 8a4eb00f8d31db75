"""Tokens of service accounts look like tokens and open nothing."""

import base64
import json
from datetime import timedelta
from typing import Any

from opssquad.times import parse_time
from tests.worlds.kube.apiserver.driver import SHOP, Driver

Json = dict[str, Any]
PATH = f"{SHOP}/serviceaccounts/default/token"


def request(**spec: Any) -> Json:
    return {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}


def claims(token: str) -> Json:
    part = token.split(".")[1]
    found: Json = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def test_a_token_names_the_account_and_lasts_an_hour() -> None:
    client = Driver()
    status, body = client.say("POST", PATH, request())
    assert (status, body["kind"]) == (201, "TokenRequest")
    assert claims(body["status"]["token"])["sub"] == "system:serviceaccount:shop:default"
    end = parse_time(body["status"]["expirationTimestamp"])
    assert end == parse_time(body["metadata"]["creationTimestamp"]) + timedelta(hours=1)
    assert body["spec"]["expirationSeconds"] == 3600


def test_duration_and_audience_are_the_askers_choice() -> None:
    status, body = Driver().say("POST", PATH, request(expirationSeconds=7200, audiences=["vault"]))
    found = claims(body["status"]["token"])
    assert (status, found["aud"], found["exp"] - found["iat"]) == (201, ["vault"], 7200)


def test_a_token_that_is_too_short_lived_or_for_nobody_is_refused() -> None:
    status, body = Driver().say("POST", PATH, request(expirationSeconds=60))
    assert status == 422
    assert body["message"].endswith(
        "spec.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes"
    )
    status, body = Driver().say("POST", f"{SHOP}/serviceaccounts/nobody/token", request())
    assert (status, body["message"]) == (404, 'serviceaccounts "nobody" not found')


def test_who_may_not_make_tokens_gets_none() -> None:
    status, body = Driver("viewer").say("POST", PATH, request())
    assert status == 403
    assert 'cannot create resource "serviceaccounts/token"' in body["message"]
