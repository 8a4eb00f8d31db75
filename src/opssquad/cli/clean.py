"""Takes secrets out of what is typed and of what goes wrong, before a line of it is kept or shown."""

from collections.abc import Callable

from opssquad.errors import OpsError
from opssquad.gate.names import Lexicon, secrets
from opssquad.gate.own import Own, load_own
from opssquad.gate.redact import Redactor
from opssquad.settings import Settings, load

Clean = Callable[[str], str]


def cleaner(settings: Settings) -> Clean:
    """As the conversation takes them out, with its placeholders. Raises UsageError, StoreError."""
    return Redactor.open(settings.state, load_own(settings.redaction)).clean


def last_resort(text: str) -> str:
    """The same where nothing may fail any more: without the key of the state folder, and without the
    organisation's file if that is what went wrong."""
    try:
        own = load_own(load().redaction)
    except OpsError:
        own = Own()
    return Redactor(lexicon=Lexicon(secrets(), own)).clean(text)
