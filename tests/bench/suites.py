"""What evals cost: the full suite offline, two runs at a time, as it is and with 80 recordings; its page."""

import json
import tempfile
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

import yaml

from opssquad import content
from opssquad.evals.perturb import perturbed
from tests.bench.measure import Figure, environment, run

RECORDINGS = 80
"""As many as the suite is to grow to; what is missing is made of those that there are, under other names."""


def suite_figures(times: int) -> list[Figure]:
    """Seconds a recording and for 80 of them, memory of a worker, the harness's own time a case, the page."""
    runs = [_made("full") for _ in range(times)]
    with tempfile.TemporaryDirectory() as folder:
        large = _made(str(_grown(Path(folder))))
    results = [result for each in (*runs, large) for result in each["results"]]
    shape = f"{len(runs[0]['results'])} runs of {runs[0]['recordings']} recordings"
    grown = f"{len(large['results'])} runs of {large['recordings']} recordings"
    each = [made["seconds"] / made["recordings"] for made in runs]
    return [
        Figure("full suite offline, -j 2, a recording", each, "s", 1.5, shape),
        Figure(f"the same with {RECORDINGS} recordings", [large["seconds"]], "s", 120, grown),
        Figure("full suite, most memory of a worker", [r["peak"] for r in results], "MB", 300),
        Figure(
            "full suite, the harness's own time a run", [r["overhead"] * 1000 for r in results], "ms", 150
        ),
        Figure("full suite, the report's page", [made["page"] for made in (*runs, large)], "MB", 5),
    ]


def _made(suite: str) -> dict[str, Any]:
    """One run of a suite: its seconds, results and recordings, and the megabytes of its page."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        files = {form: here / f"report.{form}" for form in ("json", "html")}
        given = [part for form, file in files.items() for part in (f"--{form}", str(file))]
        done = run(["-m", "opssquad", "eval", "run", suite, "-j", "2", *given], here, environment(here))
        assert done.code == 0, done.output
        results = json.loads(files["json"].read_text(encoding="utf-8"))["results"]
        page = files["html"].stat().st_size / 1e6
    recordings = len({result["recording"] for result in results})
    return {"seconds": done.seconds, "results": results, "recordings": recordings, "page": page}


def _grown(folder: Path) -> Path:
    """The full suite over 80 recordings, as a file beside those that were made."""
    own = list(content.recordings().values())
    made: list[Path] = []
    for seed in count(1):
        for recording in own:
            if len(own) + len(made) == RECORDINGS:
                return _written(folder, [*own, *made])
            made.append(perturbed(recording, folder / str(seed), shift=seed, noise=None))
    raise AssertionError


def _written(folder: Path, recordings: Sequence[Path]) -> Path:
    suite = yaml.safe_load(content.suite("full").read_text(encoding="utf-8"))
    entries = [
        {**entry, "recording": str(recording)}
        for entry in suite["cases"]
        for recording in (recordings if entry["recording"] == "*" else [entry["recording"]])
    ]
    file = folder / "grown.yaml"
    file.write_text(yaml.safe_dump({**suite, "name": "grown", "cases": entries}), encoding="utf-8")
    return file
