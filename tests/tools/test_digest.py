"""Logs in few lines: levels, templates, chains; on the logs of the recordings and on forms they lack."""

import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tools._access import Access
from tools._digest import chain, groups, mask, root, table, told
from tools._levels import LEVELS
from tools._loglines import entries, moment_of

from tests.tools.recorded import RECORDINGS, clock

NOW = datetime(2026, 3, 8, 14, 37, tzinfo=UTC)
STAMP = "2026-03-08T14:36:40.540800690Z"
LOGS = sorted(RECORDINGS.glob("*/logs/*/*/*.log"))
SOME_OR_ALL = pytest.mark.parametrize(
    "logs", [pytest.param(LOGS[::5], id="some"), pytest.param(LOGS, id="all", marks=pytest.mark.long)]
)


def _one(body: str) -> tuple[str, str]:
    (entry,) = entries(f"{STAMP} {body}")
    return entry.level, entry.message


@pytest.mark.parametrize(
    ("body", "level", "message"),
    [
        ("2026-03-08T14:36:28.286Z ERROR Database timeout", "error", "Database timeout"),
        ("2026-06-18T11:25:37.208Z  WARN 1 --- [app] [  main] o.s.Boot   : Slow", "warn", "Slow"),
        ("2026-05-03 08:28:03,664 INFO [uvicorn.error] Started", "info", "[uvicorn.error] Started"),
        ('{"level": 50, "time": 1, "msg": "POST / failed"}', "error", "POST / failed"),
        ('{"level":"fatal","message":"no config"}', "fatal", "no config"),
        ('{"severity":"CRITICAL","message":"gone"}', "fatal", "gone"),
        ('time=2026-03-08T14:36:40Z level=warning msg="lease lost" id=7', "warn", "lease lost"),
        ("2026/03/08 13:45:08 [error] 27#38: *69 no live upstreams", "error", "no live upstreams"),
        ("E0308 14:36:40.540 1 main.go:3] lost", "error", "E0308 14:36:40.540 1 main.go:3] lost"),
        ("E, [2026-05-03T08:28:03.664 #7] ERROR -- : PG::ConnectionBad", "error", "PG::ConnectionBad"),
        ("08:28:03.664 [error] GenServer Pool terminating", "error", "GenServer Pool terminating"),
        ("2026-05-03T08:28:03.664Z  WARN tower::svc: slow", "warn", "tower::svc: slow"),
        ('timestamp=2026-05-03T08:28:03Z level=error event="send failed"', "error", "send failed"),
        ("thread 'main' panicked at src/main.rs:4:5:", "fatal", "thread 'main' panicked at src/main.rs:4:5:"),
        (
            '{"@t":"2026-05-03T08:28:03Z","@l":"Error","@m":"Failed","@x":"IOException: gone\\n   at A.B()"}',
            "error",
            "Failed: IOException: gone",
        ),
        ("panic: runtime error: index out of range", "fatal", "panic: runtime error: index out of range"),
        ("Started without errors; ERRORS=0", "info", "Started without errors; ERRORS=0"),
        ("{not json at all", "info", "{not json at all"),
    ],
)
def test_levels_and_messages_are_read_from_every_common_form(body: str, level: str, message: str) -> None:
    assert _one(body) == (level, message)


def test_the_second_line_of_a_dotnet_entry_is_what_it_says() -> None:
    (entry,) = entries(f"{STAMP} fail: Acme.Worker[0]\n{STAMP}       No answer\n{STAMP}    at Acme.Run()")
    assert (entry.level, entry.message, len(entry.lines)) == ("error", "Acme.Worker[0] No answer", 3)


def test_a_structured_error_says_its_target_and_its_cause() -> None:
    body = '{"level":"error","msg":"call failed","target":"http://a:1/","error":"connection refused"}'
    assert _one(body) == ("error", "call failed: http://a:1/: connection refused")


def test_a_request_answered_with_a_server_error_is_a_warning_whatever_its_level() -> None:
    combined = f'{STAMP} 10.0.0.1 - - [08/Mar/2026:13:45:12 +0000] "POST /a?x=1 HTTP/1.1" 503 80 "-" "curl"'
    structured = f'{STAMP} {{"level":"info","method":"GET","path":"/b","status":200}}'
    first, second = entries(f"{combined}\n{structured}")
    assert (first.level, first.access) == ("warn", Access("POST", "/a?x=1", 503))
    assert (second.level, second.access) == ("info", Access("GET", "/b", 200))


def test_a_stack_trace_belongs_to_the_line_above_it_and_names_the_deepest_cause() -> None:
    body = ["ERROR failed", "java.lang.A: x", "\tat a.b.C(D.java:1)", "Caused by: e.F: y", "\t... 3 more"]
    (entry,) = entries("\n".join(f"{STAMP} {line}" for line in body))
    assert len(entry.lines) == 5
    assert root(entry) == "Caused by: e.F: y"
    assert "Caused by: e.F: y" in "\n".join(told([entry], NOW))


@SOME_OR_ALL
def test_no_line_of_any_recorded_log_is_lost_or_counted_twice(logs: list[Path]) -> None:
    assert len(logs) > 100
    for path in logs:
        log = path.read_text(encoding="utf-8")
        read = entries(log)
        assert [line for entry in read for line in entry.lines] == log.splitlines(), path
        assert sum(group.count for group in groups(read)) == len(read), path
        assert all(entry.at and entry.at <= clock(path.relative_to(RECORDINGS).parts[0]) for entry in read)


@SOME_OR_ALL
def test_a_digest_of_any_recorded_log_is_short(logs: list[Path]) -> None:
    for path in logs:
        found = groups(entries(path.read_text(encoding="utf-8")))
        assert len(found) <= 25, (path, [group.template for group in found])


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("order 17 took 3.5ms", "order <n> took <n>ms"),
        ("dial 10.1.2.3:80", "dial <ip>:<n>"),
        ("id 0b3c7a1e-9d1f-4a55-8f0e-1c2d3e4f5a6b", "id <uuid>"),
        ("trace 3bb66dc65a17960d on /v3/titles", "trace <hex> on /v3/titles"),
        ("no bean \"foo\" in 'bar'", "no bean \"…\" in '…'"),
        ('request: "GET /a/17 HTTP/1.1"', 'request: "GET /a/<n> HTTP/<n>"'),
        ("couldn't, wouldn't", "couldn't, wouldn't"),
        ("declaration NL24398a7a of berth2", "declaration <id> of berth<n>"),
        ("deadbeef is no number but a word, facade too", "deadbeef is no number but a word, facade too"),
    ],
)
def test_what_varies_is_masked_and_words_stay(text: str, masked: str) -> None:
    assert mask(text) == masked


def test_alike_lines_are_one_row_with_count_first_and_last() -> None:
    lines = [f"2026-03-08T14:{minute:02}:00Z ERROR order {minute} lost" for minute in range(10, 40)]
    (row,) = table(groups(entries("\n".join(lines))), NOW)[1:]
    assert row.split() == ["30", "14:10", "14:39", "error", "order", "<n>", "lost"]


def test_a_message_that_never_varies_is_shown_as_it_is() -> None:
    lines = [f"2026-03-08T14:{minute:02}:00Z ERROR timeout after 5000ms" for minute in range(10, 20)]
    assert "timeout after 5000ms" in table(groups(entries("\n".join(lines))), NOW)[1]


def test_days_other_than_today_are_named() -> None:
    rows = table(groups(entries("2026-03-07T23:59:00Z ERROR lost")), NOW)
    assert "03-07 23:59" in rows[1]


def test_the_errors_before_the_end_stand_in_their_order_without_repeats() -> None:
    bodies = ["INFO up", "ERROR try 1 failed", "ERROR try 2 failed", "ERROR gave up", "FATAL exiting"]
    read = entries("\n".join(f"{STAMP} {body}" for body in bodies))
    assert [entry.message for entry in chain(read)] == ["try 2 failed", "gave up", "exiting"]


@given(st.text(max_size=400))
def test_any_text_is_read_without_loss_or_failure(text: str) -> None:
    read = entries(text)
    kept = Counter(line for entry in read for line in entry.lines)
    assert all(kept[line] for line in text.splitlines() if line.strip() and not line.startswith(STAMP[:4]))
    assert all(entry.level in LEVELS for entry in read)
    table(groups(read), NOW)


@given(st.text(max_size=40))
def test_no_time_stamp_is_worth_a_failure(text: str) -> None:
    moment_of(text)


def test_a_hundred_thousand_lines_are_read_in_seconds() -> None:
    lines = "\n".join(path.read_text(encoding="utf-8") for path in LOGS).splitlines()
    log = "\n".join((lines * 2)[:100_000])
    start = time.process_time()
    groups(entries(log))
    assert time.process_time() - start < 6


@pytest.mark.parametrize(
    ("body", "level"),
    [
        (
            "2026/01/05 12:00:00 store: write failed: dial tcp 10.1.2.3:9000: connect: connection refused",
            "error",
        ),
        ("could not open the journal", "error"),
        ("Error: connect ECONNREFUSED 10.1.2.3:80", "error"),
        ("2026-01-05T12:00:00.000Z\terror\tstore/write.go:17\tno quorum", "error"),
        ("2026-01-05T12:00:00+0000 warning store : slow disk", "warn"),
        ("[2026-01-05 12:00:00][store][Error][host1] no quorum", "error"),
        ("[2026-01-05 12:00:00] prod.ERROR: no quorum", "error"),
        ("2026-01-05T12:00:00.000Z fail: Shop.Store[7] no quorum", "error"),
        ('{"level":3,"short_message":"no quorum"}', "error"),
        ('{"severityNumber":17,"body":"no quorum"}', "error"),
        ('{"msg":"write","err":"no quorum"}', "error"),
        ("finished, 0 errors", "info"),
        ("listening, timeout=30s", "info"),
        ("INFO retry of what failed has worked", "info"),
        ("order 17 is on its way", "info"),
    ],
)
def test_a_line_without_a_word_for_it_is_as_grave_as_what_it_says(body: str, level: str) -> None:
    (entry,) = entries(f"2026-01-05T12:00:01.000Z {body}")
    assert entry.level == level
