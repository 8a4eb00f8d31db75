"""Exec credential plug-ins of a kubeconfig (`aws eks get-token`, `gke-gcloud-auth-plugin` and the like).

Runs the program with a deadline and never leaves it behind; every way it can fail is one line. Choosing
when to log in again is `login`'s.
"""

import asyncio
import contextlib
import json
from collections.abc import Mapping
from typing import Any

from opssquad.errors import ToolError
from opssquad.settings import inherited
from opssquad.types import Json

DEADLINE = 30.0
PROTOCOL = "client.authentication.k8s.io/"


async def credential(plugin: Mapping[str, Any], cluster: Json, deadline: float = DEADLINE) -> Json:
    """The `status` of the ExecCredential: `token`, or `clientCertificateData` and `clientKeyData` (PEM).

    Raises ToolError that names the command and the plug-in's own words.
    """
    command = str(plugin.get("command") or "")
    version = str(plugin.get("apiVersion") or "")
    if not command or not version.startswith(PROTOCOL):
        raise ToolError("the exec plug-in lacks 'command' or an 'apiVersion' of client.authentication.k8s.io")
    if plugin.get("interactiveMode") == "Always":
        raise ToolError(
            f"login plug-in {command!r} wants a terminal; run `kubectl get ns` once, then ask again"
        )
    given, extra = plugin.get("args") or [], plugin.get("env") or []
    named = isinstance(extra, list) and all(isinstance(each, Mapping) and each.get("name") for each in extra)
    if not isinstance(given, list) or not named:
        raise ToolError(
            f"login plug-in {command!r}: its 'args' must be a list, its 'env' one of 'name' and 'value'"
        )
    argv = [command, *map(str, given)]
    code, out, err = await _run(argv, _environment(plugin, version, cluster), deadline, plugin)
    if code != 0:
        said = " ".join(err.split())[-300:] or "it said nothing"
        raise ToolError(f"login plug-in {command!r} failed with exit code {code}: {said}")
    return _status(out, command, version)


def _environment(plugin: Mapping[str, Any], version: str, cluster: Json) -> dict[str, str]:
    spec: Json = {"interactive": False}
    if plugin.get("provideClusterInfo"):
        keys = (
            "server",
            "tls-server-name",
            "insecure-skip-tls-verify",
            "certificate-authority-data",
            "proxy-url",
        )
        spec["cluster"] = {key: cluster[key] for key in keys if key in cluster}
    info = {"apiVersion": version, "kind": "ExecCredential", "spec": spec}
    extra = {str(item["name"]): str(item.get("value", "")) for item in plugin.get("env") or []}
    return {**inherited(), **extra, "KUBERNETES_EXEC_INFO": json.dumps(info)}


async def _run(
    argv: list[str], env: dict[str, str], deadline: float, plugin: Mapping[str, Any]
) -> tuple[int, str, str]:
    pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    try:
        process = await asyncio.create_subprocess_exec(*argv, env=env, stdin=null, stdout=pipe, stderr=pipe)
    except OSError as error:
        hint = " ".join(str(plugin.get("installHint") or "install it, or log in another way").split())
        raise ToolError(
            f"login plug-in {argv[0]!r} cannot be run ({error.strerror}); {hint[:300]}"
        ) from error
    try:
        async with asyncio.timeout(deadline):
            out, err = await process.communicate()
    except TimeoutError as error:
        raise ToolError(
            f"login plug-in {argv[0]!r} did not finish within {deadline:g} s; run it by hand"
        ) from error
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return process.returncode or 0, out.decode(errors="replace"), err.decode(errors="replace")


def _status(out: str, command: str, version: str) -> Json:
    try:
        reply = json.loads(out)
    except (ValueError, RecursionError) as error:
        raise ToolError(
            f"login plug-in {command!r} printed no JSON; run it by hand to see what it says"
        ) from error
    status = reply.get("status") if isinstance(reply, dict) else None
    if not isinstance(status, dict) or reply.get("apiVersion") != version:
        raise ToolError(f"login plug-in {command!r} printed no ExecCredential of {version} with a 'status'")
    if not status.get("token") and not (status.get("clientCertificateData") and status.get("clientKeyData")):
        raise ToolError(
            f"login plug-in {command!r} gave neither a token nor a client certificate with its key"
        )
    return status
