"""What evals cost: the full suite offline, two runs at a time, and the page of its report."""

import json
import tempfile
from pathlib import Path

from tests.bench.measure import Figure, environment, run


def suite_figures(times: int) -> list[Figure]:
    """Seconds a recording, memory of a worker, the harness's own time a case, size of the page."""
    seconds: list[float] = []
    overhead: list[float] = []
    peaks: list[float] = []
    pages: list[float] = []
    runs = recordings = 0
    for _ in range(times):
        with tempfile.TemporaryDirectory() as folder:
            here = Path(folder)
            files = {form: here / f"report.{form}" for form in ("json", "html")}
            given = [part for form, file in files.items() for part in (f"--{form}", str(file))]
            argv = ["-m", "opssquad", "eval", "run", "full", "-j", "2", *given]
            done = run(argv, here, environment(here))
            assert done.code == 0, done.output
            results = json.loads(files["json"].read_text(encoding="utf-8"))["results"]
            pages.append(files["html"].stat().st_size / 1e6)
        runs, recordings = len(results), len({r["recording"] for r in results})
        seconds.append(done.seconds / recordings)
        overhead += [r["overhead"] * 1000 for r in results]
        peaks.append(max(r["peak"] for r in results))
    shape = f"{runs} runs of {recordings} recordings"
    return [
        Figure("full suite offline, -j 2, a recording", seconds, "s", 1.5, shape),
        Figure("full suite, most memory of a worker", peaks, "MB", 300),
        Figure("full suite, the harness's own time a run", overhead, "ms", 150),
        Figure("full suite, the report's page", pages, "MB", 5),
    ]
