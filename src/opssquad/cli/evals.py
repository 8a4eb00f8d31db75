"""`opssquad eval`: play suites of recorded incidents, see how a squad fares, compare two runs."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from opssquad.cli.eval_promote import promote_incident
from opssquad.cli.eval_run import FILE, RUNS, compared_with, report_files, run_suites, write_forms
from opssquad.cli.failures import OK
from opssquad.cli.shared import Shared, screen_options, shared

if TYPE_CHECKING:
    from opssquad.evals.result import Report


@click.group("eval")
def command() -> None:
    """Play suites of recorded incidents and score what a squad makes of them."""


command.add_command(run_suites)
command.add_command(promote_incident)


@command.command("list")
@click.argument("suites", nargs=-1, metavar="[SUITE...]")
@screen_options
@shared
def list_suites(shared: Shared, suites: tuple[str, ...]) -> int:
    """List the suites that came with the product; of those that are named, every case."""
    from opssquad import content
    from opssquad.evals.plan import cases_of
    from opssquad.evals.suite import read_suite

    screen = shared.screen()
    for name in suites or content.suites():
        read = read_suite(name)
        cases = cases_of([read])
        about = f": {read.suite.about}" if read.suite.about else ""
        screen.flow(f"{read.suite.name} (version {read.suite.version}, {len(cases)} cases){about}")
        for case in cases if suites else ():
            screen.flow(f"{case.id}  {case.question}", indent=4, first="  ")
    return OK


@command.command("show")
@click.argument("run", metavar="RUN|FILE")
@report_files
@screen_options
@shared
def show_run(shared: Shared, /, run: str, **files: "Path | None") -> int:
    """Show an earlier run, finished or not; `last` is the latest."""
    from opssquad.evals.figures import figures
    from opssquad.evals.report.terminal import show

    report = _report(shared, run)
    compared = compared_with(report, None, None)
    write_forms(report, compared, **files)
    show(shared.screen().console, report, figures(report), compared)
    return OK


@command.command("compare")
@click.argument("before", metavar="RUN|FILE")
@click.argument("after", metavar="RUN|FILE")
@click.option("--html", "html_file", type=FILE, metavar="FILE", help="Write the second as one HTML page.")
@screen_options
@shared
def compare_runs(shared: Shared, before: str, after: str, html_file: Path | None) -> int:
    """What got better and worse from one run to another, and whether it is more than noise."""
    from opssquad.evals.comparing import against
    from opssquad.evals.figures import figures
    from opssquad.evals.report.terminal import show

    first, second = _report(shared, before), _report(shared, after)
    compared = against(first, second, before)
    write_forms(second, compared, html_file=html_file)
    show(shared.screen().console, second, figures(second), compared)
    return OK


def _report(shared: Shared, name: str) -> "Report":
    from opssquad.evals.report.files import read_report
    from opssquad.evals.run import Run

    if Path(name).suffix == ".json" or Path(name).is_file():
        return read_report(Path(name))
    return Run.kept_report(shared.settings().state / RUNS, name)
