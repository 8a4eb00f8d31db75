"""The hop of the certificate: whether the Secret that is shown to callers is in time and bears the name."""

from collections.abc import Iterable, Sequence

from opssquad import Json, Ref, Signal

from .._kube import dig, ref
from ..signals._scene import Scene
from ..signals.certificates import TLS, certificate_signals, notes_end, secret_signals, wrong_name
from ._hops import Hop, first_of

TLS_PORTS = frozenset({443, 8443})


def is_tls(port: Json, scheme: str) -> bool:
    """Whether a port of a Service is spoken to by TLS, as far as its number, name or protocol tell."""
    said = f"{port.get('name') or ''} {port.get('appProtocol') or ''}".lower()
    if scheme in {"http", "https"}:
        return scheme == "https"
    return port.get("port") in TLS_PORTS or "https" in said or "tls" in said


def mounted(pods: Sequence[Json], scene: Scene) -> list[Json]:
    """The TLS Secrets that pods mount."""
    found: dict[Ref, Json] = {}
    for pod in pods[:1]:
        space = pod["metadata"].get("namespace", "")
        for volume in dig(pod, "spec", "volumes", default=()):
            parts = [volume, *dig(volume, "projected", "sources", default=())]
            for name in (dig(p, "secret", "secretName") or dig(p, "secret", "name") for p in parts):
                secret = scene.get(Ref(kind="Secret", namespace=space, name=name)) if name else None
                if secret and secret.get("type") == TLS:
                    found[ref(secret)] = secret
    return list(found.values())


def certificate_hop(secrets: Iterable[Json], host: str, scene: Scene) -> Hop | None:
    """Whether the certificates in these Secrets run out, or bear another name; None where there are none."""
    said: list[str] = []
    silent: list[str] = []
    signals: list[Signal] = []
    for secret in secrets:
        mine = [*secret_signals(secret, scene), *_of_issuer(secret, scene)]
        if over := first_of(mine, "certificate.expired"):
            return Hop("certificate", "broken", over.text, ref(secret), (over,))
        if host and (wrong := wrong_name(secret, host)):
            return Hop("certificate", "broken", wrong.text, ref(secret), (wrong,))
        if not mine and not notes_end(secret) and not _issuers(secret, scene):
            silent.append(secret["metadata"]["name"])
            continue
        signals += mine
        said.append(
            mine[0].text if mine else f"nothing that is noted on Secret {secret['metadata']['name']} is wrong"
        )
    if silent:
        said.append(
            f"when the certificate in Secret {', '.join(silent)} ends is not noted: a handshake tells"
        )
        return Hop("certificate", "not checked", "; ".join(said), None, tuple(signals))
    return Hop("certificate", "ok", "; ".join(said), None, tuple(signals)) if said else None


def _of_issuer(secret: Json, scene: Scene) -> list[Signal]:
    return [signal for each in _issuers(secret, scene) for signal in certificate_signals(each, scene)]


def _issuers(secret: Json, scene: Scene) -> list[Json]:
    """The Certificates of cert-manager that are kept in it."""
    space, name = secret["metadata"].get("namespace", ""), secret["metadata"]["name"]
    return [c for c in scene.within("Certificate", space) if dig(c, "spec", "secretName") == name]
