"""What is no fault: a quiet day, and maintenance that somebody planned."""

import contextlib
from collections.abc import Iterator

from tests.postgres.faults.application import Application
from tests.postgres.faults.crowd import crowd, until
from tests.postgres.faults.truth import Stage, Truth


@contextlib.contextmanager
def healthy(stage: Stage) -> Iterator[Truth]:
    """Z1: light load."""
    client = stage.app.component("Client", stage.app.report.name)
    yield Truth("Z1", "", "light load", "nothing", lambda: None, distractors=(client,))


@contextlib.contextmanager
def maintenance(stage: Stage, delay: str = "20ms") -> Iterator[Truth]:
    """Z5: indexes are rebuilt and tables vacuumed, one session each, slowly and beside the load. `delay`:
    how long vacuum naps after every few pages."""
    app = stage.app
    with crowd(stage.server, app) as made:
        vacuum = made.work(app.upkeep, _vacuum(app), every=0.05, options=_slowly(delay))
        rebuild = made.work(app.upkeep, _rebuild(app), every=0.05)
        until(lambda: len(_running(stage)) == 2 and rebuild.done, "maintenance that runs")
        try:
            yield Truth(
                fault="Z5",
                component="",
                mechanism="planned maintenance that blocks nobody",
                remedy="nothing",
                heal=lambda: None,
                distractors=(
                    app.component("Client", app.upkeep.name),
                    app.component("Table", app.deal.table),
                ),
                culprits=(vacuum.pid, rebuild.pid),
            )
        finally:
            # A rebuild that is ended half-way leaves an invalid index.
            made.dismiss(rebuild, grace=5.0)


def _slowly(delay: str) -> str:
    return f"-cvacuum_cost_delay={delay} -cvacuum_cost_limit=20"


def _vacuum(app: Application) -> str:
    return f"vacuum (analyze, disable_page_skipping) {app.trail.table}"


def _rebuild(app: Application) -> str:
    return f"reindex index concurrently {app.deal.index}"


def _running(stage: Stage) -> list[tuple[object, ...]]:
    named = f"application_name = '{stage.app.upkeep.name}'"
    return stage.rows(f"select pid from pg_stat_activity where {named} and state = 'active'")
