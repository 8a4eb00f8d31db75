"""Who answers in an investigation: the model of a name, and what goes on where it fails."""

from pathlib import Path

from opssquad import content, settings
from opssquad.gate.own import load_own
from opssquad.investigation.options import Options
from opssquad.investigation.systems import Systems
from opssquad.models.base import Model
from opssquad.models.offline import Offline
from opssquad.models.phrases import load_book
from opssquad.squad.known import squads
from opssquad.squad.masking import masked
from opssquad.store.sqlite import Store

SCRIPT = "scripted:"
"""A model that plays the replies of a YAML file: for tests and documentation."""


def make_model(name: str, options: Options, store: Store, systems: Systems) -> Model:
    """The model of that name: `offline`, `scripted:FILE`, or an endpoint's, masked if it is to be.
    Raises UsageError."""
    if options.beside.model:
        return options.beside.model
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
    return masked(spoken, chat.host, own.mask, store.output, systems.names)


def offline() -> Offline:
    """The model that needs no endpoint."""
    bundled = content.phrase_books()
    own = {name: text for name, each in squads().items() if (text := each.phrases(bundled)) is not None}
    return Offline({squad: load_book(text) for squad, text in {**bundled, **own}.items()})


def fallback(model: Model, options: Options) -> Offline | None:
    """What goes on where the model fails, if anything may."""
    if isinstance(model, Offline):
        return model
    return offline() if options.fallback else None
