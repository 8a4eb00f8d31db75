"""Opens the conversation that the command line asked for. The investigation, and with it the graph, is
imported here and only when a conversation begins.
"""

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pydantic import SecretStr

from opssquad import content
from opssquad.cli.session import Approve, Wanted
from opssquad.errors import UsageError
from opssquad.settings import Settings
from opssquad.types import Mode, Restraint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opssquad.investigation import Investigation, Options
    from opssquad.squad.runbooks.walker import Run


def options(
    settings: Settings, wanted: Wanted, *, mode: Mode, approve: Approve = "ask", run: "Run | None" = None
) -> "Options":
    """What the investigation is asked to be; `run` is the runbook that it begins with. Raises
    UsageError for what cannot be meant."""
    from opssquad.investigation import Options

    live = {"--context": wanted.context, "--kubeconfig": wanted.kubeconfig, "--dsn": wanted.dsn}
    if wanted.recording and (other := next((name for name, given in live.items() if given), "")):
        raise UsageError(f"--recording and {other} exclude each other; give one")
    return Options(
        state=settings.state,
        by=settings.by,
        squad=squad_of(wanted),
        recording=content.recording(wanted.recording) if wanted.recording else None,
        kubeconfig=wanted.kubeconfig,
        context=wanted.context,
        namespace=wanted.namespace,
        dsn=_dsn(settings, wanted),
        model=wanted.model or settings.model,
        mode=mode,
        approve=approve,
        approval_minutes=settings.approval_minutes,
        redaction=settings.redaction,
        policy=settings.policy,
        policy_place=settings.policy_place,
        faults=settings.faults,
        runbooks=settings.runbooks,
        run=run,
        restraint=_restraint(settings, wanted),
    )


def squad_of(wanted: Wanted) -> str:
    """The squad that is meant: the one named, else the recording's, else that of a database named alone.
    Raises UsageError."""
    if wanted.squad:
        return wanted.squad
    if wanted.recording:
        from opssquad.worlds.kube.recording.load import load_incident

        return load_incident(content.recording(wanted.recording)).squad
    alone = wanted.dsn and not (wanted.context or wanted.kubeconfig or wanted.namespace)
    return "database" if alone else "k8s"


def _dsn(settings: Settings, wanted: Wanted) -> SecretStr | None:
    """The database that is named, else the environment's; a recording has its own."""
    given = SecretStr(wanted.dsn) if wanted.dsn else settings.dsn
    return given if given.get_secret_value() and not wanted.recording else None


def _restraint(settings: Settings, wanted: Wanted) -> Restraint:
    """What the thread may do at most: of what the environment and the command line say the strictest."""
    if settings.read_only or wanted.read_only:
        return "read"
    return "suggest" if wanted.suggest_only else "none"


async def open_session(
    settings: Settings,
    wanted: Wanted,
    *,
    mode: Mode,
    approve: Approve = "ask",
    run: "Run | None" = None,
) -> "Investigation":
    """The conversation, new or resumed; close it by leaving its context. Raises OpsError."""
    with _uncollected():
        from opssquad.investigation import Investigation

        asked = options(settings, wanted, mode=mode, approve=approve, run=run)
        return await Investigation.open(asked, wanted.resume)


@contextmanager
def _uncollected() -> "Iterator[None]":
    """Hold the garbage collector while what stays for good is loaded: it would look through the classes of
    the graph and the clients again and again, a fifth of the start, and find none to free."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
