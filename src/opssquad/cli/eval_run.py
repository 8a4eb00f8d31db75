"""`opssquad eval run`: play suites with a line of progress, and report in every form that was asked for."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opssquad.cli.eval_plan import plan_of, writable
from opssquad.cli.failures import INCONCLUSIVE, INTERNAL, OK
from opssquad.cli.shared import F, Shared, screen_options, shared

if TYPE_CHECKING:
    from opssquad.evals.comparing import Comparison
    from opssquad.evals.result import Judged, Report
    from opssquad.evals.run import Run
    from opssquad.models.base import Model
    from opssquad.settings import Settings

FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)
RUNS = "evals"
"""Where runs are kept, below the state folder."""
FORMS = ("json_file", "junit_file", "html_file")


def report_files(function: F) -> F:
    """Add --json, --junit and --html: files that a report is written to."""
    json = click.option("--json", "json_file", type=FILE, metavar="FILE", help="Write the report as JSON.")
    junit = click.option("--junit", "junit_file", type=FILE, metavar="FILE", help="Write it as JUnit XML.")
    html = click.option("--html", "html_file", type=FILE, metavar="FILE", help="Write it as one HTML page.")
    return json(junit(html(function)))


@click.command("run")
@click.argument("suites", nargs=-1, metavar="[SUITE...]")
@click.option("--squad", default="", metavar="NAME", help="Only cases of this squad.")
@click.option("--case", default="", metavar="GLOB", help="Only cases or recordings of that name.")
@click.option("--tag", default="", metavar="TAG", help="Only cases with this tag.")
@click.option("--repeat", default=1, type=click.IntRange(1, 100), help="Make every run that often.")
@click.option("--model", "models", multiple=True, metavar="NAME", help="Who answers; may be repeated.")
@click.option("--temperature", type=click.FloatRange(0, 2), help="Sent to the models' endpoint.")
@click.option("--seed", type=int, help="Sent to the models' endpoint.")
@click.option("--shift", is_flag=False, flag_value=1, type=int, metavar="[SEED]",
              help="Play every recording under other names, at another time.")  # fmt: skip
@click.option("--noise", is_flag=False, flag_value=1, type=int, metavar="[SEED]",
              help="Add what has nothing to do with it.")  # fmt: skip
@click.option("-j", "--jobs", default=0, type=click.IntRange(0, 64), help="Runs at a time; 0: one a core.",
              show_default=True)  # fmt: skip
@report_files
@click.option("--baseline", type=FILE, metavar="FILE", help="Compare with an earlier report (JSON).")
@click.option("--fail-under", multiple=True, metavar="NAME=SHARE", help="Exit 1 below it: joint=0.9.")
@click.option("--record", type=FOLDER, metavar="DIR", help="Keep what models are asked and answer.")
@click.option("--replay", type=FOLDER, metavar="DIR", help="Play them from there, without an endpoint.")
@click.option("--judge", default="", metavar="NAME",
              help="Ask a model whether the root cause was said; counts nowhere.")  # fmt: skip
@click.option("--resume", default="", metavar="RUN", help="Go on with a run; `last` is the latest.")
@screen_options
@shared
def run_suites(shared: Shared, /, **given: Any) -> int:
    """Play suites (`smoke`, `check`, `full`, or a file) and report.

    Exit codes: 0 all well, 1 a threshold is missed, worse than the baseline, or harm was done, 2 usage, 3 not
    everything could be run, 130 interrupted (what is finished is reported and kept; go on with --resume).
    """
    from opssquad.evals.report.files import read_report
    from opssquad.evals.run import Run
    from opssquad.evals.thresholds import thresholds

    thresholds(given["fail_under"])
    writable(given)
    settings = shared.settings()
    runs = settings.state / RUNS
    plan = plan_of(given, settings)
    run = Run.again(runs, given["resume"]) if given["resume"] else Run.new(runs, plan)
    baseline = read_report(given["baseline"]) if given["baseline"] else None
    if baseline:
        from opssquad.evals.comparing import comparable

        comparable(baseline, run.head(), str(given["baseline"]))
    judge = _judge(settings, given["judge"])
    opinions: Judged | None = None
    compared: Sequence[Comparison] = ()
    try:
        _make(shared, run, given["jobs"])
        opinions = _opinions(judge, run)
    finally:
        # Also when it was stopped amid it: what is finished is worth its report.
        report = run.report(opinions)
        if report.results:
            compared = compared_with(report, baseline, given["baseline"])
            _shown(shared, report, compared, run)
            write_forms(report, compared, **{form: given[form] for form in FORMS})
    worse = bool(baseline) and any(each.verdict == "worse" for each in compared)
    return _exit_code(shared, report, given["fail_under"], worse)


def _make(shared: Shared, run: "Run", jobs: int) -> None:
    import os

    from opssquad.cli.running import run as run_to_end
    from opssquad.evals.report.progress import Progress

    with Progress(shared.screen().console, len(run.missing)) as progress:
        run_to_end(run.make(jobs or os.cpu_count() or 1, progress.add))


def _judge(settings: "Settings", name: str) -> "Model | None":
    from opssquad.evals.judge import judge

    return judge(settings, name) if name else None


def _opinions(judge: "Model | None", run: "Run") -> "Judged | None":
    from opssquad.cli.running import run as run_to_end
    from opssquad.evals.judge import judged

    return run_to_end(judged(judge, run.report().results)) if judge else None


def compared_with(report: "Report", baseline: "Report | None", file: Path | None) -> "Sequence[Comparison]":
    from opssquad.evals.comparing import against, between

    if baseline:
        return against(baseline, report, str(file))
    return [between(report, report.models[0], other) for other in report.models[1:]]


def write_forms(
    report: "Report",
    compared: "Sequence[Comparison]",
    *,
    json_file: Path | None = None,
    junit_file: Path | None = None,
    html_file: Path | None = None,
) -> None:
    """Write the report in every form that has a file."""
    from opssquad.evals.figures import figures
    from opssquad.evals.report.files import write_file, write_report

    if json_file:
        shares = {each.model: each.parts.model_dump(mode="json") for each in figures(report).models}
        write_report(report.model_copy(update={"figures": shares}), json_file)
    if junit_file:
        from opssquad.evals.report.junit import junit

        write_file(junit_file, junit(report))
    if html_file:
        from opssquad.evals.report.html import html

        write_file(html_file, html(report, figures(report), compared).encode())


def _shown(shared: Shared, report: "Report", compared: "Sequence[Comparison]", run: "Run") -> None:
    from opssquad.evals.figures import figures
    from opssquad.evals.report.terminal import show

    screen = shared.screen()
    show(screen.console, report, figures(report), compared)
    screen.gap()
    if report.partial:
        screen.flow("stopped before the end; go on with this, and with the files and thresholds as before:")
        screen.command(f"opssquad eval run --resume {run.kept.name}", indent=2)
    else:
        screen.flow("kept; to see it again:")
        screen.command(f"opssquad eval show {run.kept.name}", indent=2)


def _exit_code(shared: Shared, report: "Report", under: tuple[str, ...], worse: bool) -> int:
    from opssquad.evals.figures import figures
    from opssquad.evals.thresholds import failing_under

    screen = shared.screen()
    missed = failing_under(figures(report), under)
    for line in missed:
        screen.flow(line)
    scores = [result.score for result in report.results if result.score]
    if worse:
        screen.flow("worse than the baseline, by more than noise")
    if missed or worse or any(score.executed or score.unapproved for score in scores):
        return INTERNAL
    return INCONCLUSIVE if report.partial or any(r.state != "run" for r in report.results) else OK
