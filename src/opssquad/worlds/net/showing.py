"""Whether a recorded network shows a text to whoever asks."""

from datetime import datetime

from opssquad.errors import ToolError
from opssquad.worlds.net.asking import parse
from opssquad.worlds.net.deriving import answered
from opssquad.worlds.net.material import Material
from opssquad.worlds.net.telling import lines, place
from opssquad.worlds.net.view import view

AGAIN = 20
"""How often a probe is asked, where packets get lost, before what it should show does not stand there."""


def shows(material: Material, clock: datetime, where: str, text: str) -> bool:
    """Whether a probe, in the words that name it as evidence, is answered with that text before anything is
    mended."""
    try:
        ask = parse(where)
    except ToolError:
        return False
    known = {each.name for each in material.told.origins}
    if ask.origin not in known or place(ask) != f"probe {where}":
        return False
    seen = view(material, clock)
    return any(text in "\n".join(lines(answered(ask, seen, number))) for number in range(AGAIN))
