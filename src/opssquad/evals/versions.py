"""What answered: numbers and digests of everything whose change may change a score."""

import hashlib
import os
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from opssquad import __version__, content, settings
from opssquad.squad.knowledge import own_file
from opssquad.squad.known import squad

PACKAGES = ("pydantic", "langgraph", "openai", "kubernetes", "google-re2")


def versions(squads: Iterable[str]) -> dict[str, str]:
    """By name: opssquad, python, packages, and digests of prompts, tools, policy, the organisation's
    redaction, each squad's folder, and the organisation's faults for it."""
    root = content.root()
    found = {"opssquad": __version__, "python": platform.python_version()}
    found |= {package: _installed(package) for package in PACKAGES}
    found |= {
        "prompts": digest_of(root / "prompts"),
        "tools": digest_of(root / "tools"),
        "policy": digest_of(content.policy()),
    }
    own = settings.load()
    if own.redaction:
        found["redaction"] = digest_of(own.redaction)
    for name in sorted(set(squads)):
        found[f"squad {name}"] = _squad(name)
        if faults := own_file(name, own.faults):
            found[f"faults {name}"] = digest_of(faults)
    return found


def _squad(name: str) -> str:
    """One digest over the folders that a squad stands on."""
    folders = [digest_of(layer.folder) for layer in squad(name).layers]
    return folders[0] if len(folders) == 1 else hashlib.sha256(" ".join(folders).encode()).hexdigest()[:12]


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def digest_of(path: Path) -> str:
    """Twelve letters of the sha256 over names and contents of the files there."""
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    total = hashlib.sha256()
    for file in files:
        if "__pycache__" not in file.parts:
            total.update(f"{file.relative_to(path)}\0".encode() + file.read_bytes() + b"\0")
    return total.hexdigest()[:12]


def machine() -> str:
    """What the run was made on, as figures need it: cores and system."""
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
