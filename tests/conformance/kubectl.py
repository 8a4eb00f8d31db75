"""Runs the real `kubectl` where it is installed, with a configuration and a cache of its own."""

import asyncio
import shutil
from pathlib import Path

import pytest

KUBECTL = shutil.which("kubectl")
installed = pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed on this machine")
SECONDS = 60


async def run(arguments: list[str], home: Path, kubeconfig: Path) -> tuple[int, str, str]:
    """One command in the folder `home`: exit code, stdout, stderr."""
    environment = {"KUBECONFIG": str(kubeconfig), "HOME": str(home), "TZ": "UTC", "PATH": "/usr/bin:/bin"}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        str(KUBECTL), *arguments, cwd=home, env=environment, stdout=pipe, stderr=pipe
    )
    async with asyncio.timeout(SECONDS):
        out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()
