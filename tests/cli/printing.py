"""Runs a command in this process, and keeps what it printed; a state folder with an audit log in it."""

import io
from contextlib import redirect_stderr, redirect_stdout
from datetime import timedelta
from pathlib import Path

from opssquad.cli.app import run
from opssquad.store.sqlite import Store
from tests.samples import NOW, a_draft

LENGTH = 9
"""Lines that `filled` writes."""


class Printed(io.StringIO):
    """What a command prints, bytes too."""

    def __init__(self) -> None:
        super().__init__()
        self.buffer = io.BytesIO()

    @property
    def all(self) -> str:
        return self.getvalue() + self.buffer.getvalue().decode()


def opssquad(state: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and everything that was printed."""
    out = Printed()
    with redirect_stdout(out), redirect_stderr(out):
        code = run(["--state", str(state), *arguments])
    return code, out.all


async def filled(state: Path) -> None:
    async with await Store.open(state) as store:
        for number in range(LENGTH):
            await store.audit(
                a_draft(
                    ts=NOW + timedelta(hours=number),
                    thread=f"t{number % 2}",
                    incident=f"i{number % 3}",
                    requested_by="ada" if number < 4 else "sam",
                    kind="verdict" if number == 5 else "call",
                    ms=number,
                )
            )
