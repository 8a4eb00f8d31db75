"""Real programs, run by the handle: what they get, how they end, and that nothing of them is left."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from opssquad.errors import Refused, ToolError, ToolUnsure
from opssquad.worlds.command.commands import Commands
from opssquad.worlds.command.live import LiveCommands

ENVIRON = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "OPENAI_API_KEY": "k", "HTTPS_PROXY": "http://p:1"}
DEAF = "import os, signal; signal.signal(15, signal.SIG_IGN)"
SLEEPS = "import time; time.sleep(600)"


@pytest.fixture
def commands() -> Commands:
    return Commands(LiveCommands(environ=ENVIRON))


@pytest.fixture
def reading(commands: Commands) -> Commands:
    return commands.limited("read")


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path: Path) -> Iterator[None]:
    """No process that knows this test's folder outlives it, however it tried."""
    yield
    left = running(tmp_path)
    for each in left:
        os.kill(each, signal.SIGKILL)
    assert not left


def running(mark: object) -> list[int]:
    """The processes that have that in their command line."""
    found = []
    for each in Path("/proc").iterdir():
        if each.name.isdigit():
            # One that ended meanwhile has none.
            with contextlib.suppress(OSError):
                if str(mark).encode() in (each / "cmdline").read_bytes():
                    found.append(int(each.name))
    return found


def python(code: str, *args: object) -> list[str]:
    return ["/usr/bin/env", sys.executable, "-I", "-S", "-c", code, *map(str, args)]


def reads() -> tuple[str, ...]:
    """Where the interpreter of the tests is, which may be anywhere."""
    return (sys.base_prefix, sys.prefix)


async def test_a_program_gets_each_argument_as_it_is(reading: Commands) -> None:
    ran = await reading.run(["printf", "%s\n", "a b", "$HOME", "; ls", "`id`", "*"])
    assert (ran.code, ran.out, ran.err, ran.cut) == (0, "a b\n$HOME\n; ls\n`id`\n*\n", "", False)
    assert ran.argv[0] == "printf"
    assert ran.ms > 0


async def test_both_channels_and_the_exit_code_are_told(reading: Commands) -> None:
    ran = await reading.run(["ls", "/nowhere/at/all"])
    assert ran.code != 0
    assert ran.out == ""
    assert "nowhere" in ran.err


async def test_a_program_that_a_signal_ended_tells_which(reading: Commands) -> None:
    ran = await reading.run(python("import os; os.kill(os.getpid(), 11)"), reads=reads())
    assert ran.code == -signal.SIGSEGV


async def test_only_allowed_variables_reach_a_program(reading: Commands) -> None:
    ran = await reading.run(["env"], env={"REGION": "north"})
    names = {line.partition("=")[0] for line in ran.out.splitlines()}
    assert {"PATH", "LANG", "HOME", "TMPDIR", "REGION"} == names
    ran = await reading.run(["env"], network=True)
    assert "HTTPS_PROXY=http://p:1" in ran.out.splitlines()
    assert "OPENAI_API_KEY" not in ran.out


async def test_its_home_is_a_folder_of_its_own_that_goes_away(reading: Commands) -> None:
    ran = await reading.run(["sh", "-c", "pwd; echo x >kept; cat kept; echo $HOME"])
    folder, kept, home = ran.out.splitlines()
    assert (kept, home) == ("x", folder)
    assert not Path(folder).exists()


async def test_a_working_folder_is_kept_to(reading: Commands, tmp_path: Path) -> None:
    (tmp_path / "here.txt").write_text("found\n")
    assert (await reading.run(["cat", "here.txt"], cwd=str(tmp_path))).out == "found\n"
    with pytest.raises(ToolError, match="no absolute path of a folder"):
        await reading.run(["pwd"], cwd=str(tmp_path / "gone"))


async def test_input_is_given_and_one_that_is_not_read_harms_nothing(reading: Commands) -> None:
    assert (await reading.run(["cat"], stdin="line\n")).out == "line\n"
    assert (await reading.run(["true"], stdin="x" * 1_000_000)).code == 0


async def test_bytes_that_are_no_text_survive_as_replacement_characters(reading: Commands) -> None:
    assert (await reading.run(["printf", r"a\377b"])).out == "a\ufffdb"


@pytest.mark.parametrize("channel", ["/dev/stdout", "/dev/stderr"])
async def test_output_without_end_is_cut_at_the_cap(reading: Commands, channel: str) -> None:
    ran = await reading.run(["sh", "-c", f"yes >&{2 if 'err' in channel else 1}"], cap=10_000, seconds=60)
    assert ran.cut
    assert len(ran.out) + len(ran.err) == 10_000


def resident() -> int:
    """Bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def test_a_gigabyte_is_never_held(reading: Commands) -> None:
    before = resident()
    ran = await reading.run(["head", "-c", "1000000000", "/dev/zero"], cap=1_000_000, seconds=60)
    assert ran.cut
    assert resident() - before < 50_000_000


@pytest.mark.parametrize(
    "code",
    [
        SLEEPS,
        f"{DEAF}; {SLEEPS}",
        f"{DEAF}; [os.fork() for _ in range(3)]; {SLEEPS}",
        # Leaves the session, the group and its parent.
        f"{DEAF}; os.fork() or os.setsid(); os.fork(); {SLEEPS}",
    ],
    ids=["hangs", "ignores SIGTERM", "forks", "leaves its session"],
)
async def test_a_program_that_does_not_end_is_killed_with_all_it_started(
    reading: Commands, tmp_path: Path, code: str
) -> None:
    with pytest.raises(ToolError, match=r"did not end within 0.5 s and was killed") as told:
        await reading.run(python(code, tmp_path), seconds=0.5, reads=reads())
    assert not isinstance(told.value, ToolUnsure)
    assert "\n" not in str(told.value)


async def test_a_change_that_was_stopped_may_have_happened(commands: Commands, tmp_path: Path) -> None:
    with pytest.raises(ToolUnsure, match="what it changed by then is not known"):
        await commands.run(python(SLEEPS, tmp_path), seconds=0.3, reads=reads())


async def test_what_a_program_leaves_in_the_background_ends_with_it(
    reading: Commands, tmp_path: Path
) -> None:
    left = f"import os; os.fork() or (os.setsid(), __import__('time').sleep(600)); print({str(tmp_path)!r})"
    ran = await reading.run(python(left, tmp_path), seconds=60, reads=reads())
    assert ran.code == 0
    assert ran.out.strip() == str(tmp_path)


async def test_a_call_that_is_cancelled_leaves_nothing(reading: Commands, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    code = f"{DEAF}; os.fork(); {SLEEPS}"
    call = asyncio.create_task(reading.run(python(code, ready), reads=reads()))
    while len(running(ready)) < 2:
        await asyncio.sleep(0.02)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_who_starts_it_may_be_killed_and_nothing_is_left(tmp_path: Path) -> None:
    script = (
        "import asyncio, sys\n"
        "from opssquad.worlds.command.commands import Commands\n"
        "from opssquad.worlds.command.live import LiveCommands\n"
        "argv = ['sh', '-c', 'sh -c \"sleep 600; :\" \"$0\"; :', sys.argv[1]]\n"
        "asyncio.run(Commands(LiveCommands()).run(argv))\n"
    )
    mark = str(tmp_path / "orphan")
    owner = await asyncio.create_subprocess_exec(sys.executable, "-c", script, mark)

    while len(running(mark)) < 3:
        await asyncio.sleep(0.02)
    owner.kill()
    await owner.wait()
    until = time.monotonic() + 20
    while running(mark) and time.monotonic() < until:
        await asyncio.sleep(0.02)
    assert not running(mark)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ("ls -l", "a list of arguments"),
        ([], "no program was named"),
        (["no-such-program-here"], "there is no program 'no-such-program-here' in PATH"),
        (["./tool"], "relative path"),
        (["/etc/passwd"], "no program that may be run"),
        (["ls", "a\0b"], "NUL byte"),
    ],
)
async def test_what_cannot_be_run_is_one_clear_line(reading: Commands, argv: list[str], said: str) -> None:
    with pytest.raises(ToolError, match=said) as told:
        await reading.run(argv)
    assert "\n" not in str(told.value)


async def test_a_variable_that_is_none_is_refused_without_its_value(reading: Commands) -> None:
    with pytest.raises(ToolError, match="no name of an environment variable"):
        await reading.run(["true"], env={"A B": "x"})
    with pytest.raises(ToolError) as told:
        await reading.run(["true"], env={"KEY": "hunter\0two"})
    assert "hunter" not in str(told.value)


async def test_a_read_may_write_nothing(reading: Commands, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="may only read"):
        await reading.run(["touch", "x"], writes=[str(tmp_path)])


async def test_a_file_that_is_no_program_says_why(reading: Commands, tmp_path: Path) -> None:
    script = tmp_path / "tool"
    script.write_bytes(b"\x00\x01nothing")
    script.chmod(0o755)
    with pytest.raises(ToolError, match="#!"):
        await reading.run([str(script)])
