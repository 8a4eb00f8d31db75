"""Host names that did not resolve, as the errors of common languages, libraries and tools tell it."""

import re
from typing import Literal, NamedTuple

_NAME = r"(?P<host>[A-Za-z0-9_][\w.-]{0,250})"
_FORMS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b(?:error sending request for url \(|(?:GET|POST|PUT|DELETE|Get|Post) \"?)\w+://{_NAME}",
        rf"\bCannot connect to host {_NAME}:",
        rf"\blookup {_NAME}(?: on [^\s]+)?: ",
        rf"\b(?:ENOTFOUND|EAI_AGAIN) {_NAME}",
        rf"\bUnknownHostException: {_NAME}",
        rf"\btranslate host name [\"']{_NAME}",
        rf"\bhost='{_NAME}'",
        rf"\bconnecting to {_NAME}:\d+",
        rf"\b(?:[Cc]ould not|[Cc]ouldn't|[Cc]an't|[Cc]annot|[Uu]nable to|[Ff]ailed to) "
        rf"(?:resolve|find)(?: host(?:name)?| address| name)?:? [\"']?{_NAME}",
        rf"\bDNS resolution failed for (?:\w+:///?)?{_NAME}",
        rf"\bquery\w* E[A-Z]+ {_NAME}",
        rf"\b{_NAME} could not be resolved \(",
        rf"\bUnknown MySQL server host '{_NAME}",
        rf"\bto_address,? ?\{{?(?:~c)?['\"]{_NAME}",
        rf"\btcp connect \({_NAME}:\d+\): ",
        rf"\b(?:Resource temporarily unavailable|[Nn]ame does not resolve) \({_NAME}(?::\d+)?\)",
        rf"\bhost not found in upstream \"{_NAME}",
        rf"\bbad address '{_NAME}",
        rf"(?:Name or service not known|Temporary failure in name resolution|[Nn]o such host)"
        rf"[^\n]{{0,20}}?\({_NAME}(?::\d+)?\)",
        rf"\b(?!information\b){_NAME}(?::\d+)?[\"']?: "
        r"(?:Name or service not known|Temporary failure in name|nodename nor)",
    )
)
_NO_ANSWER = re.compile(
    r"EAI_AGAIN|[Tt]emporary failure in name resolution|server misbehaving"
    r"|\bcan't find [^\s:]+: SERVFAIL|SERVFAIL"
    r"|\blookup [^\n]{0,200}(?:i/o timeout|connection refused|deadline exceeded)"
    r"|(?:getaddrinfo|UnknownHost)[^\n]{0,200}[Tt]ry again"
    r"|[Dd][Nn][Ss] [^\n]{0,40}timed? ?out|Resolving timed out|Timeout while contacting DNS"
    r"|DnsNameResolverTimeout"
    r"|\bquery\w* E(?:TIMEOUT|SERVFAIL|CONNREFUSED|REFUSED) |Resource temporarily unavailable \([\w.-]+:\d+\)"
    r"|could not be resolved \((?:110|2): "
)
_NOT_FOUND = re.compile(
    r"[Nn]o such host|ENOTFOUND|[Nn]ame or service not known|UnknownHostException"
    r"|\bcan't find [^\s:]+: NXDOMAIN|NXDOMAIN"
    r"|nodename nor servname|[Hh]ost not found in upstream|bad address '|[Cc]ould not resolve host"
    r"|\bnxdomain\b|non-existing domain|No address associated with hostname|Domain name not found"
    r"|produced zero addresses|could not be resolved \(3: |\bqueryA* ENOTFOUND|Unknown MySQL server host"
    r"|bootstrap\.servers as DNS resolution failed"
    r"|[Cc]an't resolve '|[Nn]ame does not resolve|could not translate host name"
)
HINTS = (
    *(
        "no such host",
        "enotfound",
        "nxdomain",
        "not known",
        "unknownhost",
        "servname",
        "not found in",
        "bad ",
    ),
    *("nxdomain", "non-existing", "no address", "zero addresses", "query", "unavailable (", "unknown mysql"),
    *(
        "domain name",
        "resol",
        "eai_again",
        "try again",
        "servfail",
        "misbehaving",
        "lookup ",
        "dns ",
        "translate host",
    ),
)
"""One of these, in lower case, stands in all that tells of a lookup."""


ANSWERS = ("NXDOMAIN", "SERVFAIL")
"""Words that a DNS server writes for every such answer that it gives, in the best of health."""


class Lookup(NamedTuple):
    """A name that did not resolve (\"\" if the text does not say which): the DNS does not know it
    (`not_found`), or gave no answer (`no_answer`); and the words that tell it."""

    host: str
    how: Literal["not_found", "no_answer"]
    words: str


def failed_lookup(text: str, grave: bool = True) -> Lookup | None:
    """What an entry of a log tells of a name that did not resolve; `grave` if it is a warning or worse."""
    found = _failed(text)
    return None if found and not grave and found.words in ANSWERS else found


def _failed(text: str) -> Lookup | None:
    lower = text.lower()
    if not any(hint in lower for hint in HINTS):
        return None
    # An error that says "try again" knows nothing of the name, whatever the exception is called.
    if found := _NO_ANSWER.search(text):
        return Lookup(_host(text), "no_answer", found[0])
    if found := _NOT_FOUND.search(text):
        return Lookup(_host(text), "not_found", found[0])
    return None


def _host(text: str) -> str:
    return next((found["host"].rstrip(".") for each in _FORMS if (found := each.search(text))), "")
