"""What a kubectl line is. Closed by default: what is not understood whole is refused. Pure."""

from opssquad.gate.kubectl.changes import change
from opssquad.gate.kubectl.parse import parse
from opssquad.gate.kubectl.reads import read
from opssquad.gate.kubectl.unclear import Unclear
from opssquad.gate.kubectl.words import words
from opssquad.types import KubectlLine, KubectlRefusal


def classify(line: str) -> KubectlLine:
    """What the line is, with the reason: a read, a change that one of our tools makes, or refused."""
    try:
        parsed = parse(words(line))
        return change(parsed) or read(parsed)
    except Unclear as error:
        return KubectlRefusal(reason=str(error))
