"""The checks of `doctor`: Python, kubectl, kubeconfig, cluster, model, state folder, recordings. Each says
what it saw and what to do; none changes anything but the state folder, which it makes.
"""

import asyncio
import platform
import shutil
import sys
import tempfile
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from opssquad import content
from opssquad.errors import OpsError, StoreError
from opssquad.gate.own import load_own
from opssquad.settings import OFFLINE, Settings
from opssquad.squad.knowledge import known_faults
from opssquad.squad.known import squads
from opssquad.store.finding import Finding
from opssquad.store.folder import prepare_folder
from opssquad.worlds.kube.access import choose

PATIENCE = 5.0
"""Seconds that a check may wait."""


async def checkup(settings: Settings, kubeconfig: Path | None, context: str) -> list[Finding]:
    """Every check in order; none raises."""
    return [
        _python(),
        _state(settings),
        _recordings(),
        _redaction(settings),
        _faults(settings),
        _kubectl(),
        *await _cluster(settings, kubeconfig, context),
        await _model(settings),
    ]


def _python() -> Finding:
    return Finding("ok", "python", f"{platform.python_version()} at {sys.executable}")


def _state(settings: Settings) -> Finding:
    try:
        prepare_folder(settings.state)
        with tempfile.TemporaryFile(dir=settings.state):
            return Finding("ok", "state", f"{settings.state} can be written")
    except (OSError, StoreError) as error:
        return Finding("fail", "state", f"{error}; set OPSSQUAD_STATE to a folder that you can write")


def _recordings() -> Finding:
    found = sorted(content.recordings())
    if not found:
        return Finding("warn", "recordings", "none; the demo cannot play: reinstall opssquad")
    return Finding("ok", "recordings", f"{len(found)}: {', '.join(found)}")


def _redaction(settings: Settings) -> Finding:
    try:
        own = load_own(settings.redaction)
    except OpsError as error:
        return Finding("fail", "redaction", str(error))
    if settings.redaction is None:
        return Finding("ok", "redaction", "our own rules; yours go into OPSSQUAD_REDACTION")
    rules = f"{settings.redaction}: {len(own.patterns)} patterns, {len(own.names.secret)} names of your own"
    if not own.mask.says:
        return Finding("ok", "redaction", f"{rules}; nothing is masked")
    host = (_endpoint(settings).hostname or "") if settings.model != OFFLINE else ""
    outside = f" (as {host} is)" if host and own.mask.hides_from(host) else ""
    return Finding("ok", "redaction", f"{rules}; masked outside the house: {own.mask.says}{outside}")


def _faults(settings: Settings) -> Finding:
    try:
        known = [known_faults(name, settings.faults) for name in squads()]
    except OpsError as error:
        return Finding("fail", "faults", str(error))
    if not (own := [each for each in known if each.own_file]):
        return Finding("ok", "faults", "those of the squads; yours go into OPSSQUAD_FAULTS")
    of_own = sum(entry.origin == "organisation" for each in own for entry in each.entries)
    off = sum(bool(entry.off) for each in own for entry in each.entries)
    files = ", ".join(str(each.own_file) for each in own)
    return Finding("ok", "faults", f"{files}: {of_own} of your own, {off} switched off")


def _kubectl() -> Finding:
    path = shutil.which("kubectl")
    if path:
        return Finding("ok", "kubectl", path)
    return Finding(
        "warn", "kubectl", "not found; opssquad does not need it, but you will want to check by hand"
    )


async def _cluster(settings: Settings, kubeconfig: Path | None, context: str) -> list[Finding]:
    files = (kubeconfig,) if kubeconfig else settings.kubeconfigs
    if not files and settings.in_cluster and not context:
        named = Finding("ok", "kubeconfig", "none; the service account of this pod is used")
    else:
        try:
            access = choose(files, context)
        except OpsError as error:
            return [Finding("warn", "kubeconfig", f"{error} (recordings work without)")]
        named = Finding("ok", "kubeconfig", f"context {access.name} of {access.origin}")
    return [named, await _reached(kubeconfig, context)]


async def _reached(kubeconfig: Path | None, context: str) -> Finding:
    from opssquad.worlds.kube.cluster import Cluster

    try:
        cluster = await Cluster.connect(kubeconfig, context)
        try:
            async with asyncio.timeout(PATIENCE):
                version = await cluster.version()
        finally:
            await cluster.close()
    except OpsError as error:
        return Finding("warn", "cluster", str(error))
    except TimeoutError:
        return Finding("warn", "cluster", f"{cluster.server} did not answer within {PATIENCE:g} s; is it up?")
    return Finding("ok", "cluster", f"{cluster.name} at {cluster.server}, Kubernetes {version}")


def _endpoint(settings: Settings) -> SplitResult:
    """Where a model that is not offline is asked."""
    # Here, since its library takes its time and an offline model needs none of it.
    from opssquad.models.chat import OPENAI

    return urlsplit(settings.base_url or OPENAI)


async def _model(settings: Settings) -> Finding:
    if settings.model == OFFLINE:
        hint = "no endpoint needed; for another set OPSSQUAD_MODEL, OPENAI_API_KEY and, if not OpenAI's, "
        return Finding("ok", "model", f"offline: {hint}OPENAI_BASE_URL")
    if not settings.api_key.get_secret_value() and not settings.base_url:
        return Finding("warn", "model", f"{settings.model}, but no OPENAI_API_KEY; runs will go on offline")
    url = _endpoint(settings)
    # A login may be written into the address.
    place = url.netloc.rpartition("@")[2]
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        async with asyncio.timeout(PATIENCE):
            _, writer = await asyncio.open_connection(url.hostname, port)
    except (OSError, TimeoutError) as error:
        why = str(error) or "no answer"
        text = f"{settings.model} at {place} cannot be reached ({why}); runs will go on offline"
        return Finding("warn", "model", text)
    writer.close()
    return Finding("ok", "model", f"{settings.model} at {place} accepts connections")
