"""The steps of the embedded store's schema: applied in this order, each once by its name, and never edited
or renamed afterwards. How they are applied is `schema`'s.
"""

from typing import NamedTuple

APPLICATION_ID = 0x4F505351
"""SQLite's `application_id` of our databases: the letters OPSQ."""


class Step(NamedTuple):
    """One step: its name, and the statements that make it."""

    name: str
    statements: tuple[str, ...]


MIGRATIONS: tuple[Step, ...] = (
    Step(
        "threads, cards, ledger, events, audit",
        (
            "create table threads (id text primary key, started_at real not null, body text not null)",
            "create table approvals (id text primary key, thread text not null, call text not null,"
            " digest text not null, body text not null)",
            "create index approvals_by_call on approvals (call)",
            # Step 0 is the answer, step 1 the end of a yes that was not acted on: each can exist once.
            "create table decisions (approval text not null references approvals (id),"
            " step integer not null check (step in (0, 1)), body text not null,"
            " primary key (approval, step))",
            "create table ledger (call text primary key, digest text not null,"
            " status text not null check (status in ('claimed', 'done')))",
            "create table outputs (call text primary key, body text not null)",
            "create table events (seq integer primary key autoincrement, thread text not null,"
            " kind text not null, body text not null)",
            "create index events_by_thread on events (thread, seq)",
            "create table audit (seq integer primary key, thread text not null, body text not null)",
            "create table audit_head (id integer primary key check (id = 1), seq integer not null,"
            " hash text not null)",
        ),
    ),
    Step(
        "consents",
        (
            # A yes of one of several: the answer (step 0 above) follows from as many as the card needs.
            "create table consents (approval text not null references approvals (id), who text not null,"
            " body text not null, primary key (approval, who))",
        ),
    ),
    Step(
        "last changes",
        # Where the last audit line of each kind about each thing stands; the line itself is looked at.
        (
            "create table changes (kind text not null, tool text not null, seq integer not null,"
            " primary key (kind, tool))",
        ),
    ),
    Step(
        "stretches",
        # What looks at revisions of workloads have shown: `cluster` tells it from all others, `workload` is
        # the workload's uid, `ended` is by the cluster's clock, `noted` by ours.
        (
            "create table stretches (id integer primary key, cluster text not null,"
            " cluster_name text not null, workload text not null, revision text not null,"
            " ended real not null, noted real not null, body text not null)",
            "create index stretches_by_revision on stretches (cluster, workload, revision, ended)",
            "create index stretches_by_age on stretches (noted)",
        ),
    ),
)

NUMBERED = 2
"""So many of the steps were applied, in this order, before names were kept: by `user_version` alone."""
