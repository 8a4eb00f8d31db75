"""Which templates of `--output` may pick values out of objects.

A value that stands alone has no name any more that tells it to be a secret, so a template may not go where
objects carry such values: environment, data, arguments, fields with a secret's name.
"""

import re
from functools import cache

from opssquad.gate.kubectl.unclear import Unclear
from opssquad.gate.names import Lexicon, secrets

CLOSED = frozenset({"data", "binarydata", "stringdata", "env", "value", "values", "args", "command"})
ESCAPES = re.compile(r"\\(?![.nt/\"'])")
NAME = re.compile(r"[A-Za-z0-9_-]+")
COLUMNS = "custom-columns="


@cache
def _lexicon() -> Lexicon:
    return Lexicon(secrets())


def check_template(output: str) -> None:
    """Raise Unclear if a template such as `jsonpath={.data}` may print a bare value that is a secret."""
    kind, _, template = output.partition("=")
    text = _columns(template) if output.startswith(COLUMNS) else template
    if ".." in text or "*" in text.replace("[*]", ""):
        raise Unclear(f"--output={kind}: name the fields; neither `..` nor `*` but in [*]")
    if ESCAPES.search(text):
        raise Unclear(f"--output={kind}: no such escapes")
    for name in NAME.findall(text.replace("\\", "")):
        if name.lower() in CLOSED or _lexicon().strength(name):
            raise Unclear(
                f"--output={kind}: {name!r} may hold a secret; whole objects (-o yaml) show it safely"
            )


def _columns(template: str) -> str:
    """The paths of the columns without their headings."""
    return ",".join(each.partition(":")[2] or each for each in template.split(","))
