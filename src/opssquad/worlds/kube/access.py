"""Which cluster, as whom: kubeconfig files are merged as kubectl merges them, and one context is chosen.

Only reads files; logging in and talking to the server live in `login` and `http`. This module must stay
cheap to import: a command that only names its target goes no further.
"""

import base64
import difflib
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from opssquad import settings
from opssquad.errors import UsageError
from opssquad.types import Json, digest

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
FILES = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
MOST = 8
"""Names that a message lists."""
LISTS = {"clusters": "cluster", "contexts": "context", "users": "user"}
HELP = "pass --context, set KUBECONFIG, or use --recording DIR"


@dataclass(frozen=True)
class Access:
    """A cluster and a login. `name` is the context's, `origin` where it was read; paths are absolute.
    `account` is what the kubeconfig calls the user."""

    name: str
    namespace: str
    server: str
    origin: str
    cluster: Json = field(repr=False)
    user: Json = field(repr=False)
    account: str = ""

    def identity(self) -> str:
        """Address and authority of the server in a few characters; a file's authority by the file's name."""
        named = ("certificate-authority-data", "certificate-authority", "insecure-skip-tls-verify")
        trusted = digest({key: self.cluster.get(key) for key in named})
        return f"server={self.server} authority={trusted[:12]}"


def described(access: Access) -> Json:
    """Which server is meant and as whom, for the record: no secret in it. `authority` is the beginning of the
    sha256 of the certificates that the server is believed by; empty where none are named."""
    server = urlsplit(access.server)
    acting = str(access.user.get("as") or "")
    return {
        "context": access.name,
        "server": f"{server.scheme}://{server.netloc}{server.path}",
        "user": f"{access.account} as {acting}" if acting else access.account,
        "authority": hashlib.sha256(authority).hexdigest()[:16] if (authority := _authority(access)) else "",
    }


def _authority(access: Access) -> bytes:
    """The certificates of the cluster's authority; none where they cannot be read: logging in tells that."""
    inline, file = (str(access.cluster.get(f"certificate-authority{end}") or "") for end in ("-data", ""))
    try:
        return base64.b64decode(inline) if inline else Path(file).read_bytes() if file else b""
    except (OSError, ValueError):
        return b""


def meant(kubeconfig: Path | None = None, context: str = "", namespace: str = "") -> Access:
    """The cluster that is meant: of that kubeconfig, else of KUBECONFIG or the usual file, else of the pod we
    run in. Raises UsageError in one line."""
    found = settings.load()
    files = (kubeconfig,) if kubeconfig else found.kubeconfigs
    if not files and not context and found.in_cluster:
        return in_cluster(found.in_cluster, namespace)
    return choose(files, context, namespace)


def choose(files: Iterable[Path], context: str = "", namespace: str = "") -> Access:
    """The chosen context of the kubeconfig files. Raises UsageError in one line."""
    merged = _merge(list(files))
    name = context or merged.current
    if not name:
        raise UsageError(
            f"{merged.origin} has no current-context; pass --context, one of: {_names(merged.contexts)}"
        )
    if name not in merged.contexts:
        said = "no context" if context else "the current-context names no context"
        raise UsageError(f"{said} {name!r} in {merged.origin}; {_nearest(name, merged.contexts)}")
    chosen = merged.contexts[name]
    cluster = _part(merged, "clusters", chosen, name)
    user = _part(merged, "users", chosen, name) if chosen.get("user") else {}
    return Access(
        name=name,
        namespace=namespace or str(chosen.get("namespace") or ""),
        server=_server(cluster, name, merged.origin),
        origin=merged.origin,
        cluster=cluster,
        user=user,
        account=str(chosen.get("user") or ""),
    )


def in_cluster(address: str, namespace: str = "", folder: Path = SERVICE_ACCOUNT) -> Access:
    """The cluster of the pod we run in, by its service account. Raises UsageError."""
    token, authority, own = folder / "token", folder / "ca.crt", folder / "namespace"
    if missing := [str(p) for p in (token, authority) if not p.is_file()]:
        raise UsageError(
            f"running in a pod without a service account token ({missing[0]} is missing); {HELP}"
        )
    if not namespace and own.is_file():
        namespace = own.read_text(encoding="utf-8").strip()
    return Access(
        name="in-cluster",
        namespace=namespace,
        server=f"https://{address}",
        origin=str(folder),
        cluster={"server": f"https://{address}", "certificate-authority": str(authority)},
        user={"tokenFile": str(token)},
        account="service account of this pod",
    )


class NoKubeconfig(UsageError):
    """There is no kubeconfig where one is looked for."""


@dataclass
class _Merged:
    origin: str
    current: str = ""
    clusters: dict[str, Json] = field(default_factory=dict)
    contexts: dict[str, Json] = field(default_factory=dict)
    users: dict[str, Json] = field(default_factory=dict)


def _merge(files: list[Path]) -> _Merged:
    """First file wins for every name and for current-context, as in kubectl; missing files are skipped."""
    present = [path for path in files if path.exists()]
    if not present:
        looked = ", ".join(map(str, files)) or "~/.kube/config"
        raise NoKubeconfig(f"no kubeconfig found (looked at {looked}); {HELP}")
    merged = _Merged(origin=", ".join(map(str, present)))
    for path in present:
        document = _read(path)
        merged.current = merged.current or str(document.get("current-context") or "")
        for section, inner in LISTS.items():
            known = getattr(merged, section)
            for name, body in _entries(document, section, inner, path):
                known.setdefault(name, body)
    if not merged.contexts:
        raise UsageError(f"{merged.origin} holds no contexts; {HELP}")
    return merged


def _read(path: Path) -> Mapping[str, Any]:
    import yaml

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise UsageError(f"cannot read kubeconfig {path}: {reason}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "not YAML"
        raise UsageError(f"kubeconfig {path}{line}: not valid YAML: {problem}") from error
    if not isinstance(document, Mapping):
        raise UsageError(f"kubeconfig {path}: expected a mapping with clusters, contexts and users")
    return document


def _entries(document: Mapping[str, Any], section: str, inner: str, path: Path) -> Iterable[tuple[str, Json]]:
    listed = document.get(section) or []
    if not isinstance(listed, list):
        raise UsageError(f"kubeconfig {path}: {section!r} must be a list")
    for index, entry in enumerate(listed):
        name = entry.get("name") if isinstance(entry, Mapping) else None
        body = entry.get(inner) if isinstance(entry, Mapping) else None
        if not name or not isinstance(body or {}, Mapping):
            raise UsageError(f"kubeconfig {path}: {section}[{index}] needs 'name' and a mapping {inner!r}")
        yield str(name), _absolute(dict(body or {}), path.parent)


def _absolute(body: Json, folder: Path) -> Json:
    """Relative file names count from the kubeconfig that holds them."""
    for key in FILES:
        if body.get(key):
            body[key] = str((folder / Path(str(body[key])).expanduser()).absolute())
    plugin = body.get("exec")
    if isinstance(plugin, Mapping) and "/" in str(plugin.get("command", "")):
        body["exec"] = {**plugin, "command": str((folder / str(plugin["command"])).absolute())}
    return body


def _part(merged: _Merged, section: str, chosen: Json, context: str) -> Json:
    inner = LISTS[section]
    name, known = str(chosen.get(inner) or ""), getattr(merged, section)
    if name not in known:
        raise UsageError(f"context {context!r} in {merged.origin} names {inner} {name!r}, which is not there")
    found: Json = known[name]
    return found


def _server(cluster: Json, context: str, origin: str) -> str:
    server = str(cluster.get("server") or "")
    parts = urlsplit(server)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise UsageError(f"context {context!r} in {origin}: its cluster's server is {server!r}, not a URL")
    if "@" in parts.netloc:
        where = f"context {context!r} in {origin}"
        raise UsageError(f"{where}: its cluster's server holds a login; put that into the user's entry")
    return server.rstrip("/")


def _nearest(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    near += [n for n in names if name.lower() in n.lower() and n not in near][:3]
    return f"nearest: {', '.join(near)}" if near else f"there are: {_names(names)}"


def _names(known: Iterable[str]) -> str:
    names = sorted(known)
    return ", ".join(names[:MOST]) + (f" and {len(names) - MOST} more" if len(names) > MOST else "")
