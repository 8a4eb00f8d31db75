"""Whether citations stand in what was read, and which of the truth's evidence they show."""

from collections.abc import Callable, Sequence

from opssquad.evals.transcript import Look, Transcript
from opssquad.findings import Conclusion, Evidence
from opssquad.worlds.kube.recording.files import log_path
from opssquad.worlds.kube.recording.refs import Key, split
from opssquad.worlds.kube.recording.spec import Proof, ProofKind

Top = Callable[[Key], Key]
"""The highest owner of an object."""
SHORT = 0.5
"""A citation that is only a part of the truth's text must be at least this much of it. Of an object it must
be all: half of `"memory":"640Mi"` is a key, which stands there whatever its value."""
LONG = 2000
"""Characters beyond which a citation is a document: it holds everything and points to nothing."""


def cited(conclusion: Conclusion | None) -> list[Evidence]:
    """What a conclusion cites for its causes, each once."""
    causes = conclusion.causes if conclusion else ()
    return list(dict.fromkeys(e for c in causes for f in c.findings for e in f.evidence))


def standing(transcript: Transcript) -> tuple[list[Evidence], list[Evidence]]:
    """The conclusion's citations: those whose text stands in what the call that they name has read, and those
    that are invented."""
    looks = {look.call: look for look in transcript.looks}
    real: list[Evidence] = []
    invented: list[Evidence] = []
    for each in cited(transcript.conclusion):
        look = looks.get(each.call)
        (real if look and stands(look, each) else invented).append(each)
    return real, invented


def stands(look: Look, evidence: Evidence) -> bool:
    """Whether the text stands there: in the source that is named, or in a part of it."""
    return bool(evidence.text.strip()) and any(
        (evidence.locator == s.locator or evidence.locator.startswith(f"{s.locator} "))
        and evidence.text in s.text
        for s in look.sources
    )


def shown(proof: Proof, evidence: Sequence[Evidence], top: Top) -> bool:
    """Whether one of the citations shows a piece of the truth: the same text of the same object, or of one
    that the same workload owns: its pods say the same."""
    return any(_same_text(proof, e.text) and _same_place(proof, e.locator, top) for e in evidence)


def _same_text(proof: Proof, said: str) -> bool:
    wanted, said = proof.contains, said.strip()
    if wanted in said:
        return len(said) <= max(LONG, len(wanted))
    return proof.kind != "object" and said in wanted and len(said) >= SHORT * len(wanted)


def _same_place(proof: Proof, locator: str, top: Top) -> bool:
    kind, where = place(locator)
    if kind != proof.kind:
        return False
    if kind in ("rows", "probe"):
        return where == proof.where
    if kind == "log":
        ours, theirs = _container(where), _container(proof.where)
        return ours[1] == theirs[1] and top(ours[0]) == top(theirs[0])
    return top(split(where)) == top(split(proof.where))


def place(locator: str) -> tuple[ProofKind, str]:
    """What a locator names, as a truth writes it: a log's path, or Kind/namespace/name of the object or of
    what the event is about, or what a probe asked."""
    head, _, rest = locator.partition(" ")
    match head:
        case "log":
            name, _, previous = rest.partition(" ")
            namespace, pod, container = [*name.split("/", 2), "", ""][:3]
            return "log", log_path(namespace, pod, container, bool(previous))
        case "Event":
            return "event", rest.partition(" ")[0]
        case "rows":
            # A database may have a slash or a space in its name, a look has neither.
            return "rows", rest.rpartition("/")[2].partition(" ")[0]
        case "probe":
            return "probe", rest
    return "object", head


def _container(path: str) -> tuple[Key, str]:
    """The pod and the container that wrote a log, whichever instance of it."""
    namespace, pod, name = [*path.removeprefix("logs/").split("/", 2), "", ""][:3]
    return ("Pod", namespace, pod), name.removesuffix(".log").removesuffix(".previous")
