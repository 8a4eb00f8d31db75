"""What a kubectl line is: a read, a change that one of our own tools makes, or refused; always with a reason.

`grammar.yaml` says what kubectl understands (generated from a real one), `reads.yaml` what of that may be
read. Nothing is run here.
"""

from opssquad.gate.kubectl.classify import classify as classify
from opssquad.gate.kubectl.place import TOOL as TOOL
from opssquad.gate.kubectl.place import namespace_of as namespace_of
