"""Errors of a program's own code, in the words of runtimes: a null that was used, a key that is not there, an
index out of bounds. They tell a fault of the code, or of data it was not written for, from a failed call.
Pure."""

import re

_JAVA = (
    "NullPointer|ClassCast|(?:Array|String)?IndexOutOfBounds|NumberFormat|Arithmetic|UnsupportedOperation"
    "|NoSuchElement|ConcurrentModification|IllegalArgument|IllegalState"
)
_DOTNET = (
    "NullReference|InvalidCast|IndexOutOfRange|KeyNotFound|Format|ArgumentNull|ArgumentOutOfRange|DivideByZero"
    "|InvalidOperation|NotImplemented"
)
_DYNAMIC = (
    "TypeError|KeyError|AttributeError|IndexError|ZeroDivisionError|NameError|UnboundLocalError|RecursionError"
    "|ReferenceError|RangeError|NoMethodError|FunctionClauseError|MatchError|CaseClauseError|AssertionError"
    "|UndefinedFunctionError|NoSuchMethodError|NoClassDefFoundError|StackOverflowError|UnicodeDecodeError"
)
_PLAIN = (
    r"nil pointer dereference|invalid memory address|index out of (?:range|bounds)|slice bounds out of range"
    r"|interface conversion: |assignment to entry in nil map|integer divide by zero|\bpanicked at "
    r"|called `(?:Option|Result)::unwrap\(\)`|Cannot read propert(?:y|ies) of (?:undefined|null)"
    r"|is not a function\b|is not iterable\b|undefined method |Undefined (?:index|variable|array key|offset)"
    r"|Call to undefined |Call to a member function"
)
HINTS = (
    "exception",
    "error",
    "nil ",
    "panicked",
    "index out",
    "unwrap()",
    "undefined",
    "is not ",
    "slice",
    "call to",
)
"""One of these, in lower case, stands in all that the form matches."""
_FORM = re.compile(rf"\b(?:{_JAVA}|{_DOTNET})Exception\b|\b(?:{_DYNAMIC})\b|{_PLAIN}")


def defect(text: str) -> str:
    """The words that tell of such an error; "" where none do."""
    lower = text.lower()
    found = _FORM.search(text) if any(hint in lower for hint in HINTS) else None
    return found[0] if found else ""
