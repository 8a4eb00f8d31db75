"""What a declared tool may not be, though each of its keys holds something of the right type. Pure.

The first thing that is wrong is told, with its place and what to write.
"""

import difflib
import re
from collections.abc import Iterable, Iterator
from typing import Any

from opssquad.errors import ToolError
from opssquad.extensions.declared import jsonpath
from opssquad.extensions.declared.document import (
    AnyTool,
    CommandStep,
    HttpStep,
    Parameter,
    Secret,
    SignalRule,
    SqlStep,
    SqlTool,
    Step,
    Test,
)
from opssquad.extensions.declared.requests import unsound as unsound_request
from opssquad.extensions.declared.statements import binds
from opssquad.extensions.declared.template import fill, holes
from opssquad.extensions.declared.unsound import Place, Unsound
from opssquad.extensions.python import NAME
from opssquad.gate.redact import Redactor
from opssquad.matching import groups, matcher
from opssquad.toolbox import ROLES
from opssquad.types import Ref
from opssquad.worlds.http.client import SAFE

SHELLS = ("sh", "bash", "dash", "ash", "zsh", "ksh", "fish", "busybox", "pwsh", "cmd")
INTERPRETERS = ("python", "python3", "perl", "ruby", "node", "php", "lua", "awk")
_SHELL_WORD = re.compile(r"\|\|?|\|&|&&?|;;?|\d?>>?|\d?>&[\d-]?|&>>?|\d?<<?<?|[$<>]\(.*|`.*|\$\{?\w+\}?")
_SHELL_CODE, _CODE = re.compile(r"-\w*c\w*"), re.compile(r"-\w*[ce]\w*")
_SIGNAL = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_SECRET = re.compile(r"[A-Za-z]\w*")
TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def check(tool: AnyTool) -> None:
    """Raises Unsound for the first thing that makes no sense."""
    if not NAME.fullmatch(tool.name):
        raise Unsound(
            ("name",), "is no name that models take: small letters, digits and _, at most 64, a letter first"
        )
    if not tool.description.strip():
        raise Unsound(
            ("description",), "is empty; say in a sentence what it tells or does: the model reads it"
        )
    for name, parameter in tool.parameters.items():
        _parameter(("parameters", name), name, parameter)
    _roles(tool)
    used: set[str] = set()
    for place, step in steps(tool):
        used |= set(_step(place, step, tool.parameters))
    for number, rule in enumerate(tool.signals):
        used |= set(_signal(("signals", number), rule, tool.parameters))
    if unused := next((name for name in tool.parameters if name not in used), ""):
        raise Unsound(
            ("parameters", unused), f"is used nowhere; write {{{unused}}} where it belongs, or drop it"
        )


def steps(tool: AnyTool) -> Iterator[tuple[Place, Step]]:
    """What the tool can do: the act, and what stands around it, each with its place."""
    yield (), tool
    if not isinstance(tool, SqlTool):
        for name in ("preview", "undo", "verify"):
            if step := getattr(tool, name):
                yield (name,), step


def _parameter(place: Place, name: str, parameter: Parameter) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name) or name.startswith("model_") or name == "before":
        raise Unsound(
            place, "is no name for a parameter: small letters, digits and _, not `before`, not `model_`"
        )
    kinds = TYPES[parameter.type]
    if parameter.optional and parameter.default is not None:
        _of_type((*place, "default"), parameter.default, kinds, parameter.type)
    for each in parameter.enum:
        _of_type((*place, "enum"), each, kinds, parameter.type)
    if parameter.pattern:
        if parameter.type != "string":
            raise Unsound((*place, "pattern"), f"is for strings, and this is of type {parameter.type}")
        _regex((*place, "pattern"), parameter.pattern)
    for bound in ("minimum", "maximum"):
        if getattr(parameter, bound) is not None and parameter.type not in ("integer", "number"):
            raise Unsound((*place, bound), f"is for numbers, and this is of type {parameter.type}")


def _of_type(place: Place, value: Any, kinds: tuple[type, ...], said: str) -> None:
    if not isinstance(value, kinds) or isinstance(value, bool) and bool not in kinds:
        raise Unsound(place, f"{value!r} is no {said}")


def _regex(place: Place, pattern: str) -> None:
    try:
        matcher(pattern)
    except ToolError as error:
        raise Unsound(place, str(error)) from None


def _roles(tool: AnyTool) -> None:
    """A change has what must stand around it, a read has nothing that is for changes."""
    around = {} if isinstance(tool, SqlTool) else {n: getattr(tool, n) for n in ROLES}
    if isinstance(tool, SqlTool) and tool.effect == "mutate":
        raise Unsound(("effect",), "a statement only reads here; changes go through the tools that we bring")
    if tool.effect == "read" or isinstance(tool, SqlTool):
        if tool.effect is None:
            raise Unsound((), "effect is missing; a statement only reads, so write `effect: read`")
        odd = next(
            (name for name, step in around.items() if step), "irreversible" if tool.irreversible else ""
        )
        if odd:
            raise Unsound((odd,), "is for a tool that changes something; write `effect: mutate`, or drop it")
        _reads((), tool)
        return
    if tool.irreversible and around["undo"]:
        raise Unsound(("irreversible",), "says that there is no undo, and there is one; drop one of them")
    missing = [n for n, step in around.items() if not step and not (n == "undo" and tool.irreversible)]
    if missing:
        raise Unsound((), _lacks(missing, declared=tool.effect is not None))
    for name in ("preview", "verify"):
        _reads((name,), around[name])


def _lacks(missing: Iterable[str], *, declared: bool) -> str:
    told = {
        "preview": "`preview:` (what shows, without a change, what it would do)",
        "undo": "`undo:` (what takes it back) or `irreversible: why there is none`",
        "verify": "`verify:` with `expect:` (what shows that it helped)",
    }
    add = "; ".join(told[each] for each in missing)
    said = "it changes something" if declared else "effect is not declared, so it counts as one that changes"
    return f"{said}, and lacks {add}" + ("" if declared else "; or write `effect: read` if it only reads")


def _reads(place: Place, step: Any) -> None:
    if isinstance(step, CommandStep) and step.writes:
        raise Unsound((*place, "writes"), "is for what changes something, and this is to read")
    if isinstance(step, HttpStep) and step.method not in SAFE:
        raise Unsound(
            (*place, "method"), f"{step.method} changes something, and this is to read: {', '.join(SAFE)}"
        )


def _step(place: Place, step: Step, parameters: dict[str, Parameter]) -> list[str]:
    """The parameters that it uses."""
    match step:
        case CommandStep():
            _command(place, step)
            told: Any = [*step.argv, step.env_texts(), step.stdin, step.cwd]
            found = holes(told)
        case HttpStep():
            unsound_request(place, step, parameters)
            found = holes([step.url, step.query, step.header_texts(), step.body])
        case SqlStep():
            found = _statement(place, step, parameters)
    for each in found:
        _known(place, each, parameters)
    if not isinstance(step, SqlStep):
        _path((*place, "answer"), step.answer)
        _test((*place, "expect"), getattr(step, "expect", None))
    return found


def _known(place: Place, hole: str, known: Iterable[str]) -> None:
    if hole not in known:
        near = difflib.get_close_matches(hole, list(known), n=1) or list(known)
        there = f"there is: {', '.join(near)}" if near else "there is none"
        raise Unsound(place, f"{{{hole}}} is no parameter; {there}; write {{{{{hole}}}}} for the text itself")


def _command(place: Place, step: CommandStep) -> None:
    for number, word in enumerate(step.argv):
        here = (*place, "argv", number)
        if _SHELL_WORD.fullmatch(word):
            raise Unsound(
                here,
                f"{word!r} is for a shell, and none reads this: it would be an argument like others; "
                "run one program, or a script of your own",
            )
        name = word.rpartition("/")[2]
        sign = _SHELL_CODE if name in SHELLS else _CODE
        code = number + 1 < len(step.argv) and sign.fullmatch(step.argv[number + 1])
        if code and name in SHELLS and number == 0:
            raise Unsound(here, f"{name} -c is a shell; name the program itself, or a script of your own")
        if code and name in (*SHELLS, *INTERPRETERS) and holes(list(step.argv[number + 2 : number + 3])):
            raise Unsound(
                (*place, "argv", number + 2),
                "a hole in the text of a program lets an argument be program; give it as an argument",
            )
    if holes(step.argv[0]) or not step.argv[0]:
        raise Unsound((*place, "argv", 0), "the program has a fixed name; a hole may stand in its arguments")
    for name, value in step.env.items():
        if isinstance(value, Secret) and not _SECRET.fullmatch(value.secret):
            raise Unsound(
                (*place, "env", name), f"{value.secret!r} is no name of a secret: letters, digits, _"
            )
    plain = {name: value for name, value in step.env.items() if isinstance(value, str)}
    if Redactor().value(list(step.argv))[1] or Redactor().value(plain)[1]:
        raise Unsound(
            (*place, "argv"),
            "a secret stands in it; put it into `tools.yaml`, and write `env: {NAME: {secret: NAME}}`",
        )


def _statement(place: Place, step: SqlStep, parameters: dict[str, Parameter]) -> list[str]:
    # Late: the grammar of PostgreSQL is large.
    from opssquad.gate.sql import SqlRefusal, prove

    text, names = binds(step.statement, parameters)
    found = prove(text, binds=bool(names))
    if isinstance(found, SqlRefusal):
        raise Unsound((*place, "statement"), f"does not provably only read: {found.reason}")
    return names


def _path(place: Place, path: str) -> None:
    try:
        jsonpath.parse(path)
    except ToolError as error:
        raise Unsound(place, str(error)) from None


def _test(place: Place, test: Test | None) -> None:
    if test is None:
        return
    compares = test.exact or test.above is not None or test.below is not None
    if bool(test.regex) == bool(test.path):
        raise Unsound(place, "needs one of `regex` and `path`")
    if test.regex:
        _regex((*place, "regex"), test.regex)
        if compares:
            raise Unsound(place, "compares a value, which stands at a `path`; drop it, or the `regex`")
    _path((*place, "path"), test.path)


def _signal(place: Place, rule: SignalRule, parameters: dict[str, Parameter]) -> list[str]:
    if not _SIGNAL.fullmatch(rule.id):
        raise Unsound((*place, "id"), f"{rule.id!r} is no id of a signal; write it as queue.too_deep")
    _test((*place, "when"), rule.when)
    found = holes([rule.text, rule.entity])
    if rule.when.regex:
        # Fields beside a value of JSON are known only when they are there.
        for each in found:
            _known(place, each, [*parameters, *groups(rule.when.regex)])
    try:
        Ref.parse(fill(rule.entity, dict.fromkeys(found, "x")))
    except ValueError:
        raise Unsound(
            (*place, "entity"), f"{rule.entity!r} is not Kind/namespace/name, as Queue//{{name}}"
        ) from None
    return found
