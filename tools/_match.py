"""What an engineer's words mean: scored against names, namespaces, Services, labels, the cluster's name.

Pure functions. Several good matches are all kept, so that whoever asks can choose.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from opssquad import Ref

WORD = re.compile(r"[a-z0-9]+")
WHOLE = re.compile(r"[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?")

# Words of any question, never a name by themselves.
COMMON = frozenset(
    WORD.findall(
        """the a an and or of in on at to for from with is are was it its i we you me my our
        this that there what why who how where when which can could do does did should please
        not no all any has have be been since after before now then up down out im m s seeing
        see check show get find look tell go going back pod pods deployment deployments workload
        workloads cluster namespace status log logs error errors rate rates high failing fails
        fail broken slow release released rollout rollback roll restart restarting restarts
        crash health ready running node nodes image version about again still one"""
    )
)
# Words that names and questions share: they break ties, and alone mean nothing.
WEAK = frozenset({"service", "services", "api", "app", "server", "svc"})

NAME, SERVICE, LABEL, SPACE, FAINT = 3.0, 2.5, 1.5, 1.0, 0.2
EXACT_NAME = 6.0
NEAR_BEST = 0.75


@dataclass(frozen=True)
class Candidate:
    """Something that could be meant: its address, label values, and the Services that select its pods."""

    ref: Ref
    labels: tuple[str, ...] = ()
    services: tuple[str, ...] = ()


@dataclass(frozen=True)
class Match:
    """A candidate with its score and what of it the words met."""

    candidate: Candidate
    score: float
    by: tuple[str, ...]


@dataclass(frozen=True)
class Meaning:
    """What the words were taken to mean. `spaces` are namespaces named; `nearest` names if none fits."""

    matches: tuple[Match, ...] = ()
    spaces: tuple[str, ...] = ()
    cluster: bool = False
    nearest: tuple[str, ...] = field(default=())


def words_of(text: str) -> list[str]:
    """The words that may name something, in order, each once."""
    return [w for w in dict.fromkeys(WORD.findall(text.lower())) if w not in COMMON and len(w) > 1]


def understand(text: str, candidates: Iterable[Candidate], spaces: Iterable[str], cluster: str) -> Meaning:
    """The candidates that fit about as well as the best one."""
    listed, words = list(candidates), words_of(text)
    whole = set(WHOLE.findall(text.lower()))
    named = tuple(each for each in spaces if each in whole)
    scored = [_score(each, words, whole) for each in listed]
    direct = [each for each in scored if {"name", "service", "label"} & set(each.by)]
    inside = [each for each in direct if each.candidate.ref.namespace in named]
    pool = inside or direct
    best = max((each.score for each in pool), default=0.0)
    kept = sorted(
        (each for each in pool if each.score >= best * NEAR_BEST),
        key=lambda each: (-each.score, str(each.candidate.ref)),
    )
    if any(each.by[0] == "name" and each.score >= EXACT_NAME for each in kept):
        kept = [each for each in kept if each.score >= EXACT_NAME]
    says_cluster = cluster.lower() in whole or set(WORD.findall(cluster.lower())) <= set(words)
    return Meaning(tuple(kept), named, says_cluster, () if kept else _nearest(words, listed))


def _score(candidate: Candidate, words: list[str], whole: set[str]) -> Match:
    name = candidate.ref.name
    met: dict[str, float] = {}
    if name in whole:
        met["name"] = EXACT_NAME
    fields: Mapping[str, tuple[float, Iterable[str]]] = {
        "name": (NAME, WORD.findall(name)),
        "service": (SERVICE, [w for each in candidate.services for w in WORD.findall(each)]),
        "label": (LABEL, [w for each in candidate.labels for w in WORD.findall(each)]),
        "namespace": (SPACE, WORD.findall(candidate.ref.namespace)),
    }
    faint = 0.0
    for word in words:
        for where, (weight, parts) in fields.items():
            likeness = max((_alike(word, part) for part in parts), default=0.0)
            if word in WEAK:
                faint += FAINT * likeness if where == "name" else 0.0
            elif likeness:
                met[where] = met.get(where, 0.0) + weight * likeness
    by = tuple(each for each in ("name", "service", "label", "namespace") if each in met)
    return Match(candidate, sum(met.values()) + faint, by)


def _alike(word: str, part: str) -> float:
    """1 for the same word, less for an abbreviation, a plural or a typing error, 0 for anything else."""
    if word == part:
        return 1.0
    short, long = sorted((word, part), key=len)
    if len(short) >= 4 and long.startswith(short):
        return 0.7
    if len(short) >= 5 and difflib.SequenceMatcher(None, word, part).ratio() >= 0.85:
        return 0.5
    return 0.0


def _nearest(words: list[str], candidates: list[Candidate]) -> tuple[str, ...]:
    """Names that look most like any of the words."""
    names = sorted({each.ref.name for each in candidates})
    found = [near for word in words for near in difflib.get_close_matches(word, names, n=2, cutoff=0.5)]
    return tuple(dict.fromkeys(found))[:5]
