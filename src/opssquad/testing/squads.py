"""A squad that is asked in a recorded world: the whole run, as anybody would start it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from opssquad.events import Event
from opssquad.investigation import Investigation, Options
from opssquad.investigation.options import Beside
from opssquad.models.base import Model
from opssquad.settings import OFFLINE
from opssquad.testing.found import Where, as_loaded, recording_of
from opssquad.testing.outcome import Outcome
from opssquad.toolbox import Handle, Tool
from opssquad.types import Mode
from opssquad.worlds.kube.recording.load import load_incident

FAST = 40.0
"""How fast the world's clock runs where a change is carried out: rollouts are waited for, not watched."""


def run_squad(
    *said: str,
    recording: Where,
    squad: str = "",
    model: Model | str = OFFLINE,
    tools: Sequence[Tool] = (),
    approve: bool = False,
    handles: Sequence[Handle] = (),
    policy: Where | None = None,
    mode: Mode = "ask",
) -> Outcome:
    """Ask a squad in a recorded world, one utterance after another; "1" takes the first choice it offered.

    `squad` is the recording's own unless it is named; `tools` are those that it has besides its own;
    `handles` replace what tools would get by type, settings too. Cards are refused unless `approve`. Each
    call is judged by the bundled policy, and by that in the file `policy`. Raises UsageError, and ModelError
    where a scripted model is asked for more than it was given.
    """
    return asyncio.run(
        async_run_squad(
            *said,
            recording=recording,
            squad=squad,
            model=model,
            tools=tools,
            approve=approve,
            handles=handles,
            policy=policy,
            mode=mode,
        )
    )


async def async_run_squad(
    *said: str,
    recording: Where,
    squad: str = "",
    model: Model | str = OFFLINE,
    tools: Sequence[Tool] = (),
    approve: bool = False,
    handles: Sequence[Handle] = (),
    policy: Where | None = None,
    mode: Mode = "ask",
) -> Outcome:
    """The same, for a test that is a coroutine."""
    opened = open_squad(recording, squad, model, tools, approve, handles, policy, mode)
    events: list[Event] = []
    async with opened as run:
        for each in said:
            events += [event async for event in run.ask(each)]
    return Outcome(tuple(events))


@asynccontextmanager
async def open_squad(
    recording: Where,
    squad: str,
    model: Model | str,
    tools: Sequence[Tool],
    approve: bool,
    handles: Sequence[Handle],
    policy: Where | None,
    mode: Mode,
) -> AsyncIterator[Investigation]:
    """A conversation in a recorded world, with a record of its own that is gone afterwards."""
    folder = recording_of(recording)
    answers: Literal["all", "never"] = "all" if approve else "never"
    beside = Beside(
        tools=tuple(map(as_loaded, tools)),
        handles={type(each): each for each in handles},
        model=None if isinstance(model, str) else model,
    )
    with TemporaryDirectory(prefix="opssquad-") as state:
        options = Options(
            state=Path(state),
            by="test",
            squad=squad or load_incident(folder).squad,
            recording=folder,
            model=model if isinstance(model, str) else model.name,
            mode=mode,
            approve=answers,
            speed=FAST if approve else 1.0,
            policy=Path(policy) if policy else None,
            # A script that is over must be seen, not covered up.
            fallback=False,
            remember=False,
            beside=beside,
        )
        async with await Investigation.open(options) as run:
            yield run
