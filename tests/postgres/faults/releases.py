"""Faults of what a release expects of its database: that it may write there, that a column is there."""

import contextlib
from collections.abc import Iterator

from tests.postgres.faults.application import Application
from tests.postgres.faults.crowd import crowd, until
from tests.postgres.faults.truth import Stage, Truth
from tests.postgres.server import replica_of


@contextlib.contextmanager
def writes_to_standby(stage: Stage, refusals: int = 2) -> Iterator[Truth]:
    """D14: a client is connected to the standby and writes; others read there as they should."""
    app = stage.app
    look = f"select {app.party.label} from {app.party.table} where {app.party.key} = %(n)s"
    with replica_of(stage.server) as replica, crowd(stage.server, app) as made:
        for client in (app.front, app.report):
            made.work(client, look, server=replica)
        made.work(app.worker, _insert(app))
        lost = [made.work(app.api, _insert(app), every=0.2, server=replica) for _ in range(2)]
        until(lambda: all(len(each.errors) >= refusals for each in lost), "writes that are refused")

        def heal() -> None:
            made.dismiss(*lost)
            made.work(app.api, _insert(app))

        yield Truth(
            fault="D14",
            component=app.component("Client", app.api.name),
            mechanism="it writes to a server in recovery",
            remedy=f"point {app.api.name} at the primary",
            heal=heal,
            also=(app.component("Server", "replica"),),
            distractors=(app.component("Role", app.api.role), app.component("Table", app.trail.table)),
            victims=tuple(each.pid for each in lost),
            replica=replica,
        )


@contextlib.contextmanager
def read_only(stage: Stage, refusals: int = 2) -> Iterator[Truth]:
    """D14-setting: the database makes new sessions read-only; those from before still write."""
    app = stage.app
    with crowd(stage.server, app) as made:
        early = made.work(app.worker, _insert(app))
        until(lambda: early.done, "a write from before")
        with stage.server.connect(dbname=app.database, application_name="psql") as root:
            root.execute(f"alter database {app.database} set default_transaction_read_only = on")
            root.execute(f'grant select on {app.trail.table} to "{app.api.role}"')
        lost = [made.work(app.api, _insert(app), every=0.2) for _ in range(2)]
        until(lambda: all(len(each.errors) >= refusals for each in lost), "writes that are refused")
        remedy = f"alter database {app.database} reset default_transaction_read_only"

        def heal() -> None:
            # Also the operator's session is read-only at first.
            stage.operate("set default_transaction_read_only = off", remedy)
            made.dismiss(*lost)
            made.work(app.api, _insert(app))

        yield Truth(
            fault="D14-setting",
            component=app.component("Setting", "default_transaction_read_only"),
            mechanism="the database makes new sessions read-only",
            remedy=f"{remedy}; end sessions from before",
            heal=heal,
            distractors=(app.component("Role", app.api.role), app.component("Client", app.api.name)),
            victims=tuple(each.pid for each in lost),
        )


def _insert(app: Application) -> str:
    trail = app.trail
    columns = f"{trail.deal}, {trail.kind}, {trail.note}"
    return f"insert into {trail.table} ({columns}) values (%(n)s, 'new', 'app')"


@contextlib.contextmanager
def renamed_column(stage: Stage, refusals: int = 2) -> Iterator[Truth]:
    """D15: a migration renamed a column; one client asks for the new name, one still for the old."""
    app, deal = stage.app, stage.app.deal
    old = f"select {deal.state}, {deal.amount} from {deal.table} where {deal.key} = %(n)s"
    new = f"select {deal.state}, {app.renamed} from {deal.table} where {deal.key} = %(n)s"
    with crowd(stage.server, app) as made:
        late = [made.work(app.api, old, every=0.2) for _ in range(2)]
        deploy = made.sit(app.deploy)
        deploy.execute(f"alter table {deal.table} rename column {deal.amount} to {app.renamed}")
        deploy.execute(f"create index on {app.trail.table} ({app.trail.at})")
        made.work(app.front, new)
        until(lambda: all(len(each.errors) >= refusals for each in late), "statements that fail")

        def heal() -> None:
            made.dismiss(*late)
            made.work(app.api, new)

        yield Truth(
            fault="D15",
            component=app.component("Client", app.api.name),
            mechanism="it selects a column by the name from before a migration",
            remedy=f"the release of {app.api.name} that selects {app.renamed}",
            heal=heal,
            also=(app.component("Table", deal.table), app.component("Client", app.deploy.name)),
            distractors=(
                app.component("Client", app.front.name),
                app.component("Table", app.trail.table),
            ),
            victims=tuple(each.pid for each in late),
        )
