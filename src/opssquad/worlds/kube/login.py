"""From an `Access` to a logged-in client of the official library: tokens, certificates, plug-ins, TLS, proxy.

The library is used for configuration, authentication and TLS only. Importing it costs a third of a second, so
it happens here, on first use, in a thread. Requests and their errors are `http`'s.
"""

import asyncio
import base64
import binascii
import ssl
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from opssquad.errors import ToolError
from opssquad.times import parse_time
from opssquad.types import Json
from opssquad.worlds.kube.access import Access
from opssquad.worlds.kube.plugin import credential

if TYPE_CHECKING:
    from aiohttp import ClientHandlerType, ClientMiddlewareType, ClientRequest, ClientResponse
    from kubernetes.aio.client import ApiClient

DATA = {
    "certificate-authority-data": "certificate-authority",
    "client-certificate-data": "client-certificate",
    "client-key-data": "client-key",
}
REDIRECTS = frozenset({301, 302, 303, 307, 308})
SKEW = timedelta(minutes=1)


class Login:
    """A client and until when its credential holds; `expires` is None where nobody said."""

    def __init__(self, client: "ApiClient", expires: datetime | None) -> None:
        self.client = client
        self.expires = expires

    def fresh(self, now: datetime) -> bool:
        """Whether the credential holds for another minute."""
        return self.expires is None or now + SKEW < self.expires


async def login(access: Access) -> Login:
    """Log in. Raises ToolError in one line: plug-in failed, certificate unreadable, file missing."""
    user, expires = await credentials(access)
    try:
        with tempfile.TemporaryDirectory(prefix="opssquad-") as folder:
            files = Path(folder)
            cluster, user = _in_files(access.cluster, files), _in_files(user, files)
            _check(access, cluster, user)
            client = await _client(access, cluster, user)
    except (ssl.SSLError, OSError, binascii.Error) as error:
        what = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        raise ToolError(
            f"context {access.name!r} ({access.origin}): its certificate or key is unusable: {what}"
        ) from error
    return Login(client, expires)


async def credentials(access: Access) -> tuple[Json, datetime | None]:
    """The user section with a plug-in's answer in place of the plug-in."""
    plugin = access.user.get("exec")
    if not plugin:
        return dict(access.user), None
    if not isinstance(plugin, Mapping):
        raise ToolError(f"context {access.name!r} ({access.origin}): its user's 'exec' must be a mapping")
    status = await credential(plugin, access.cluster)
    user: Json = {"token": status["token"]} if status.get("token") else {}
    for key, name in (
        ("clientCertificateData", "client-certificate-data"),
        ("clientKeyData", "client-key-data"),
    ):
        if status.get(key):
            user[name] = base64.b64encode(str(status[key]).encode()).decode()
    return user, _until(status.get("expirationTimestamp"))


def _until(said: object) -> datetime | None:
    """When a credential ends; None where that is not said in a way that can be read: then a 401 tells."""
    try:
        return parse_time(str(said)).astimezone(UTC) if said else None
    except (ValueError, OverflowError):
        return None


def _in_files(section: Json, folder: Path) -> Json:
    """Inline data as files: the TLS library reads keys from files only; the folder is gone after login."""
    body = dict(section)
    for key, name in DATA.items():
        if data := body.pop(key, None):
            path = folder / name
            path.touch(mode=0o600)
            path.write_bytes(base64.b64decode(str(data), validate=True))
            body[name] = str(path)
    return body


def _check(access: Access, cluster: Json, user: Json) -> None:
    """What the library would trip over or hang on, said in a line."""
    for section, keys in (
        (cluster, ("certificate-authority",)),
        (user, ("client-certificate", "client-key", "tokenFile")),
    ):
        for key in keys:
            if section.get(key) and not Path(section[key]).is_file():
                raise ToolError(
                    f"context {access.name!r} ({access.origin}): {key} {section[key]} does not exist"
                )
    if user.get("client-certificate") and not user.get("client-key"):
        raise ToolError(
            f"context {access.name!r} ({access.origin}): its user has a client-certificate without client-key"
        )
    if user.get("client-key") and b"ENCRYPTED" in Path(user["client-key"]).read_bytes():
        raise ToolError(
            f"context {access.name!r} ({access.origin}): its client-key has a passphrase; use one without"
        )


async def _client(access: Access, cluster: Json, user: Json) -> "ApiClient":
    await asyncio.to_thread(_library)
    from kubernetes.aio.client import ApiClient, Configuration
    from kubernetes.aio.config import ConfigException, load_kube_config_from_dict

    configuration = Configuration()
    # The retries of the library would repeat writes; ours cover reads only.
    configuration.retries = None
    configuration.client_session_kwargs = {"middlewares": (_staying(access),)}
    if _is_loopback(access.server):
        configuration.client_session_kwargs["trust_env"] = False
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "chosen",
        "clusters": [{"name": "chosen", "cluster": cluster}],
        "users": [{"name": "chosen", "user": user}],
        "contexts": [{"name": "chosen", "context": {"cluster": "chosen", "user": "chosen"}}],
    }
    try:
        await load_kube_config_from_dict(document, client_configuration=configuration)
    except (ConfigException, ValueError) as error:
        raise ToolError(
            f"context {access.name!r} ({access.origin}): {' '.join(str(error).split())}"
        ) from error
    client = ApiClient(configuration)
    client.user_agent = "opssquad"
    return client


def _staying(access: Access) -> "ClientMiddlewareType":
    """Follow no redirect: an answer from another host would be read as this cluster's."""

    async def stay(request: "ClientRequest", handler: "ClientHandlerType") -> "ClientResponse":
        response = await handler(request)
        if response.status in REDIRECTS:
            response.release()
            where = response.headers.get("Location", "nowhere")[:200]
            raise ToolError(
                f"context {access.name!r} ({access.server}): the server sends requests on to {where}; "
                "that is not followed, put the address that is meant into the kubeconfig"
            )
        return response

    return stay


def _library() -> None:
    import kubernetes.aio.config  # noqa: F401  (loads the client too)


def _is_loopback(server: str) -> bool:
    """Proxies of the environment never stand before this machine itself."""
    host = urlsplit(server).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
