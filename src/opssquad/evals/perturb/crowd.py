"""Unrelated clients of a recorded database: idle sessions, a quick statement, and lines of a good day."""

import random
import re
from collections.abc import Iterator
from datetime import datetime
from string import Template

from opssquad.evals.perturb.material import Material
from opssquad.evals.perturb.names import Drawn
from opssquad.evals.perturb.rows import looked
from opssquad.evals.perturb.stock import Stock
from opssquad.times import parse_time
from opssquad.types import Json
from opssquad.worlds.sql.material import LOG

CLIENTS, SESSIONS, LINES = (2, 3), (1, 3), (10, 30)
"""How much is added: at least and at most; sessions for each client."""
STAMP = re.compile(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} UTC")


def crowded(material: Material, texts: Stock, drawn: Drawn, rng: random.Random) -> None:
    """Add them, as far as the server has room for further sessions."""
    clients = [(f"{drawn.word()}-{drawn.word()}", f"{drawn.word()}_rw") for _ in range(rng.randint(*CLIENTS))]
    free = _free(material.rows)
    for application, role in clients:
        added = list(_sessions(material.rows, application, role, rng))[:free]
        free -= len(added)
        material.rows += [*added, *_statement(material.rows, role, rng)]
        material.truth["distractors"].append(f"{application} is idle in the database and has no part in it")
    if LOG in material.logs:
        made = (_line(material, texts, rng.choice(clients), rng) for _ in range(rng.randint(*LINES)))
        material.logs[LOG] = _merged(material.logs[LOG], [line for line in made if line])


def _free(rows: list[Json]) -> int:
    """Sessions that fit beside those there are; half of what is left stays free."""
    (server,) = looked(rows, "server")
    clients = len([row for row in looked(rows, "sessions") if row["backend_type"] == "client backend"])
    return max(0, int(server["max_connections"]) - 20 - clients) // 2


def _sessions(rows: list[Json], application: str, role: str, rng: random.Random) -> Iterator[Json]:
    """Copies of a session that is idle and that nobody waits for, under another name."""
    all_of = looked(rows, "sessions")
    waited_for = {pid for row in all_of for pid in row.get("blocked_by") or ()}
    idle = [row for row in all_of if row["state"] == "idle" and row["pid"] not in waited_for]
    highest = max((int(row["pid"]) for row in all_of), default=1)
    for n in range(rng.randint(*SESSIONS) if idle else 0):
        row = {**rng.choice(idle), "pid": highest + 7 * (n + 1), "application": application, "role": role}
        yield {"look": "sessions", "row": {**row, "query": "select 1"}}


def _statement(rows: list[Json], role: str, rng: random.Random) -> Iterator[Json]:
    """A statement of that client: what costs least, run by another role."""
    found = sorted(looked(rows, "statements"), key=lambda row: float(row["total_ms"]))
    for row in found[:1]:
        made = {**row, "id": str(rng.getrandbits(62)), "role": role, "query": "select 1"}
        yield {"look": "statements", "row": made}


def _line(material: Material, texts: Stock, client: tuple[str, str], rng: random.Random) -> str:
    """A line of a good day, between the log's first and last; empty where the log is written another way."""
    stamps = [parse_time(f"{hit[0][:-4]}Z") for hit in STAMP.finditer(material.logs[LOG])]
    settings = {row["name"]: row["setting"] for row in looked(material.rows, "settings")}
    if not stamps:
        return ""
    line = rng.choice(texts.database)
    moment = stamps[0] + (stamps[-1] - stamps[0]) * rng.random()
    prefix = _prefix(settings.get("log_line_prefix", "%m [%p] "), moment, client, material, line.client, rng)
    said = Template(line.text).substitute(n=rng.randint(200, 990), application=client[0], role=client[1])
    return f"{prefix}{line.level}:  {said}"


def _prefix(
    form: str,
    moment: datetime,
    client: tuple[str, str],
    material: Material,
    of_a_client: bool,
    rng: random.Random,
) -> str:
    """What the server puts before a line, by its setting log_line_prefix."""
    if not of_a_client:
        form = form.partition("%q")[0]
    fill = {
        "m": f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03} UTC",
        "t": f"{moment:%Y-%m-%d %H:%M:%S} UTC",
        "p": str(rng.randint(20_000, 30_000)),
        "a": client[0],
        "u": client[1],
        "d": str(looked(material.rows, "server")[0]["database"]),
        "h": "127.0.0.1",
    }
    return re.sub(r"%(.)", lambda hit: fill.get(hit[1], ""), form)


def _merged(log: str, lines: list[str]) -> str:
    """The log with further lines before the first of a later time; what belongs together stays so."""
    left = sorted(lines)
    made: list[str] = []
    for line in log.splitlines():
        while left and STAMP.match(line) and " LOG: " in line and left[0] < line:
            made.append(left.pop(0))
        made.append(line)
    return "".join(f"{line}\n" for line in (*made, *left))
