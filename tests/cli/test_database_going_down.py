"""A server that is shut down before a question, and in the middle of one: a stated outcome, no traceback."""

import json
import signal
import subprocess
import threading
from pathlib import Path

from opssquad.cli.failures import INCONCLUSIVE
from tests.cli.terminal import run
from tests.postgres.faults.companies import SHOP
from tests.postgres.faults.crowd import until
from tests.postgres.server import running

QUESTION = ("ask", "clients complain, why?", "--squad", "database", "--json", "--dsn")
OURS = "select count(*) from pg_stat_activity where application_name = 'opssquad'"


def outcome(done: "subprocess.CompletedProcess[str]") -> None:
    assert (done.returncode, done.stderr) == (INCONCLUSIVE, "")
    assert json.loads(done.stdout)["status"] == "inconclusive"


def test_a_server_that_waits_for_its_clients_to_leave_is_said_to_shut_down(tmp_path: Path) -> None:
    with running() as server:
        assert server.process
        held = server.connect(application_name=SHOP.api.name)
        server.process.send_signal(signal.SIGTERM)
        until(lambda: "smart shutdown request" in server.log.read_text(), "a server that shuts down")
        outcome(run(tmp_path, *QUESTION, server.dsn()))
        held.close()
        # Whatever of ours was left open would keep it up.
        assert server.process.wait(10) == 0


def test_a_server_that_goes_in_the_middle_of_a_question_ends_it_with_what_was_seen(tmp_path: Path) -> None:
    with running() as server, server.connect() as root:
        assert server.process
        done: list[subprocess.CompletedProcess[str]] = []
        asking = threading.Thread(target=lambda: done.append(run(tmp_path, *QUESTION, server.dsn())))
        asking.start()
        until(lambda: root.execute(OURS).fetchone() != (0,), "a session of ours", 30)
        server.process.send_signal(signal.SIGINT)
        asking.join(60)
        outcome(done[0])
        assert server.process.wait(10) == 0
