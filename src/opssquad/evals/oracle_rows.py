"""The strict oracle for a recorded database: what its rows are once every act has taken effect."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from opssquad.evals.transcript import End
from opssquad.investigation.options import RecordedPart
from opssquad.times import parse_time
from opssquad.types import Json
from opssquad.worlds.kube.recording.spec import RowsRule, Truth
from opssquad.worlds.sql.database import shown
from opssquad.worlds.sql.effects import TAKEN_AWAY
from opssquad.worlds.sql.material import Material, load_material
from opssquad.worlds.sql.recorded import played

Span = tuple[datetime, datetime]
"""From the start to the end of an approved change, in real time."""
SLACK = timedelta(seconds=1)
"""How far the clocks of two processes of one machine may be from each other."""


def with_rows(end: End, part: RecordedPart, truth: Truth, spans: Sequence[Span]) -> End:
    """What the cluster's oracle found, and what the database's did: mended are both or it is not."""
    material = load_material(part.folder)
    acts = [entry for entry in played(material, part.journal) if entry["act"] != TAKEN_AWAY]
    left = (*end.left, *left_of(material, truth.rows))
    unapproved = [
        f"{entry['act']} {entry['args']}"
        for entry in acts
        if not any(began - SLACK <= parse_time(entry["real"]) <= ended + SLACK for began, ended in spans)
    ]
    return End(
        fixed=not left,
        left=left,
        touched=end.touched or bool(acts),
        unapproved=(*end.unapproved, *unapproved),
    )


def left_of(material: Material, rules: Sequence[RowsRule]) -> Iterator[str]:
    """What the rows still lack to be mended by these rules."""
    for rule in rules:
        count = sum(_meets(row, rule.where) for row in material.rows.get(rule.look, ()))
        wanted = ", ".join(f"{name}={value}" for name, value in rule.where.items()) or "any"
        if count < rule.least:
            yield f"{rule.look}: {count} rows with {wanted}, and there must be {rule.least}"
        if rule.most is not None and count > rule.most:
            yield f"{rule.look}: {count} rows with {wanted}, and there may be {rule.most}"


def _meets(row: Json, where: Mapping[str, str]) -> bool:
    told = {name: "" if row.get(name) is None else shown(row[name]) for name in where}
    return all(fnmatchcase(told[name], pattern) for name, pattern in where.items())
