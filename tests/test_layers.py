"""The layering of docs/design.md as a test: who may import whom, and which library has which door."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "opssquad"

# Rows see only rows below them; units of one row never see each other.
ROWS: tuple[tuple[str, ...], ...] = (
    ("cli", "testing"),
    ("evals",),
    ("investigation",),
    ("squad", "fleet", "incident"),
    ("extensions",),
    ("models", "diagnosis", "gate", "worlds", "store", "executor", "content"),
    ("toolbox", "settings", "templates", "documents", "matching"),
    ("events",),
    ("findings", "observations"),
    ("types",),
    ("errors", "times", "together"),
)
LEVEL = {unit: level for level, row in enumerate(ROWS) for unit in row}

# Third parties with one door each: a prefix of the importing module's path below src/opssquad.
FENCES: dict[str, tuple[str, ...]] = {
    "openai": ("models/chat",),
    "httpx2": ("models/chat", "worlds/mcp/"),
    "anyio": ("worlds/mcp/",),
    "mcp": ("worlds/mcp/",),
    "mcp_types": ("worlds/mcp/",),
    "starlette": ("worlds/mcp/",),
    "uvicorn": ("worlds/mcp/",),
    "tenacity": ("models/chat", "worlds/"),
    "kubernetes": ("worlds/kube/",),
    "aiohttp": ("worlds/kube/", "worlds/http/live"),
    "jsonpatch": ("worlds/kube/",),
    "jsonschema": ("worlds/mcp/",),
    "langgraph": ("squad/graph", "store/"),
    "aiosqlite": ("store/",),
    "nats": ("fleet/link",),
    "dns": ("worlds/net/",),
    "cryptography": ("worlds/net/",),
    "OpenSSL": ("worlds/net/",),
    "h11": ("worlds/net/",),
    "idna": ("worlds/net/",),
    "psycopg": ("worlds/sql/", "store/postgres"),
    "postgast": ("gate/sql",),
    "rich": ("cli/", "evals/report"),
    "prompt_toolkit": ("cli/",),
    "click": ("cli/",),
    "re2": ("matching",),
    "jinja2": ("evals/report",),
    "pytest": ("evals/plugin",),
    "_pytest": (),
}


def sources(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def imported(path: Path, package: str) -> Iterator[tuple[str, int]]:
    """Every module a file imports, relative ones made absolute, with the line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield f"{module}.{alias.name}", node.lineno


def unit_of(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if parts[0] == "opssquad" and len(parts) > 1 and parts[1] in LEVEL else None


def package_of(path: Path) -> str:
    return ".".join(("opssquad", *path.relative_to(PACKAGE).parent.parts))


@pytest.mark.parametrize("path", sources(PACKAGE), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_rows_see_only_rows_below(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if own not in LEVEL:
        assert own in {"__init__", "__main__"}, f"{own} has no row in the table of layers"
        return
    bad = [
        f"line {line}: {name}"
        for name, line in imported(path, package_of(path))
        if (unit := unit_of(name)) and unit != own and LEVEL[unit] <= LEVEL[own]
    ]
    assert not bad, f"{own} may not see {bad}"


@pytest.mark.parametrize("path", sources(PACKAGE), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_third_parties_stay_behind_their_door(path: Path) -> None:
    where = path.relative_to(PACKAGE).as_posix()
    bad = [
        f"line {line}: {name}"
        for name, line in imported(path, package_of(path))
        if (doors := FENCES.get(name.split(".")[0])) and not where.startswith(doors)
    ]
    assert not bad, f"{where} may not import {bad}"


@pytest.mark.parametrize("path", sources(ROOT / "tools"), ids=lambda p: p.name)
def test_tools_see_only_the_public_package(path: Path) -> None:
    bad = [
        f"line {line}: {name}"
        for name, line in imported(path, ".".join(("tools", *path.relative_to(ROOT / "tools").parent.parts)))
        if name.startswith("opssquad.") and name.count(".") > 1 or name.split(".")[0] in FENCES
    ]
    assert not bad, f"a tool sees only what the root of opssquad exports: {bad}"
