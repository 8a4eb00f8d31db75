"""When certificates end, as issuers note it, and who is told of one that has."""

import pytest
from tools._addresses import Directory
from tools._loglines import entries
from tools.signals._case import Case, Read
from tools.signals.calls import called
from tools.signals.logs import log_signals

from opssquad import Json
from tests.tools.signals.network import service
from tests.tools.signals.objects import NOW, ago, deployment, obj, pod, ranked, told

EXPIRED = "ERROR GET https://web.n.svc/: certificate verify failed: certificate has expired"


def kept(**notes: str) -> Json:
    return {**obj("Secret", "web-tls", annotations=notes), "type": "kubernetes.io/tls"}


def test_a_note_beside_a_certificate_says_that_it_has_run_out_or_soon_will() -> None:
    found = told(kept(**{"certs.example/not-after": ago(30)}))["certificate.expired"]
    assert (found.data["kept_in"], found.severity) == ("Secret/n/web-tls", "critical")
    assert "certificate.expiring" in told(kept(**{"certs.example/expires-at": ago(-600)}))
    assert not {"certificate.expiring", "certificate.expired"} & set(
        told(kept(**{"certs.example/not-after": ago(-60 * 24 * 30), "certs.example/issued-at": ago(9)}))
    )


@pytest.mark.parametrize("value", ["never", "true", "1700000000", "Jan 5 2024", ""])
def test_a_note_that_is_no_time_of_the_api_says_nothing(value: str) -> None:
    assert "certificate.expired" not in told(kept(**{"certs.example/expires": value}))


def test_an_expired_certificate_that_nobody_is_shown_is_no_cause() -> None:
    assert "N10" not in [each.fault for each in ranked(kept(**{"certs.example/not-after": ago(9999)}))]


def test_a_certificate_of_cert_manager_tells_of_the_secret_it_keeps() -> None:
    ready = {"type": "Ready", "status": "False", "message": "the order was refused"}
    kind = obj("Certificate", "web", {"secretName": "web-tls"}, {"notAfter": ago(5), "conditions": [ready]})
    found = told(kind)["certificate.expired"]
    assert (str(found.entity), found.data["message"]) == ("Secret/n/web-tls", "the order was refused")


def test_a_log_that_is_told_of_an_expired_certificate_blames_the_secret_of_who_was_called() -> None:
    web = deployment()
    web["spec"]["template"]["spec"]["volumes"] = [{"name": "tls", "secret": {"secretName": "web-tls"}}]
    asks = pod("shop-1", ready=True)
    asks["metadata"]["ownerReferences"][0]["name"] = "shop-h1"
    text = f"{ago(1)} {EXPIRED}"
    said = entries(text)
    directory = Directory([service("web")], (), [web])
    found = log_signals(Case([Read(asks, "app", False, text)], said, NOW, directory, called(said)))
    signal = next(each for each in found if each.id == "log.certificate")
    assert signal.data["kept_in"] == "Secret/n/web-tls"
    best = ranked(kept(**{"certs.example/not-after": ago(30)}), more=found)[0]
    assert (best.fault, str(best.component)) == ("N10", "Secret/n/web-tls")


def test_who_is_told_that_its_own_certificate_has_run_out_is_to_blame_itself() -> None:
    web = pod(ready=True)
    web["spec"]["volumes"] = [{"name": "tls", "secret": {"secretName": "web-tls"}}]
    text = f"{ago(1)} ERROR SSL error, peer: 10.1.2.3: sslv3 alert certificate expired"
    said = entries(text)
    found = log_signals(Case([Read(web, "app", False, text)], said, NOW, Directory(()), called(said)))
    assert next(e for e in found if e.id == "log.certificate").data["kept_in"] == "Secret/n/web-tls"
