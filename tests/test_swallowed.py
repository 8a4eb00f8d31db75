"""No exception is swallowed: what is caught broadly is raised again, or stands here with its reason."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted([*(ROOT / "src").rglob("*.py"), *(ROOT / "tools").rglob("*.py")])
BROAD = {"Exception", "BaseException"}
ALLOWED = {
    (
        "tools/_reading_logs.py",
        "return_exceptions",
    ): "what is no ToolError is raised again, the others are told by pod",
    ("src/opssquad/extensions/python.py", "except"): "what somebody else's file raises is told with its line",
    ("src/opssquad/extensions/stepping.py", "except"): "it is raised where the result is awaited",
}
"""(file, what) and why it may: nothing is lost there."""


def names(node: ast.expr | None) -> set[str]:
    """The names of the exceptions in an `except` or a `suppress`."""
    if node is None:
        return {"Exception"}
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    return {part.attr if isinstance(part, ast.Attribute) else getattr(part, "id", "") for part in parts}


def raises_again(handler: ast.ExceptHandler) -> bool:
    """Whether its last statement raises: the error goes on."""
    return isinstance(handler.body[-1], ast.Raise)


def swallowed(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every place in a module where an exception of any kind could end."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and names(node.type) & BROAD and not raises_again(node):
            yield "except", node.lineno
        if isinstance(node, ast.Call):
            called = names(node.func)
            if "suppress" in called and any(names(each) & BROAD for each in node.args):
                yield "suppress", node.lineno
            if any(k.arg == "return_exceptions" and _true(k.value) for k in node.keywords):
                yield "return_exceptions", node.lineno
        # A `return` in a `finally` throws away whatever was on its way.
        if isinstance(node, ast.Try) and any(
            isinstance(inner, ast.Return) for each in node.finalbody for inner in ast.walk(each)
        ):
            yield "finally", node.lineno


def _true(node: ast.expr) -> bool:
    return not (isinstance(node, ast.Constant) and node.value is False)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_exception_is_swallowed(path: Path) -> None:
    where = str(path.relative_to(ROOT))
    found = swallowed(ast.parse(path.read_text(encoding="utf-8")))
    bad = [f"line {line}: {what}" for what, line in found if (where, what) not in ALLOWED]
    assert not bad, f"{where} swallows: {bad}"


@pytest.mark.parametrize(
    "code",
    [
        "try: f()\nexcept: pass",
        "try: f()\nexcept Exception as e: log(e)",
        "try: f()\nexcept (ValueError, BaseException): x = 1",
        "with suppress(Exception): f()",
        "with contextlib.suppress(OSError, BaseException): f()",
        "gather(f(), return_exceptions=True)",
        "def g():\n try: f()\n finally: return 1",
    ],
)
def test_each_way_to_swallow_is_seen(code: str) -> None:
    assert list(swallowed(ast.parse(code)))


def test_each_reason_is_still_needed() -> None:
    found = {
        (str(path.relative_to(ROOT)), what)
        for path in SOURCES
        for what, _ in swallowed(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert set(ALLOWED) <= found
