"""What the engineer sees when something goes wrong: one line on stderr, and an exit code for scripts.

A mistake of the operator is told as such; a bug leaves its traceback in a log file, never on the screen.
"""

import errno
import os
import sys
import textwrap
from datetime import UTC, datetime
from pathlib import Path

import click

from opssquad.errors import OpsError, UsageError

OK, INTERNAL, USAGE, INCONCLUSIVE, PENDING, INTERRUPTED = 0, 1, 2, 3, 4, 130


class Told(BaseException):
    """The process was told to go, by that signal; the exit code is 128 and its number, as shells count."""

    def __init__(self, signal: int) -> None:
        super().__init__(f"ended by signal {signal}")
        self.signal = signal


def report(error: BaseException, state: Path | None = None) -> int:
    """Say what went wrong in one line, and return the exit code; `state` is the folder given by --state."""
    match error:
        case SystemExit():
            return error.code if isinstance(error.code, int) else INTERNAL
        case Told():
            return 128 + error.signal
        case KeyboardInterrupt() | click.Abort() | EOFError():
            return INTERRUPTED
        case BrokenPipeError():
            return _reader_left()
        case click.ClickException():
            return _say(_click_line(error), USAGE)
        case UsageError():
            return _say(_clean(error), USAGE)
        case OpsError():
            return _say(_clean(error), INTERNAL)
        case OSError() if said := disk_line(error):
            return _say(said, INTERNAL)
        case _:
            return _say(bug_line(error, state), INTERNAL)


def disk_line(error: OSError) -> str:
    """What stands in the way on the disk, in one line; empty where the error is about no file."""
    if error.filename is None and error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EROFS}:
        return ""
    advice = "check what stands there, its permissions, and that the disk has room"
    return f"{error.filename or 'the disk'}: {error.strerror}; {advice}"


def _clean(error: OpsError) -> str:
    from opssquad.cli.clean import last_resort
    from opssquad.cli.text import visible

    return last_resort(visible(" ".join(str(error).split())))


def bug_line(error: BaseException, state: Path | None = None) -> str:
    """One honest line about a bug; its traceback goes to a log file in the state folder."""
    from opssquad.cli.clean import last_resort

    what = last_resort(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
    try:
        where = f"the traceback is in {_log(error, state)}"
    except OSError as unwritable:
        where = f"and the traceback could not be written ({unwritable})"
    return f"internal error, this is a bug in opssquad: {what}; {where}"


def _log(error: BaseException, state: Path | None) -> Path:
    import traceback

    from opssquad.cli.clean import last_resort
    from opssquad.settings import load

    folder = (state or load().state) / "logs"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    now = datetime.now(UTC)
    path = folder / f"error-{now:%Y%m%dT%H%M%S}-{os.getpid()}.log"
    with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(f"{now.isoformat()} opssquad {' '.join(sys.argv[1:2])}\n")
        file.write(last_resort("".join(traceback.format_exception(error))))
    path.chmod(0o600)
    return path


def _say(line: str, code: int) -> int:
    from opssquad.cli.text import in_encoding, visible

    said = in_encoding(f"opssquad: {visible(' '.join(line.split()))}", sys.stderr.encoding or "ascii")
    width = os.get_terminal_size(sys.stderr.fileno()).columns if sys.stderr.isatty() else 0
    click.echo(folded(said, width), err=True)
    return code


def folded(line: str, width: int) -> str:
    """The line parted between words at `width` columns, as a person reads it; 0 leaves it whole, for scripts.
    A path or an id is never torn: it must be possible to copy it."""
    if not width:
        return line
    pieces = textwrap.wrap(
        line, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(pieces)


def _click_line(error: click.ClickException) -> str:
    message = error.format_message().rstrip(".")
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = context.command_path if context else "opssquad"
    return f"{message}. See `{path} --help`."


def _reader_left() -> int:
    """`opssquad ... | head` closed the pipe: not our error, and Python must not complain at exit."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, sys.stdout.fileno())
    return OK
