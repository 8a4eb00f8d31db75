"""No rule is keyed to a recording: what is called a thing there stands in no catalogue, prompt or code."""

import ast
import gzip
import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml

from opssquad.evals.perturb.names import words
from opssquad.evals.perturb.rows import named_in_rows

ROOT = Path(__file__).resolve().parent.parent
RECORDINGS = ROOT / "evals" / "recordings"
CODE = ("tools", "src/opssquad/diagnosis", "src/opssquad/squad", "src/opssquad/models")
DATA = ("squads", "prompts", *CODE)
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob")
NAMED = (*WORKLOADS, "Namespace", "Service", "ConfigMap", "Secret", "Ingress", "Node", "NetworkPolicy")
HEAD = re.compile(r'\{"apiVersion":"[^"]*","kind":"(\w+)"')


@cache
def names() -> frozenset[str]:
    """What things are called in the recordings: objects, images, hosts, keys of configuration, variables; in
    databases clients, roles, tables, slots and the database itself."""
    clusters = (_names(obj) for obj in _lines("*/cluster/objects.jsonl.gz"))
    rows = list(_lines("*/database/rows.jsonl.gz"))
    databases = (name for name in named_in_rows(rows) if not words().keeps(name))
    return frozenset(name for name in chain(*clusters, databases) if len(name) > 1)


def _lines(files: str) -> Iterator[Any]:
    for path in RECORDINGS.glob(files):
        lines = gzip.decompress(path.read_bytes()).decode().splitlines()
        yield from (json.loads(line) for line in lines if not _of_no_matter(line))


def _of_no_matter(line: str) -> bool:
    """Whether its beginning tells that it is an object of another kind: most are, and reading them all takes
    seconds."""
    head = HEAD.match(line)
    return head is not None and head[1] not in NAMED


def _names(obj: Any) -> Iterator[str]:
    if obj["kind"] in NAMED:
        yield obj["metadata"]["name"]
        yield from obj.get("data") or ()
    if obj["kind"] in WORKLOADS:
        for key in ("template", "jobTemplate"):
            yield from _of_template(_template((obj.get("spec") or {}).get(key) or {}))
    for rule in ((obj.get("spec") or {}).get("rules") or ()) if obj["kind"] == "Ingress" else ():
        yield rule.get("host") or ""


def _template(found: Any) -> Any:
    inner: Any = (found.get("spec") or {}).get("template")
    return inner or found


def _of_template(template: Any) -> Iterator[str]:
    spec = template.get("spec") or {}
    for each in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
        yield each["name"]
        *folders, last = each.get("image", "").partition("@")[0].split("/")
        yield from folders
        yield last.partition(":")[0]
        yield from (variable["name"] for variable in each.get("env") or ())


ALLOWED = {
    "COUNT": "a heading of tables",
    "Corefile": "the key of a ConfigMap that the cluster's DNS reads",
    "STORE": "how programs call where they keep things; a form of names of variables",
    "docker.io": "the registry that is meant where an image names none",
    "UPSTREAM": "how programs call what they send on to; a form of names of variables",
    "authentication": "a word of registries that refuse a pull",
    "catalog": "the schema of PostgreSQL that holds its own tables",
    "chat": "a mode of the program's own",
    "controller": "a field of ownerReferences",
    "default": "the namespace of Kubernetes, and what is taken where nothing is said",
    "gate": "what holds a pod back from being scheduled",
    "gateway": "a kind of proxy, in what HTTP servers answer",
    "judge": "a step of the program's own graph",
    "key": "a field of references to ConfigMaps and Secrets",
    "kube-dns": "what Kubernetes calls the Service of a cluster's DNS",
    "kube-proxy": "the part of Kubernetes that leads traffic to Services on each node",
    "kube-root-ca.crt": "what Kubernetes puts into every namespace",
    "kube-system": "the namespace of Kubernetes itself",
    "labels": "a field of every object",
    "ledger": "what the program shows a model of its case",
    "match": "a word of Python and of Corefiles",
    "next": "an English word in labels of actions",
    "node": "a kind of Kubernetes",
    "operator": "a field of the expressions of selectors",
    "password": "a word of databases that refuse a login",
    "planner": "what PostgreSQL calls the part that chooses plans",
    "platform": "a word of registries that lack an image for a processor",
    "port": "a field of containers and Services",
    "queue": "a word of the field in runbooks",
    "results": "an English word in a prompt",
    "scan": "how PostgreSQL reads a table, in names of its settings",
    "signals": "what tools find, in a prompt",
    "streaming": "what PostgreSQL calls replication that goes on",
    "stock": "an English word: a CoreDNS as it comes",
    "web": "an example in what a tool says of its arguments",
    "verdict": "a word of the policy",
    "worker": "what PostgreSQL calls a process that vacuums",
}
"""Words of the field, of Kubernetes or of the program that name something in a recording, too, and why."""
WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*[A-Za-z0-9]")
FILES = sorted(
    path for each in DATA for path in (ROOT / each).rglob("*") if path.suffix in {".py", ".yaml", ".md"}
)


def said(path: Path) -> Iterator[str]:
    """What counts in a file: literals of code without docstrings, keys and values of YAML, all of a text."""
    text = path.read_text(encoding="utf-8")
    match path.suffix:
        case ".py":
            yield from _literals(ast.parse(text))
        case ".yaml":
            for document in yaml.safe_load_all(text):
                yield from _leaves(document)
        case _:
            yield text


def _literals(tree: ast.AST) -> Iterator[str]:
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.value


def _leaves(value: Any) -> Iterator[str]:
    match value:
        case dict():
            for key, each in value.items():
                yield str(key)
                yield from _leaves(each)
        case list():
            for each in value:
                yield from _leaves(each)
        case str():
            yield value


def found(texts: Iterable[str]) -> set[str]:
    """The names of recordings that stand in texts as whole words."""
    return {word for text in texts for word in WORD.findall(text) if word in names()}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_of_rules_holds_no_name_of_a_recording(path: Path) -> None:
    assert found(said(path)) - set(ALLOWED) == set()


def test_what_is_allowed_does_occur() -> None:
    assert found(text for path in FILES for text in said(path)) == set(ALLOWED)


def test_a_name_would_be_found_in_code_yaml_and_text_but_not_in_a_docstring(tmp_path: Path) -> None:
    name = next(each for each in sorted(names()) if "-" in each and each not in ALLOWED)
    (tmp_path / "a.py").write_text(f'"""Such as {name}."""\nWHY = (r"^{name}|other",)\n')
    (tmp_path / "b.py").write_text(f'"""Such as {name}."""\n')
    (tmp_path / "c.yaml").write_text(f"faults:\n  - where: {{owner: 'Deployment/*/{name}'}}  # {name}\n")
    (tmp_path / "d.yaml").write_text(f"faults: []  # {name}\n")
    (tmp_path / "e.md").write_text(f"Ask {name} first.\n")
    spoilt = {path.name for path in tmp_path.iterdir() if found(said(path))}
    assert spoilt == {"a.py", "c.yaml", "e.md"}


def test_the_names_are_those_of_every_recording() -> None:
    assert len(names()) > 100
    assert {"shop", "checkout"} <= names()
