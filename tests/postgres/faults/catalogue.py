"""Every fault by its id, and how to put one on a stage."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.postgres.binaries import folder, major
from tests.postgres.faults import access, connections, locks, plans, quiet, releases, storage
from tests.postgres.faults.application import Application, install
from tests.postgres.faults.crowd import traffic
from tests.postgres.faults.truth import Fault, Stage, Truth
from tests.postgres.server import running

SETTINGS = {
    "track_io_timing": "on",
    "log_statement": "ddl",
    "log_autovacuum_min_duration": "0",
    "autovacuum_naptime": "1s",
}
FEW = {"max_connections": "25", "superuser_reserved_connections": "3"}
FAULTS: Mapping[str, Fault] = {
    "D01": Fault(connections.exhausted, FEW, {"reserved_connections": "3"}),
    "D02": Fault(connections.pool_waits),
    "D03": Fault(locks.lock_chain),
    "D04": Fault(locks.deadlocks),
    "D05": Fault(locks.old_snapshot),
    "D06": Fault(plans.dropped_index),
    "D07": Fault(plans.unused_indexes),
    "D08": Fault(plans.old_statistics),
    "D09": Fault(storage.checkpoint_storm),
    "D10": Fault(storage.replay_lag, {"max_standby_streaming_delay": "-1"}),
    "D10-cancel": Fault(storage.recovery_conflict),
    "D11": Fault(storage.left_slot),
    "D12": Fault(access.rotated_password),
    "D13": Fault(access.revoked),
    "D13-role": Fault(access.missing_role),
    "D14": Fault(releases.writes_to_standby),
    "D14-setting": Fault(releases.read_only),
    "D15": Fault(releases.renamed_column),
    "Z1": Fault(quiet.healthy),
    "Z2": Fault(locks.recovered),
    "Z5": Fault(quiet.maintenance),
}


@contextlib.contextmanager
def installed(app: Application, version: str = "") -> Iterator[Path]:
    """The data of a stopped server that has the application; `version` is its major version."""
    with running(version, **SETTINGS) as server:
        install(server, app)
        server.stop()
        yield server.data


@contextlib.contextmanager
def staged(fault: str, app: Application, version: str, data: Path) -> Iterator[Stage]:
    """A server as that fault needs it, with the everyday sessions of the application that is in `data`."""
    chosen = FAULTS[fault]
    newer = chosen.newer if int(major(folder(version))) >= 16 else {}
    with (
        running(version, like=data, **{**SETTINGS, **chosen.settings, **newer}) as server,
        traffic(server, app) as made,
    ):
        yield Stage(server, app, made)


@contextlib.contextmanager
def standing(
    fault: str, app: Application, version: str = "", **scales: float
) -> Iterator[tuple[Stage, Truth]]:
    """A new server on which the fault stands, gone at the end; `scales` are its maker's."""
    with (
        installed(app, version) as data,
        staged(fault, app, version, data) as stage,
        FAULTS[fault].make(stage, **scales) as truth,
    ):
        yield stage, truth
