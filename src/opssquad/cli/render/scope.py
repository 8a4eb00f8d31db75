"""Which cluster, namespace, squad and model are meant: the line that stands with every answer and card, so
that nobody acts on the wrong cluster unseen.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from opssquad.cli.text import visible
from opssquad.types import Target


@dataclass
class Scope:
    """What is on screen as the scope. It follows the run: a call that names a namespace moves it."""

    target: Target
    squad: str
    model: str

    def follow(self, target: Target) -> None:
        """Take over where a call or a question goes; a target without a namespace keeps the known one."""
        kept = target.namespace or (self.target.namespace if target.cluster == self.target.cluster else "")
        self.target = target.model_copy(update={"namespace": kept})

    def where(self) -> str:
        """`cluster production · namespace shop`, safe to show."""
        return where(self.target)

    def __str__(self) -> str:
        return f"{self.where()} · squad {visible(self.squad)} · model {visible(self.model)}"


def where(target: Target) -> str:
    """`cluster production · namespace shop`, safe to show; says so when no namespace was chosen."""
    return " · ".join(_parts(target))


def _parts(target: Target) -> Iterator[str]:
    if not (target.cluster or target.namespace or target.database):
        yield "the network, no cluster"
    elif target.cluster or not target.database:
        yield f"cluster {visible(target.cluster)}"
        yield f"namespace {visible(target.namespace)}" if target.namespace else "all namespaces"
    if target.database:
        yield f"database {visible(target.database)}"
    if target.node:
        yield f"node {visible(target.node)}"
