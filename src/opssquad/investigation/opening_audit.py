"""What the audit log holds of the opening of a run: settings, squad and policy where they are not what they
were, and each cluster and model endpoint that is connected to.

A line about a connection is on record before anything is asked of the other side; without it nothing is.
"""

import hashlib
import inspect
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from opssquad import __version__
from opssquad.errors import ModelError, ToolError, UsageError
from opssquad.extensions.library import stands_at
from opssquad.gate.policy import Policy
from opssquad.gate.redact import Redactor
from opssquad.investigation.options import Options
from opssquad.investigation.systems import Connection, Systems
from opssquad.models.base import Listener, Model, Reply, Request
from opssquad.squad.context import Context
from opssquad.squad.knowledge import own_file
from opssquad.squad.known import squad
from opssquad.squad.spec import SquadSpec
from opssquad.store.base import AuditDraft, AuditKind
from opssquad.store.sqlite import Store
from opssquad.times import wall_clock
from opssquad.toolbox import TEST, Toolbox
from opssquad.types import Json, Target, digest

SHOWN = 16
"""Hexadecimal digits of a file's sha256 that stand on a line; the line's own digest covers all of them."""


@dataclass
class Opening:
    """Writes the lines of one run's opening, and of what changes while it is open."""

    store: Store
    options: Options
    thread: str
    redact: Redactor = field(default_factory=Redactor)
    _judged_by: Policy | None = None

    async def policy(self, now: Policy) -> None:
        """Put on record that this policy is in force, if another was. Raises StoreError."""
        if now is self._judged_by:
            return
        layers: Json = {layer.origin: digest([file for _, file in layer.files]) for layer in now.layers}
        problem = {"problem": self.redact.clean(now.problem)} if now.problem else {}
        await self._changed("policy", "policy", {"policy": now.fingerprint, **layers, **problem})
        self._judged_by = now

    async def record(self, ctx: Context, policy: Policy, systems: Systems) -> None:
        """Put on record what the run stands on, then that it connects to its systems; live ones are then
        asked for their clocks. Raises UsageError if one does not answer, StoreError if there is no record."""
        self.redact = ctx.redact
        endpoint = ctx.model.endpoint if isinstance(ctx.model, Watched) else ""
        await self._changed("configuration", "settings", settings_of(self.options, endpoint))
        await self.squads(ctx)
        await self.policy(policy)
        for each in systems.connections():
            await self._connect(each, ctx.target)

    async def squads(self, ctx: Context) -> None:
        """Put on record what the squads are, where they are not what they were. Raises StoreError."""
        for name, member in ctx.members.items():
            squad = squad_of(member.spec, ctx.toolbox, self.options.faults)
            await self._changed("configuration", f"squad {name}", squad)

    async def _connect(self, to: Connection, target: Target) -> None:
        reached = {**to.login, "recording": str(self.options.recording or "")}
        if self.options.restraint != "none":
            reached["restraint"] = self.options.restraint
        await self._connection(to.what, "opened", reached, target=target)
        if self.options.recording:
            return
        try:
            # The first answer carries the world's clock, without which nothing can be dated.
            await to.ask()
        except ToolError as error:
            await self._connection(to.what, "error", reached, target=target, why=str(error))
            raise UsageError(str(error)) from error

    def watched(self, model: Model) -> Model:
        """The model; one behind an endpoint is not asked before it is on record that it will be."""
        endpoint = str(getattr(model, "endpoint", ""))
        return Watched(model, endpoint, self) if endpoint else model

    async def endpoint(self, model: str, endpoint: str, status: str, why: str = "") -> None:
        """Put on record that a model endpoint is connected to, or why that failed."""
        await self._connection("model", status, {"endpoint": endpoint, "model": model}, why=why, model=model)

    async def _connection(
        self,
        what: str,
        status: str,
        args: Json,
        *,
        target: Target | None = None,
        why: str = "",
        model: str = "",
    ) -> None:
        draft = self._draft("connection", what, args, status)
        update = {"target": target or draft.target, "why": self.redact.clean(why), "model": model}
        await self.store.audit(draft.model_copy(update=update))

    async def _changed(self, kind: AuditKind, what: str, args: Json) -> None:
        shown = {name: _short(value) for name, value in args.items()}
        draft = self._draft(kind, what, shown, "")
        await self.store.audit_change(draft.model_copy(update={"output_sha256": digest(args)}))

    def _draft(self, kind: AuditKind, what: str, args: Json, status: str) -> AuditDraft:
        return AuditDraft(
            kind=kind,
            ts=wall_clock(),
            thread=self.thread,
            incident=self.thread,
            requested_by=self.options.by,
            agent=self.options.squad,
            target=Target(cluster=""),
            tool=what,
            args=args,
            status=status,
        )


class Watched:
    """A model behind an endpoint: the first request, and each one that fails, is on record."""

    def __init__(self, model: Model, endpoint: str, opening: Opening) -> None:
        self.name, self.endpoint, self.says = model.name, endpoint, str(getattr(model, "says", ""))
        self._model, self._opening, self._opened = model, opening, False

    async def reply(self, request: Request, listener: Listener) -> Reply:
        """Answer a request. Raises ModelError, and StoreError where there is no record."""
        if not self._opened:
            await self._opening.endpoint(self.name, self.endpoint, "opened")
            self._opened = True
        try:
            return await self._model.reply(request, listener)
        except ModelError as error:
            await self._opening.endpoint(self.name, self.endpoint, "error", str(error))
            raise


def settings_of(options: Options, endpoint: str) -> Json:
    """The settings that change what a run does or where it is kept."""
    own = options.redaction
    return {
        "opssquad": __version__,
        "model": options.model,
        "runbook": str(options.run or ""),
        "endpoint": endpoint,
        "state": str(options.state),
        "approval_minutes": options.approval_minutes,
        "policy": str(options.policy or ""),
        "redaction": str(own or ""),
        "redaction.yaml": _sha256(own) if own else "",
    }


def squad_of(spec: SquadSpec, toolbox: Toolbox, faults: Path | None) -> Json:
    """A squad as it works: its files, the organisation's faults for it, its words, its limits, its tools and
    their code."""
    standing = squad(spec.name)
    folders = [layer.folder for layer in standing.layers]
    own = own_file(spec.name, faults)
    stands = {"stands on": [str(folder) for folder in folders], "own files": _files(standing.own_files)}
    return {
        **(stands if standing.own_files else {}),
        "squad.yaml": _files([folder / "squad.yaml" for folder in folders]),
        "faults.yaml": _files([folder / "faults.yaml" for folder in folders]),
        "own faults": str(own or ""),
        "own faults.yaml": _sha256(own) if own else "",
        "prompt": digest(standing.prompt()),
        "limits": spec.limits.model_dump(mode="json"),
        "tools": list(spec.tools),
        "code of tools": _code(toolbox, spec.tools),
    }


def _code(toolbox: Toolbox, names: Iterable[str]) -> str:
    """The sha256 over every module beside those of the tools, so that a helper counts too, and over the files
    that declare tools or servers, with what was approved of them."""
    # What a test defines lies beside anything.
    tools = [tool for tool in map(toolbox.get, names) if tool.source != TEST]
    homes = {Path(inspect.getfile(tool.act.function)).parent for tool in tools}
    owned = {stands_at(tool)[0].parent for tool in tools if tool.source != "bundled"}
    code = (path for home in homes for path in home.rglob("*.py"))
    files = sorted({*code, *(path for home in owned for path in home.glob("*.yaml"))})
    return digest([[path.name, _sha256(path)] for path in files])


def _files(paths: Sequence[Path]) -> str:
    """The sha256 of the files that are there: of one alone its own, of several that over all of them."""
    each = [[str(path), _sha256(path)] for path in paths if path.is_file()]
    return each[0][1] if len(each) == 1 else digest(each)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _short(value: object) -> object:
    """A digest by its beginning; anything else as it is."""
    return value[:SHOWN] if isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) else value
