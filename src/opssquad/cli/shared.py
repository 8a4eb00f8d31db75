"""What every command shares: how to draw on the screen and where state lives. No heavy import: the screen and
the settings are made when a command asks for them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from opssquad.cli.render.screen import Screen
    from opssquad.settings import Settings

F = TypeVar("F", bound=Callable[..., Any])


@dataclass
class Shared:
    """Options that hold for every command, wherever they stand on the line."""

    no_color: bool = False
    state: Path | None = None

    def screen(self) -> "Screen":
        """The screen to draw on."""
        from opssquad.cli.render.screen import Screen

        return Screen(no_color=self.no_color)

    def settings(self) -> "Settings":
        """The environment's settings, `--state` winning. Raises UsageError."""
        from opssquad.settings import load

        settings = load()
        return settings.model_copy(update={"state": self.state.absolute()}) if self.state else settings


def _set_no_color(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    shared = ctx.ensure_object(Shared)
    shared.no_color = shared.no_color or value


def _set_state(ctx: click.Context, param: click.Parameter, value: Path | None) -> None:
    shared = ctx.ensure_object(Shared)
    shared.state = value or shared.state


def screen_options(function: F) -> F:
    """Add --no-color and --state; they end in the context's `Shared`, not in the function's arguments."""
    color = click.option(
        "--no-color",
        is_flag=True,
        expose_value=False,
        callback=_set_no_color,
        help="No colour (also: the NO_COLOR variable, or a pipe).",
    )
    state = click.option(
        "--state",
        type=click.Path(path_type=Path, file_okay=False),
        expose_value=False,
        callback=_set_state,
        metavar="DIR",
        help="State folder (also: OPSSQUAD_STATE).",
    )
    return color(state(function))


shared = click.make_pass_decorator(Shared, ensure=True)
