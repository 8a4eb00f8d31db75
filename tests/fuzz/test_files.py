"""Files that people write, mutated as YAML and as text: a line with file and reason, or what was meant."""

import gzip
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from opssquad import content
from opssquad.diagnosis.catalogue import load_catalogue
from opssquad.diagnosis.own import read_known_faults
from opssquad.documents import BadFile
from opssquad.errors import OpsError
from opssquad.evals.linting import lint
from opssquad.gate.names import Lexicon, secrets
from opssquad.gate.own import Own, load_own
from opssquad.gate.policy import Policy
from opssquad.gate.redact import Redactor
from opssquad.models.phrases import load_book
from opssquad.models.scripted import Scripted
from opssquad.squad.knowledge import toolbox_of
from opssquad.squad.spec import load_squad
from opssquad.types import Target, ToolCall, Verdict
from opssquad.worlds.kube.recording import load
from opssquad.worlds.kube.world import RecordedWorld
from tests.fuzz.amounts import each_amount, fuzzed
from tests.fuzz.odd import anything, garbled, mutated
from tests.tools.recorded import RECORDINGS, objects

OWN = """names: {secret: [token], harmless: [tokens]}
patterns:
- {name: a, pattern: 'x-(?P<s>[0-9]+)', example: x-1}
"""
EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "faults" / "k8s.yaml"
NOW = datetime(2026, 3, 8, 14, 37, tzinfo=UTC)
SCRIPT = "replies:\n- text: hello\n- calls: [{tool: health, args: {namespace: shop}}]\n"


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def documents(text: str) -> st.SearchStrategy[str]:
    """The document with odd values in it, the text with odd pieces in it, and things that are neither."""
    shaped = mutated(st.just(yaml.safe_load(text))).map(dumped)
    return st.one_of(shaped, garbled(st.just(text)), anything.map(dumped), st.text(max_size=60))


def dumped(value: Any) -> str:
    return str(yaml.safe_dump(value, allow_unicode=True, sort_keys=False))


def written(path: Path, text: str) -> Path:
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    return path


def tells(use: Callable[[], object]) -> None:
    """It works, or says in one line what is wrong."""
    try:
        use()
    except OpsError as error:
        one_line(error)


def one_line(error: OpsError) -> None:
    assert str(error).strip()
    assert "\n" not in str(error).replace("\r", "")[:20]


def judged(policy: Policy, call: ToolCall, effect: Any) -> Verdict:
    """What the policy says of a call."""
    return policy.judge(call, effect, NOW)


@each_amount
def test_a_policy_of_any_text_loads_or_refuses_everything_and_says_why(many: bool, tmp_path: Path) -> None:
    call = ToolCall(id="c", tool="rollback", args={}, target=Target(cluster="c", namespace="shop"))

    def check(text: str) -> None:
        policy = Policy.load(written(tmp_path / "policy.yaml", text))
        verdict = judged(policy, call, "mutate")
        assert verdict.outcome in ("ask", "refuse")
        if policy.problem:
            assert verdict.outcome == "refuse"

    fuzzed("policies", many, documents(text_of(content.policy())), check)


@each_amount
def test_a_policy_that_loads_judges_any_call(many: bool, tmp_path: Path) -> None:
    policy = Policy.load(content.policy())
    words = st.one_of(st.sampled_from(("health", "rollback", "kubectl", "*", "[", "kube-system")), st.text())
    targets = st.builds(Target, cluster=words, namespace=words)
    calls = st.builds(ToolCall, id=words, tool=words, args=st.just({}), target=targets)
    effects = st.sampled_from(("read", "mutate", None))

    def check(example: tuple[ToolCall, Any]) -> None:
        call, effect = example
        verdict = judged(policy, call, effect)
        if effect is None:
            assert verdict.outcome == "refuse"
        if effect == "mutate":
            assert verdict.outcome != "allow"

    fuzzed("judging", many, st.tuples(calls, effects), check)


@each_amount
def test_every_other_file_is_read_or_told(many: bool, tmp_path: Path) -> None:
    squad = content.squad("k8s")

    def own(text: str) -> None:
        Redactor(b"", Lexicon(secrets(), load_own(written(tmp_path / "redaction.yaml", text)))).clean("a=b")

    def spec(text: str) -> None:
        written(tmp_path / "squad.yaml", text)
        load_squad(tmp_path)

    def own_faults(text: str) -> None:
        known = read_known_faults(squad / "faults.yaml", written(tmp_path / "own.yaml", text))
        known.flaws(toolbox, content.signal_ids()[:9])
        assert len(known.catalogue.faults) <= len(known.entries)

    toolbox = toolbox_of("k8s")
    readers: dict[str, tuple[str, Callable[[str], object]]] = {
        "redaction": (OWN, own),
        "squad": (text_of(squad / "squad.yaml"), spec),
        "faults": (
            text_of(squad / "faults.yaml")[:6000].rpartition("\n  - ")[0],
            lambda text: load_catalogue(written(tmp_path / "faults.yaml", text)),
        ),
        "own faults": (text_of(EXAMPLE), own_faults),
        "phrases": (content.phrase_books()[""], load_book),
        "script": (SCRIPT, lambda text: Scripted.load(written(tmp_path / "script.yaml", text))),
    }
    examples = st.sampled_from(sorted(readers)).flatmap(
        lambda name: st.tuples(st.just(name), documents(readers[name][0]))
    )
    fuzzed("other files", many, examples, lambda e: tells(lambda: readers[e[0]][1](e[1])))


def copied(folder: Path) -> Path:
    """A recording to damage, small enough to be read often."""
    target = folder / "auth-0308"
    if target.exists():
        shutil.rmtree(target)
    return Path(shutil.copytree(RECORDINGS / "auth-0308", target))


MISSING = """\
captured_at: '2026-03-08T14:37:00Z'
namespaces: [authentication]
logs_since: null
redacted: {secret_values: 3, in_objects: 0, in_logs: 0}
missing:
- {kind: log, where: logs/authentication/a/b.log, reason: no answer}
"""


@each_amount
def test_a_recording_with_damaged_files_is_told_or_can_be_served(many: bool, tmp_path: Path) -> None:
    names = ("incident.yaml", "world.yaml", "truth.yaml", "missing.yaml")
    logs = sorted((RECORDINGS / "auth-0308").rglob("*.log"))[:2]
    texts = {name: text_of(RECORDINGS / "auth-0308" / name) for name in names[:3]} | {names[3]: MISSING}
    texts |= {str(path.relative_to(RECORDINGS / "auth-0308")): text_of(path) for path in logs}
    shapes = {n: garbled(st.just(t)) if n.endswith(".log") else documents(t) for n, t in texts.items()}
    examples = st.sampled_from(sorted(texts)).flatmap(lambda n: st.tuples(st.just(n), shapes[n]))

    def check(example: tuple[str, str]) -> None:
        folder = copied(tmp_path)
        written(folder / example[0], example[1])
        for problem in lint(folder, Own()).problems:
            assert problem.strip()
        tells(lambda: RecordedWorld(load(folder)).advance())

    fuzzed("recording files", many, examples, check)


@each_amount
def test_a_recording_with_odd_objects_is_told_or_can_be_served(many: bool, tmp_path: Path) -> None:
    there = objects("auth-0308")
    folder = copied(tmp_path)
    file = folder / "cluster" / "objects.jsonl.gz"

    def check(example: tuple[int, Any]) -> None:
        index, odd = example
        changed = [*there[:index], odd, *there[index + 1 :]]
        lines = (json.dumps(each) for each in changed)
        file.write_bytes(gzip.compress("\n".join(lines).encode(), 1))
        for problem in lint(folder, Own()).problems:
            assert problem.strip()
        try:
            world = RecordedWorld(load(folder))
        except BadFile as error:
            one_line(error)
            return
        world.advance()

    examples = st.integers(0, len(there) - 1).flatmap(
        lambda index: st.tuples(st.just(index), mutated(st.just(there[index]), 2))
    )
    fuzzed("recording objects", many, examples, check)
