"""What logs prove: fatal lines, failed calls, answered probes."""

import time
from datetime import UTC, datetime

from tools._addresses import Directory
from tools._loglines import entries
from tools._pods import Past
from tools.signals._case import QUOTED, Case, Read, quote_line
from tools.signals.calls import called
from tools.signals.logs import log_signals, probe_paths

from opssquad import Json, Signal

NOW = datetime(2026, 3, 8, 14, 37, tzinfo=UTC)
POD: Json = {
    "kind": "Pod",
    "metadata": {"name": "web-1", "namespace": "shop"},
    "spec": {"containers": [{"name": "web", "readinessProbe": {"httpGet": {"path": "/ready?full=1"}}}]},
}


def _signals(*bodies: str, ended: Past | None = None, minute: int = 36) -> list[Signal]:
    text = "\n".join(
        f"2026-03-08T14:{minute:02}:{second % 60:02}Z {body}" for second, body in enumerate(bodies)
    )
    read = Read(POD, "web", ended is not None, text, ended)
    said = entries(text)
    return log_signals(Case([read], said, NOW, Directory(()), called(said)))


def _ids(found: list[Signal]) -> list[str]:
    return [each.id for each in found]


def test_the_last_error_before_a_process_ended_by_itself_is_fatal_without_saying_so() -> None:
    crashed = _signals("INFO up", "ERROR no config", "INFO bye", ended=Past(1, "Error"))
    assert [(each.id, each.data["template"]) for each in crashed] == [("log.fatal", "no config")]
    assert crashed[0].severity == "critical"


def test_the_last_words_of_a_process_without_levels_are_fatal() -> None:
    (signal,) = _signals("exec /app/run: no such file", ended=Past(127, "Error"))
    assert (signal.id, signal.data["template"]) == ("log.fatal", "exec /app/run: no such file")


def test_a_killed_process_did_not_write_why() -> None:
    assert _ids(_signals("ERROR cache miss", "INFO working", ended=Past(137, "OOMKilled"))) == ["log.error"]
    assert _ids(_signals("INFO working", ended=Past(0, "Completed"))) == []


def test_a_timeout_is_laid_at_the_address_that_was_announced_before_it() -> None:
    found = _signals("INFO Connecting to database at db.internal:5432", "ERROR timeout after 5000ms")
    timeout = next(each for each in found if each.id == "log.timeout")
    assert (timeout.data["target"], timeout.data["announced"]) == ("db.internal:5432", True)


def test_a_setting_named_timeout_is_none() -> None:
    assert _signals("INFO configuration (DB_TIMEOUT=5000)", "INFO request timeout after 3 s, retried") == []


def test_what_was_logged_long_ago_is_told_as_past() -> None:
    (signal,) = _signals("ERROR lost", minute=10)
    assert signal.severity == "info"
    assert signal.until is not None
    assert "not since 27 min ago" in signal.text


def test_only_the_pods_own_probe_paths_count_as_probes() -> None:
    assert probe_paths(POD, "web") == {"/ready": "readiness"}
    (signal,) = _signals('"GET /ready?full=1 HTTP/1.1" 404 1', '"GET /other HTTP/1.1" 404 1')
    assert (signal.id, signal.data["path"], signal.data["status"]) == ("log.probe_status", "/ready", 404)


def test_a_quote_of_a_long_line_holds_what_matters_and_is_literal() -> None:
    line = f"2026-03-08T14:36:00Z {'x' * 700} connection refused {'y' * 700}"
    (entry,) = entries(line)
    quote = quote_line(Read(POD, "web", False, line), entry, "connection refused")
    assert "connection refused" in quote.text
    assert quote.text in line
    assert len(quote.text) == QUOTED


def test_what_thousands_of_failures_prove_is_read_without_looking_back_through_all_of_them() -> None:
    start = time.process_time()
    found = _signals(*(f"ERROR request {number} timed out" for number in range(10_000)))
    assert time.process_time() - start < 5
    assert [(each.id, each.data["count"]) for each in found] == [
        ("log.timeout", 10_000),
        ("log.error", 10_000),
    ]
