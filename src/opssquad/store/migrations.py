"""The schema of the embedded store, as steps that are applied in order and never edited afterwards.

The number of steps applied is the database's `user_version`.
"""

APPLICATION_ID = 0x4F505351
"""SQLite's `application_id` of our databases: the letters OPSQ."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "create table threads (id text primary key, started_at real not null, body text not null)",
        "create table approvals (id text primary key, thread text not null, call text not null,"
        " digest text not null, body text not null)",
        "create index approvals_by_call on approvals (call)",
        # Step 0 is the answer, step 1 the end of a yes that was not acted on: each can exist once.
        "create table decisions (approval text not null references approvals (id),"
        " step integer not null check (step in (0, 1)), body text not null, primary key (approval, step))",
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
    (
        # A yes of one of several: the answer (step 0 above) follows from as many as the card needs.
        "create table consents (approval text not null references approvals (id), who text not null,"
        " body text not null, primary key (approval, who))",
    ),
)
