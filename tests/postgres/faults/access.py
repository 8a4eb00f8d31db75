"""Faults of who may come in and do what: passwords, privileges, roles."""

import contextlib
from collections.abc import Iterator

from tests.postgres.faults.application import OPERATOR, password
from tests.postgres.faults.crowd import crowd, until
from tests.postgres.faults.truth import Stage, Truth


@contextlib.contextmanager
def rotated_password(stage: Stage, refusals: int = 3) -> Iterator[Truth]:
    """D12: the passwords of two roles were changed; one client took the new one, the other did not.
    `refusals`: how often it must have been refused."""
    app = stage.app
    roles = ",".join(f'"{client.role}"' for client in (app.api, app.front, app.worker, app.batch))
    stage.server.hba(f"host {app.database} {roles} 127.0.0.1/32 scram-sha-256")
    changed = {role: password(role) + "2" for role in (app.worker.role, app.front.role)}
    for role, new in changed.items():
        _change(stage, role, new)
    look = f"select {app.party.label} from {app.party.table} where {app.party.key} = %(n)s"
    with crowd(stage.server, app) as made:
        made.work(app.front, look, password=changed[app.front.role])
        made.work(app.api, look)
        late = [made.work(app.worker, look, every=0.2) for _ in range(2)]
        until(lambda: all(len(each.errors) >= refusals for each in late), "clients that are refused")

        def heal() -> None:
            made.dismiss(*late)
            made.work(app.worker, look, password=changed[app.worker.role])

        yield Truth(
            fault="D12",
            component=app.component("Role", app.worker.role),
            mechanism="its password was changed and its client still gives the old one",
            remedy=f"give {app.worker.name} the new password and restart it",
            heal=heal,
            also=(app.component("Client", app.worker.name),),
            distractors=(app.component("Role", app.front.role), app.component("Client", app.front.name)),
        )


def _change(stage: Stage, role: str, new: str) -> None:
    with stage.server.connect(dbname=stage.app.database, application_name="psql") as root:
        # As psql's \password does it: the log has no password.
        hashed = root.pgconn.encrypt_password(new.encode(), role.encode(), b"scram-sha-256").decode()
        root.execute(f"alter role \"{role}\" password '{hashed}'")


@contextlib.contextmanager
def revoked(stage: Stage) -> Iterator[Truth]:
    """D13: a migration took a role's privileges on a table; a release altered the same table."""
    app, trail, role = stage.app, stage.app.trail, stage.app.worker.role
    look = f"select {trail.kind}, {trail.at} from {trail.table} where {trail.deal} = %(n)s"
    with crowd(stage.server, app) as made:
        sufferer = made.work(app.worker, look, every=0.2)
        made.work(app.api, look)
        deploy = made.sit(app.deploy)
        deploy.execute(f"alter table {trail.table} add column {app.new_column} text")
        deploy.execute(f'revoke select, insert, update on {trail.table} from "{role}"')
        until(lambda: len(sufferer.errors) >= 2, "statements that are refused")
        remedy = f'grant select, insert, update on {trail.table} to "{role}"'
        yield Truth(
            fault="D13",
            component=app.component("Role", role),
            mechanism="a migration revoked its privileges on a table",
            remedy=remedy,
            heal=lambda: stage.operate(remedy),
            also=(app.component("Table", trail.table), app.component("Client", app.deploy.name)),
            distractors=(app.component("Client", app.worker.name), app.component("Client", app.api.name)),
            culprits=(deploy.info.backend_pid,),
            victims=(sufferer.pid,),
        )


@contextlib.contextmanager
def missing_role(stage: Stage) -> Iterator[Truth]:
    """D13-role: the role that a client logs in as was dropped; another one's privileges were changed."""
    app, role, intake = stage.app, stage.app.batch.role, stage.app.intake
    look = f"select count(*) from {intake.table}"
    with crowd(stage.server, app) as made:
        with stage.server.connect(dbname=app.database, application_name="psql") as root:
            root.execute(f'grant select on {intake.table} to "{app.report.role}"')
            root.execute(f'drop owned by "{role}"')
            root.execute(f'drop role "{role}"')
        sufferer = made.work(app.batch, look, every=0.2)
        made.work(app.api, look)
        until(lambda: len(sufferer.errors) >= 2, "log-ins that are refused")
        privileges = f'grant select, insert, update, delete, truncate on {intake.table} to "{role}"'

        def heal() -> None:
            # An operator who is no superuser may not make roles.
            stage.server.run(f"create role \"{role}\" login password '{password(role)}'")
            stage.operate(f'grant usage on schema {app.schema} to "{role}"', privileges)

        yield Truth(
            fault="D13-role",
            component=app.component("Role", role),
            mechanism="the role was dropped",
            remedy=f'create role "{role}" login; {privileges}',
            heal=heal,
            also=(app.component("Client", app.batch.name),),
            distractors=(app.component("Role", app.report.role), app.component("Role", OPERATOR)),
        )
