"""What holds a program: real attempts to get out of it, by programs that succeed without it."""

import os
import shutil
import socket
import sys
from pathlib import Path

import pytest

from opssquad.errors import ToolError
from opssquad.worlds.command.commands import Commands, Ran
from opssquad.worlds.command.live import LiveCommands
from opssquad.worlds.command.sandbox import Sandbox, sandbox

BUBBLEWRAP = Sandbox("bubblewrap", wrap=shutil.which("bwrap") or "")
HOLDERS = [
    pytest.param(sandbox(), id="landlock", marks=pytest.mark.skipif(not sandbox().abi, reason="no Landlock")),
    pytest.param(
        BUBBLEWRAP, id="bubblewrap", marks=pytest.mark.skipif(not BUBBLEWRAP.wrap, reason="no bubblewrap")
    ),
]
OPEN = Sandbox("not sandboxed: for this test")
SECRET = "a thing that nobody may read"


@pytest.fixture(params=HOLDERS)
def held(request: pytest.FixtureRequest) -> Commands:
    """The handle, changes allowed, within each sandbox that this system has."""
    return Commands(LiveCommands(held=request.param))


@pytest.fixture
def free() -> Commands:
    return Commands(LiveCommands(held=OPEN))


async def python(
    commands: Commands, code: str, *args: object, network: bool = False, **paths: tuple[str, ...]
) -> Ran:
    argv = [sys.executable, "-I", "-S", "-c", code, *map(str, args)]
    reads = (sys.base_prefix, sys.prefix, *paths.get("reads", ()))
    return await commands.run(argv, reads=reads, writes=paths.get("writes", ()), network=network)


async def test_a_home_is_not_read_unless_reads_holds_it(
    held: Commands, free: Commands, tmp_path: Path
) -> None:
    keys = tmp_path / ".ssh"
    keys.mkdir()
    (keys / "id").write_text(SECRET)
    argv = ["cat", str(keys / "id")]
    assert (await free.run(argv)).out == SECRET
    assert SECRET not in (await held.run(argv)).out
    assert (await held.run(argv, reads=[str(keys)])).out == SECRET


async def test_a_link_is_no_way_to_what_may_not_be_read(held: Commands, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "shown").mkdir()
    (tmp_path / "shown" / "link").symlink_to(tmp_path / "secret")
    ran = await held.run(["cat", str(tmp_path / "shown" / "link")], reads=[str(tmp_path / "shown")])
    assert SECRET not in ran.out
    assert ran.code != 0


async def test_nothing_is_written_outside_of_writes(held: Commands, free: Commands, tmp_path: Path) -> None:
    mine, other = tmp_path / "mine", tmp_path / "other"
    mine.mkdir()
    other.mkdir()
    assert (await free.run(["touch", str(other / "free")])).code == 0
    assert (await held.run(["touch", str(mine / "x")], writes=[str(mine)])).code == 0
    for attempt in (
        ["touch", str(other / "x")],
        ["sh", "-c", f"echo x >{other / 'free'}"],
        ["rm", str(other / "free")],
        ["ln", str(other / "free"), str(mine / "linked")],
        ["mv", str(mine / "x"), str(other / "x")],
    ):
        ran = await held.run(attempt, reads=[str(other)], writes=[str(mine)])
        assert ran.code != 0, attempt
    assert {each.name for each in other.iterdir()} == {"free"}
    assert (other / "free").read_text() == ""


async def test_no_mode_or_owner_is_changed_without_writes(
    held: Commands, free: Commands, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.touch()
    file.chmod(0o600)
    assert (await free.run(["chmod", "644", str(file)])).code == 0
    for attempt in (["chmod", "777", str(file)], ["chown", f"{os.getuid()}", str(file)]):
        assert (await held.run(attempt, reads=[str(tmp_path)])).code != 0
    assert file.stat().st_mode & 0o777 == 0o644
    assert (await held.run(["sh", "-c", "echo x >a && cp a b && mv b c && touch c && cat c"])).out == "x\n"
    assert (await held.run(["chmod", "600", str(file)], writes=[str(tmp_path)])).code == 0


@pytest.mark.parametrize("family", ["inet", "inet6"])
async def test_nothing_is_connected_to_unless_network_is_on(held: Commands, family: str) -> None:
    kind, address = (socket.AF_INET, "127.0.0.1") if family == "inet" else (socket.AF_INET6, "::1")
    with socket.socket(kind) as server:
        try:
            server.bind((address, 0))
        except OSError:
            pytest.skip(f"no {family} here")
        server.listen()
        code = (
            "import socket, sys\n"
            "socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)\n"
            "print('through')"
        )
        port = server.getsockname()[1]
        assert (await python(held, code, address, port, network=True)).out == "through\n"
        assert (await python(held, code, address, port)).out == ""


async def test_nothing_is_sent_by_udp_either_unless_network_is_on(held: Commands) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)
        code = (
            "import socket, sys\n"
            "socket.socket(2, 2).sendto(sys.argv[2].encode(), ('127.0.0.1', int(sys.argv[1])))"
        )
        port = server.getsockname()[1]
        assert (await python(held, code, port, "off")).code != 0
        assert (await python(held, code, port, "on", network=True)).code == 0
        assert server.recv(10) == b"on"


async def test_no_service_of_this_machine_is_talked_to_unless_network_is_on(
    held: Commands, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "service"))
        server.listen()
        code = "import socket, sys; socket.socket(1).connect(sys.argv[1]); print('through')"
        place = (str(tmp_path),)
        assert (await python(held, code, tmp_path / "service", writes=place, network=True)).out == "through\n"
        assert (await python(held, code, tmp_path / "service", reads=place)).out == ""


async def test_what_other_processes_know_is_not_told(held: Commands) -> None:
    ran = await held.run(["cat", f"/proc/{os.getpid()}/environ", f"/proc/{os.getppid()}/environ"])
    assert ran.out == ""
    assert ran.code != 0


async def test_other_processes_are_not_signalled(held: Commands) -> None:
    assert (await held.run(["sh", "-c", f"kill -0 {os.getpid()}"])).code != 0


async def test_what_it_starts_is_held_too(held: Commands, tmp_path: Path) -> None:
    ran = await held.run(["sh", "-c", f"sh -c 'sh -c \"touch {tmp_path}/x\"'"])
    assert ran.code != 0
    assert not list(tmp_path.iterdir())


async def test_what_it_writes_it_does_not_run(held: Commands) -> None:
    if "Landlock" not in (await held.run(["true"])).sandbox:
        pytest.skip("bubblewrap binds folders whole")
    ran = await held.run(["sh", "-c", "cp /bin/true ./mine && ./mine"])
    assert ran.code == 126


async def test_it_is_said_what_held_a_program(held: Commands, free: Commands) -> None:
    assert (await held.run(["true"])).sandbox.startswith(("Landlock", "bubblewrap"))
    assert (await free.run(["true"])).sandbox.startswith("not sandboxed")


async def test_a_path_that_is_not_there_is_told(held: Commands, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"reads names '.*gone', which is not there"):
        await held.run(["true"], reads=[str(tmp_path / "gone")])


async def test_a_program_outside_of_what_may_be_read_says_what_to_add(held: Commands, tmp_path: Path) -> None:
    script = tmp_path / "own" / "tool"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\necho ran\n")
    script.chmod(0o755)
    assert (await held.run([str(script)])).out == "ran\n"
    interpreter = tmp_path / "sh"
    shutil.copy("/bin/sh", interpreter)
    script.write_text(f"#!{interpreter}\necho ran\n")
    try:
        ran = await held.run([str(script)])
    except ToolError as error:
        assert "add its folder to `reads`" in str(error)  # noqa: PT017  bubblewrap tells it by itself
    else:
        assert ran.sandbox == "bubblewrap"
        assert ran.code != 0
