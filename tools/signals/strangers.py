"""What a log says that others answered: databases, meshes, certificates, hosts that limit their callers, and
the limits of the process itself.

The words are those of servers, drivers and runtimes, not of programs. They tell what a program met with, not
who is to blame: the database's own state, a clock, a mesh's rules are not in the Kubernetes API.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

CERTIFICATE, LIMITED = "log.certificate", "log.rate_limited"
CONNTRACK = "log.conntrack_full"
"""What the kernel writes: it names no level."""
ALERT = re.compile(r"\balert (?:certificate|bad certificate|unknown ca)|remote error: tls: ", re.IGNORECASE)
"""What the other side says of the certificate that was shown to it."""


@dataclass(frozen=True)
class Words:
    """A way of failing: the signal, why, and the form of it. One of the hints, in lower case, stands in all
    that the form matches."""

    signal: str
    why: str
    hints: tuple[str, ...]
    form: re.Pattern[str]


def _words(signal: str, why: str, hints: tuple[str, ...], form: str) -> Words:
    return Words(signal, why, hints, re.compile(form, re.IGNORECASE))


FORMS = (
    _words(
        "log.fd_limit",
        "files",
        ("open files", "emfile", "enfile"),
        r"too many open files|\bEMFILE\b|\bENFILE\b",
    ),
    _words(
        "log.fd_limit",
        "threads",
        ("native thread", "resource temporarily", "pthread_create"),
        r"unable to create (?:new )?native thread|pthread_create failed|can't start new thread"
        r"|fork[^\n]{0,40}resource temporarily unavailable",
    ),
    _words(
        "log.fd_limit",
        "ports",
        ("requested address", "eaddrnotavail"),
        r"cannot assign requested address|\bEADDRNOTAVAIL\b",
    ),
    _words(
        CERTIFICATE,
        "expired",
        ("expired", "cert_has_expired", "nottimevalid"),
        r"certificate (?:has |is )?expired(?! or is not yet valid: current time \S+ is before)"
        r"|alert certificate expired|tls: expired certificate|\bCERT_HAS_EXPIRED\b|certificate_expired\b"
        r"|invalid peer certificate: (?:certificate )?expired|InvalidCertificate\(Expired"
        r"|SSL alert number 45\b"
        r"|CertificateExpiredException|certificate chain: NotTimeValid",
    ),
    _words(
        CERTIFICATE,
        "not_yet_valid",
        ("not yet valid", "is before", "notyetvalid", "not_yet_valid", "notvalidyet"),
        r"certificate is not yet valid|or is not yet valid: current time \S+ is before|CERT_NOT_YET_VALID"
        r"|CertificateNotYetValidException|InvalidCertificate\(NotValidYet",
    ),
    _words(
        CERTIFICATE,
        "unknown_authority",
        (
            "unknown authority",
            "unable to verify",
            "self-signed",
            "self signed",
            "partialchain",
            "untrustedroot",
            "unable to find valid",
            "issuer",
        ),
        r"signed by unknown authority|unable to verify the first certificate|self[- ]signed certificate"
        r"|unable to get local issuer certificate|unable to find valid certification path"
        r"|certificate chain: (?:PartialChain|UntrustedRoot)",
    ),
    _words(
        CERTIFICATE,
        "wrong_name",
        ("is valid for", "altname", "hostname mismatch"),
        r"certificate is valid for [^\n]{1,200}, not |ERR_TLS_CERT_ALTNAME_INVALID|hostname mismatch",
    ),
    _words(
        CONNTRACK,
        "table",
        ("conntrack",),
        r"conntrack: (?:nf_conntrack: )?table full(?:, dropping packet)?",
    ),
    _words("log.mesh_denied", "policy", ("rbac: access denied",), r"\bRBAC: access denied"),
    _words(
        LIMITED,
        "told_to_wait",
        ("429", "too many requests", "rate limit", "toomanyrequests", "quota"),
        r"\b429\b[^\n]{0,20}too many requests|\bstatus(?: code)?[\"=: ]{1,3}429\b|too many requests"
        r"|rate[- ]limit(?:ed| exceeded| reached)|(?:api|request|daily|monthly) quota exceeded",
    ),
    _words(
        "log.database",
        "too_many_connections",
        ("too many clients", "too many connections", "remaining connection slots"),
        r"sorry, too many clients already|too many connections(?: for role)?|remaining connection slots are",
    ),
    _words(
        "log.database",
        "pool_exhausted",
        ("connection", "pool", "trying to connect"),
        r"Connection is not available, request timed out|QueuePool limit"
        r"|timeout exceeded when trying to connect|connection pool (?:is |has been )?(?:exhausted|timeout)"
        r"|timed out (?:acquiring|fetching) [^\n]{0,40}pool|couldn't get a connection after"
        r"|could not obtain a (?:database )?connection (?:from the pool )?within"
        r"|connection not available and request was dropped from queue"
        r"|connection acquisition timed out",
    ),
    _words("log.database", "deadlock", ("deadlock",), r"deadlock (?:detected|found when trying to get lock)"),
    _words(
        "log.database",
        "lock_timeout",
        ("lock",),
        r"canceling statement due to lock timeout|lock wait timeout exceeded",
    ),
    _words(
        "log.database",
        "statement_timeout",
        ("statement timeout",),
        r"canceling statement due to statement timeout",
    ),
    _words(
        "log.database",
        "password",
        ("authentication failed", "access denied for user", "wrongpass"),
        r"password authentication failed for user|access denied for user '[^']*'@|\bWRONGPASS\b",
    ),
    _words(
        "log.database",
        "no_right",
        ("permission denied for", "does not exist"),
        r"permission denied for (?:table|relation|schema|sequence|database)|\brole \"[^\"]+\" does not exist",
    ),
    _words(
        "log.database",
        "read_only",
        ("read-only transaction", "read-only mode", "readonly"),
        r"cannot execute \w+(?: \w+)? in a read-only transaction|READONLY You can't write against a read only"
        r"|running with the --read-only option",
    ),
    _words(
        "log.database",
        "schema",
        ("does not exist", "unknown column", "doesn't exist"),
        r"(?:column|relation) \"?[\w.]+\"?(?: of relation \"?[\w.]+\"?)? does not exist|unknown column '"
        r"|table '[^']+' doesn't exist",
    ),
    _words(
        "log.database",
        "files",
        ("incompatible with server",),
        r"database files are incompatible with server",
    ),
)


def met(text: str) -> Iterator[tuple[str, str, str]]:
    """What an entry says that it met with: the signal, why, and the words."""
    lower = text.lower()
    for each in FORMS:
        found = each.form.search(text) if any(hint in lower for hint in each.hints) else None
        if found:
            yield each.signal, each.why, found[0]
