"""Who answers in an investigation: the model of a name, and what goes on where it fails."""

from contextlib import suppress
from pathlib import Path

from opssquad import content, settings
from opssquad.errors import ToolError
from opssquad.gate.own import load_own
from opssquad.investigation.options import Options
from opssquad.models.base import Model
from opssquad.models.offline import Offline
from opssquad.models.phrases import load_book
from opssquad.squad.masking import masked
from opssquad.store.sqlite import Store
from opssquad.worlds.kube.cluster import Cluster

SCRIPT = "scripted:"
"""A model that plays the replies of a YAML file: for tests and documentation."""


def make_model(name: str, options: Options, store: Store, cluster: Cluster) -> Model:
    """The model of that name: `offline`, `scripted:FILE`, or an endpoint's, masked if it is to be.
    Raises UsageError."""
    if name == settings.OFFLINE:
        return offline()
    if name.startswith(SCRIPT):
        from opssquad.models.scripted import Scripted

        return Scripted.load(Path(name.removeprefix(SCRIPT)))
    from opssquad.models.cassette import Player, Recorder

    if options.tape and options.replay:
        return Player.open(options.tape, name)
    from opssquad.models.chat import Chat

    chat, own = Chat.of(settings.load(), name, options.sampling), load_own(options.redaction)
    spoken = Recorder(chat, options.tape) if options.tape else chat
    return masked(spoken, chat.host, own.mask, store.output, lambda: names_of(cluster))


NAMED = ("Namespace", "Node", "Deployment", "StatefulSet", "DaemonSet", "CronJob", "Service")


async def names_of(cluster: Cluster) -> list[str]:
    """The names that a conversation may begin with, as far as one may list them."""
    found: list[str] = []
    for kind in NAMED:
        with suppress(ToolError):
            found += await cluster.list(kind, keep=lambda obj: obj["metadata"]["name"])
    return found


def offline() -> Offline:
    """The model that needs no endpoint."""
    return Offline(load_book(content.phrase_book()))


def fallback(model: Model, options: Options) -> Offline | None:
    """What goes on where the model fails, if anything may."""
    if isinstance(model, Offline):
        return model
    return offline() if options.fallback else None
