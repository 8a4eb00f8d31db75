"""Puts a run together: the thread's record, its world, its tools, its models. Nothing is asked yet."""

import secrets
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from opssquad import content
from opssquad.diagnosis.differential import leads, rank
from opssquad.errors import UsageError
from opssquad.events import Event
from opssquad.executor import Executor
from opssquad.extensions import library
from opssquad.gate.grant import Signer
from opssquad.gate.in_force import InForce
from opssquad.gate.injection import Lookout
from opssquad.gate.own import load_own
from opssquad.gate.redact import Redactor
from opssquad.gate.restraint import stricter
from opssquad.gate.visible import visible
from opssquad.investigation.accounting import differential
from opssquad.investigation.auditing import Auditor
from opssquad.investigation.in_force import held
from opssquad.investigation.opening_audit import Opening
from opssquad.investigation.options import Options
from opssquad.investigation.remembering import history_of
from opssquad.investigation.speaking import fallback
from opssquad.investigation.systems import Systems, without_secrets
from opssquad.models.base import Case, Model
from opssquad.squad.context import Context, Rank
from opssquad.squad.crew import Crew, Member, crew_of
from opssquad.squad.known import broken, squad
from opssquad.squad.offering import Offering
from opssquad.squad.runbooks.known import for_faults
from opssquad.squad.runbooks.walker import PREFIX as RUN
from opssquad.squad.runbooks.walker import Run
from opssquad.squad.spec import SquadSpec
from opssquad.squad.thinking import offerable, tool_specs
from opssquad.store.base import ThreadRecord
from opssquad.times import Clock, rfc3339, wall_clock
from opssquad.toolbox import Clock as ClockHandle
from opssquad.toolbox import Handles, History, Progress, Record, Tool, Toolbox
from opssquad.types import Effect, Restraint, ToolCall, Verdict

ALPHABET = "abcdefghjkmnpqrstvwxyz23456789"


def thread_id() -> str:
    """Short enough to type on a bad night."""
    return "".join(secrets.choice(ALPHABET) for _ in range(6))


def options_of(record: ThreadRecord, options: Options) -> Options:
    """What a resumed thread runs against: its own world and squad, whatever was given this time."""
    return replace(
        options,
        squad=record.squad,
        recording=Path(record.recording) if record.recording else None,
        kubeconfig=Path(record.kubeconfig) if record.kubeconfig else None,
        context=record.context,
        namespace=record.namespace,
        dsn=_dsn_of(record, options),
        mode=record.mode,
        run=Run.parse(record.model) if record.model.startswith(RUN) else None,
        restraint=stricter(record.restraint, options.restraint),
    )


def _dsn_of(record: ThreadRecord, options: Options) -> SecretStr | None:
    """The thread's own database: with the login that is given this time, if it is one to that database."""
    if not record.dsn:
        return None
    given = options.dsn.get_secret_value() if options.dsn else ""
    return options.dsn if given and without_secrets(given) == record.dsn else SecretStr(record.dsn)


def record_of(options: Options, ctx: Context, thread: str, now: datetime) -> ThreadRecord:
    """A new thread as it can be taken up again."""
    return ThreadRecord(
        id=thread,
        squad=options.squad,
        model=str(options.run or options.model),
        recording=str(options.recording or ""),
        kubeconfig=str(options.kubeconfig or ""),
        context=options.context,
        namespace=options.namespace,
        dsn=without_secrets(options.dsn.get_secret_value()) if options.dsn else "",
        cluster=ctx.target.cluster,
        mode=options.mode,
        restraint=options.restraint,
        by=options.by,
        started_at=now,
        world_started_at=ctx.clock(),
    )


def check(options: Options) -> None:
    """Refuse what cannot be meant. Raises UsageError."""
    if options.approve == "all" and options.recording is None:
        raise UsageError(
            "--approve all is for recordings only; a live system needs a human: use --approve ask"
        )
    if options.recording and (options.context or options.dsn):
        other = "--context" if options.context else "--dsn"
        raise UsageError(f"--recording and {other} exclude each other; give one")


@dataclass
class Voices:
    """What the run has to say while it works; set by the conversation that listens."""

    progress: Callable[[str], None]
    timeline: Callable[[], Awaitable[str]]


@dataclass(frozen=True)
class Equipment:
    """The squads of a run with their tools, as their files are now."""

    crew: Crew
    members: dict[str, Member]
    toolbox: Toolbox


def equipment(options: Options, systems: Systems) -> Equipment:
    """Read them. Raises UsageError."""
    crew, given = crew_of(options.squad, options.faults, systems.has), options.beside.tools
    if given:
        own = crew.specs[options.squad]
        tools = tuple(dict.fromkeys((*own.tools, *(tool.name for tool in given))))
        crew = replace(crew, specs={**crew.specs, own.name: own.model_copy(update={"tools": tools})})
    members = {name: _member(spec, systems, options, crew) for name, spec in crew.specs.items()}
    names = dict.fromkeys(tool for spec in crew.specs.values() for tool in spec.tools)
    return Equipment(crew, members, Toolbox(_tools(names, options)))


def _tools(names: Iterable[str], options: Options) -> list[Tool]:
    """The tools of those names; what is given besides goes before what is found."""
    wanted, given = tuple(names), {tool.name: tool for tool in options.beside.tools}
    found = {tool.name: tool for tool in library.tools(name for name in wanted if name not in given)}
    return [{**found, **given}[name] for name in wanted]


async def reload(ctx: Context, opening: Opening, policy: InForce, systems: Systems) -> tuple[str, ...]:
    """Have a run go on with squads and tools as their files are now; what is new, gone, changed or left out,
    a line each. Raises UsageError, and nothing has changed then; StoreError."""
    fresh = equipment(opening.options, systems)
    policy.become(held(opening.options, [*fresh.crew.specs][1:], policy.files))
    changes = ctx.toolbox.become(fresh.toolbox)
    ctx.members, ctx.crew, ctx.rank = fresh.members, fresh.crew, _ranking(fresh.crew)
    ctx.judge = partial(_judge, policy, opening, systems.now, fresh.crew)
    await opening.squads(ctx)
    return (*changes, *left_out(ctx))


def left_out(ctx: Context) -> list[str]:
    """What is left out of tools and squads, and why, a line each."""
    return [f"left out: {ctx.redact.clean(str(each))}" for each in broken()]


def make_context(
    opening: Opening,
    policy: InForce,
    systems: Systems,
    beside: Handles,
    voices: Voices,
    model: Model,
    past: Sequence[Event],
) -> Context:
    """Everything the graph's nodes may use; `beside` are handles of no system, `past` is on record."""
    options, store = opening.options, opening.store
    equipped = equipment(options, systems)
    crew, toolbox = equipped.crew, equipped.toolbox
    own = crew.specs[options.squad]
    redact = Redactor.open(store.folder, load_own(options.redaction))
    kept = {**beside, **_kept(opening, systems, voices, crew), **options.beside.handles}
    handles = _handles(systems, voices, kept, options.restraint)
    lookout, signer = Lookout(redact), Signer.open(store.folder)
    prompt = squad(own.name).prompt()
    auditor = Auditor(toolbox, redact, by=options.by, squad=options.squad, prompt=prompt, past=past)
    run = partial(Executor, admit=signer.admit, redact=redact, lookout=lookout)
    return Context(
        thread=opening.thread,
        squad=own,
        members=equipped.members,
        ledger_page=content.prompt("ledger"),
        model=model,
        fallback=fallback(model, options),
        toolbox=toolbox,
        handles=handles,
        target=systems.target,
        by=options.by,
        judge=partial(_judge, policy, opening, systems.now, crew),
        roles=lambda name: policy.now().roles(name),
        rank=_ranking(crew),
        runbooks=partial(_runbooks, tuple(crew.specs), options.runbooks),
        sign=signer.grant,
        executor=run(toolbox, handles, parallel=own.limits.parallel),
        records=store,
        redact=redact,
        lookout=lookout,
        audit=auditor,
        publish=lambda event: None,
        clock=systems.now,
        wall=wall_clock,
        approval_minutes=options.approval_minutes,
        identity=systems.identity,
        restraint=options.restraint,
        crew=crew,
    )


def _member(spec: SquadSpec, systems: Systems, options: Options, crew: Crew) -> Member:
    # What no call could be made with only costs a model tokens.
    served = [tool for tool in _tools(spec.tools, options) if systems.serve(tool)]
    prompt, toolbox = squad(spec.name).prompt(), Toolbox(served)
    specs = tool_specs(toolbox, spec, options.restraint)
    offering = Offering(offerable(toolbox, options.restraint), crew.catalogue([spec.name]))
    return Member(spec, lambda: _system(prompt, systems), specs, offering)


async def _judge(
    policy: InForce, opening: Opening, clock: Clock, crew: Crew, call: ToolCall, effect: Effect | None
) -> Verdict:
    """Policy's word, as its files are now; a change of them is on record before anything is judged by it."""
    now = policy.now()
    await opening.policy(now)
    return now.judge(call, effect, clock(), crew.owner(call.tool, now.squad))


def _kept(opening: Opening, systems: Systems, voices: Voices, crew: Crew) -> Handles:
    """The handles over what is on record: of this thread, and of earlier looks at its systems."""
    return {
        Record: Record(voices.timeline, partial(differential, opening.store, opening.thread, crew)),
        History: history_of(opening.store, opening.options, opening.thread, systems.cluster),
    }


def _handles(systems: Systems, voices: Voices, kept: Handles, restraint: Restraint) -> Handles:
    """What tools get by the types of their parameters; `kept` are those that hang on no system."""
    handles: Handles = {
        **systems.handles(),
        ClockHandle: ClockHandle(systems.now),
        Progress: Progress(voices.progress),
        **kept,
    }
    if restraint == "none":
        return handles
    # Where nothing may change, no call gets a handle that can write.
    return {kind: handle.limited("read") for kind, handle in handles.items()}


def _system(prompt: str, systems: Systems) -> str:
    """The prompt with its holes filled, as of now."""
    # Names of a kubeconfig may come from anywhere: they stay one line, and what they hold is seen.
    target = systems.target
    named = {
        "cluster": visible(target.cluster) or "none",
        "namespace": visible(target.namespace) or "not chosen",
        "database": visible(target.database) or "none",
    }
    return prompt.format(**named, now=rfc3339(systems.now()))


def _runbooks(squads: Sequence[str], folder: Path | None, fault: str) -> tuple[str, ...]:
    return tuple(book for squad in squads for book in for_faults(squad, folder, fault))


def _ranking(crew: Crew) -> Rank:
    """Fills a case's differential and leads by the catalogues of the squads that have worked on it."""

    def ranked(case: Case) -> Case:
        catalogue, signals = crew.catalogue(case.squads), [s.signal for s in case.signals]
        found = {"differential": tuple(rank(catalogue, signals)), "leads": tuple(leads(catalogue, signals))}
        return case.model_copy(update=found)

    return ranked
