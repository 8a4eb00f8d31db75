"""Certificates in Secrets that have run out or soon will: by what issuers note beside them, not by content.

Read are the annotations of a Secret of type `kubernetes.io/tls` whose names say when it ends, and the
status of a cert-manager Certificate.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from opssquad import Json, Quote, Ref, Signal, ago

from .._kube import dig, moment, quote_at, ref
from ._scene import Scene, make

TLS = "kubernetes.io/tls"
ENDS = re.compile(
    r"not-?after$|expir(?:y|es|ation)(?:-?(?:date|time|at|on))?$|valid-?(?:until|to)$", re.IGNORECASE
)
SOON = timedelta(days=3)
NAMES = "cert-manager.io/alt-names"
"""Where cert-manager notes on a Secret the names of its certificate."""


def secret_signals(secret: Json, scene: Scene) -> Iterator[Signal]:
    """`certificate.expired` and `certificate.expiring` of a Secret that notes when its certificate ends."""
    if secret.get("type") != TLS:
        return
    for key, value in dig(secret, "metadata", "annotations", default={}).items():
        end = _moment(value) if ENDS.search(key) else None
        if end:
            yield from _told(ref(secret), end, [quote_at(secret, "metadata", "annotations", key)], "", scene)
            return


def notes_end(secret: Json) -> bool:
    """Whether a Secret notes when its certificate ends."""
    noted = dig(secret, "metadata", "annotations", default={})
    return any(ENDS.search(key) and _moment(value) for key, value in noted.items())


def certificate_signals(certificate: Json, scene: Scene) -> Iterator[Signal]:
    """The same of a cert-manager Certificate; the Secret that it keeps is what callers are shown."""
    end = _moment(dig(certificate, "status", "notAfter"))
    name = dig(certificate, "spec", "secretName", default="")
    if not end or not name or not isinstance(name, str):
        return
    conditions: list[Json] = dig(certificate, "status", "conditions", default=[])
    refused = [c for c in conditions if c.get("type") == "Ready" and c.get("status") == "False"]
    said = refused[0].get("message", "") if refused else ""
    address = Ref(kind="Secret", namespace=certificate["metadata"].get("namespace", ""), name=name)
    quotes = [quote_at(certificate, "status", "notAfter")]
    quotes += [quote_at(certificate, "status", "conditions")] if said else []
    yield from _told(address, end, quotes, said, scene)


def _moment(value: object) -> datetime | None:
    """The time that somebody wrote beside a certificate; None where it is in no form of the API."""
    try:
        return moment(str(value)) if value else None
    except ValueError:
        return None


def _told(secret: Ref, end: datetime, quotes: list[Quote], said: str, scene: Scene) -> Iterator[Signal]:
    over = end <= scene.now
    if not over and end - scene.now > SOON:
        return
    when = f"ran out {ago(end, scene.now)}" if over else f"ends at {end:%Y-%m-%d %H:%M} UTC"
    yield make(
        "certificate.expired" if over else "certificate.expiring",
        secret,
        secret,
        f"the certificate in Secret {secret.name} {when}" + (f"; {said}" if said else ""),
        quotes,
        severity="critical" if over else "warning",
        at=end if over else None,
        data={"kept_in": str(secret), "end": end.isoformat(), "message": said},
    )


def wrong_name(secret: Json, host: str) -> Signal | None:
    """`certificate.wrong_name` of a Secret whose certificate is for other names, by what it notes."""
    noted = dig(secret, "metadata", "annotations", NAMES, default="")
    names = [each.strip().lower() for each in noted.split(",") if each.strip()]
    if not names or any(covers(each, host) for each in names):
        return None
    return make(
        "certificate.wrong_name",
        secret,
        ref(secret),
        f"the certificate in Secret {secret['metadata']['name']} is for {', '.join(names)}, not for {host}",
        [quote_at(secret, "metadata", "annotations", NAMES)],
        data={"kept_in": str(ref(secret)), "host": host, "names": names},
    )


def covers(name: str, host: str) -> bool:
    """Whether a name with or without a wildcard for its first label is that host's."""
    host = host.lower().rstrip(".")
    if name.startswith("*."):
        return host.partition(".")[2] == name[2:]
    return name == host
