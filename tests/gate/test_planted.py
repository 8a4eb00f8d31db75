"""No planted secret is left of its carrier, in whichever shape the carrier comes; harmless lines stay."""

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from opssquad import Result, Toolbox, tool
from opssquad.executor import Executor
from opssquad.gate.redact import Redactor
from opssquad.store.sqlite import Store
from opssquad.types import Cleared, Target, ToolCall, Verdict
from tests.gate.planting import Planted, forms, lookalikes, planted

redact = Redactor(b"k" * 32)


class _Blocks(yaml.SafeDumper):
    """As kubectl prints YAML: texts of several lines as blocks, and no line folded."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Blocks.add_representer(str, _text)


def documents(value: Any) -> Iterator[Any]:
    """An object as tools and clients pass it on: itself, and as text."""
    yield value
    yield json.dumps(value)
    yield json.dumps(value, indent=4)
    yield json.dumps(json.dumps(value, separators=(",", ":")))
    yield yaml.dump(value, Dumper=_Blocks, width=10**6)
    yield yaml.safe_dump(value, width=100)


def shapes(each: Planted) -> Iterator[Any]:
    """Everything that the carrier may look like when it comes by."""
    name, value = each.pair
    match each.place:
        case "env":
            env = [{"name": "A", "value": "b"}, {"name": name, "value": value}, {"name": "P", "value": "80"}]
            yield from documents({"spec": {"containers": [{"name": "x", "env": env}]}})
            yield f"    Environment:\n      A:  b\n      {name}:  {value}\n      P:  80\n"
            yield f"X\n[map[env:[map[name:A value:b] map[name:{name} value:{value}] map[name:P value:80]]]]\n"
            yield each.text
        case "lines":
            yield from several_lines(name, value)
        case "args":
            for words in _words(each.text):
                yield from documents({"containers": [{"name": "x", "args": words}]})
                yield "    Args:\n" + "".join(f"      {word}\n" for word in words) + "    State:  Running\n"
                yield " ".join(words)
        case "annotation":
            yield from documents({"kind": "Pod", "metadata": {"annotations": {name: value}, "name": "x"}})
            yield f"Annotations:  {name}: {value}\n"
        case "configmap":
            yield from documents({"kind": "ConfigMap", "data": {name: value}, "metadata": {"name": "x"}})
            yield f"Data\n====\n{name}:\n----\n{value}\n\nBinaryData\n====\n"
            yield {"data": {name: value}}
        case "secret":
            kept = {"kind": "Secret", "data": {name: b64encode(value.encode()).decode()}}
            yield from documents(kept)
            yield {"kind": "List", "items": [kept]}
            yield {"kind": "Secret", "stringData": {name: value}}
        case "sql":
            yield from (each.text, {"rows": each.text}, json.dumps({"rows": each.text}))
        case "block":
            yield from documents({"message": each.text})
            yield each.text
        case _:
            yield from documents({"message": each.text})
            yield each.text
            yield "".join(f"2026-03-08T14:36:35.490967783Z {line}\n" for line in each.text.splitlines())


def several_lines(name: str, value: str) -> Iterator[Any]:
    """A value of several lines as the variable of a container and as the key of a ConfigMap."""
    env = [{"name": "A", "value": "b"}, {"name": name, "value": value}, {"name": "P", "value": "80"}]
    yield from documents({"spec": {"containers": [{"name": "x", "env": env}]}})
    yield from documents({"kind": "ConfigMap", "data": {name: value, "zone": "a"}})
    yield f"[map[name:A value:b] map[name:{name} value:{value}] map[name:P value:80]]\n"
    yield f"Data\n====\n{name}:\n----\n{value}\nzone:\n----\na\n\nBinaryData\n====\n"
    below = " " * (len(name) + 9)
    yield f"    Environment:\n      {name}:  " + value.replace("\n", f"\n{below}") + "\n      P:  80\n"
    yield f"    Environment:\n      {name}:\t" + value.replace("\n", "\n      \t") + "\n      P:\t80\n"


def _words(text: str) -> Iterator[list[str]]:
    """A command line as one word, and as the words that it is in a manifest."""
    yield [text]
    if text.startswith("sh -c "):
        yield ["sh", "-c", text.removeprefix("sh -c ")[1:-1]]
    else:
        yield text.split(" ", 1) if text.startswith("--") else [text]


def left(each: Planted, shown: Any) -> list[str]:
    clean = json.dumps(redact.value(shown)[0], ensure_ascii=False)
    clean += redact.value(shown)[0] if isinstance(shown, str) else ""
    return [secret for secret in each.secrets if any(form in clean for form in forms(secret))]


@pytest.mark.parametrize("each", planted(), ids=lambda each: each.id)
def test_nothing_of_a_planted_secret_is_left_in_any_shape(each: Planted) -> None:
    for shown in shapes(each):
        assert not left(each, shown), shown


def test_every_planted_secret_is_one_of_its_kind() -> None:
    secrets = [secret for each in planted() for secret in each.secrets]
    assert len(planted()) >= 330
    assert len(set(secrets)) == len(secrets)
    assert all(each.secrets for each in planted())
    assert min(map(len, secrets)) >= 8


def test_at_most_one_harmless_line_of_a_hundred_is_touched(capsys: pytest.CaptureFixture[str]) -> None:
    lines = lookalikes()
    assert len(set(lines)) == len(lines) >= 300
    shown = [(line, {"message": line}, json.dumps({"log": line})) for line in lines]
    touched = [line for line, *more in shown if redact(line)[1] or any(redact.value(m)[1] for m in more)]
    with capsys.disabled():
        print(f"\nharmless lines: {len(lines)}, touched: {len(touched)}")  # noqa: T201
    assert len(touched) * 100 <= len(lines), touched


@tool(effect="read")
async def rows(number: int) -> Result:
    """What a planted carrier says, as a tool of a database returns it: text, rows by name, rows by column."""
    text = next(each.text for each in planted() if each.number == number)
    lines = [
        line.strip("| ") for line in text.splitlines() if "|" in line and not re.match(r"[-+| ]+$", line)
    ]
    table = [[cell.strip() for cell in line.split("|")] for line in lines]
    named = [dict(zip(table[0], row, strict=True)) for row in table[1:] if len(row) == len(table[0])]
    named = [] if "RECORD" in text else named
    data = {"text": text, "named": named, "columns": table[0] if named else [], "rows": table[1:]}
    return Result(text=text, data=data if named else {"text": text})


async def test_no_row_of_a_database_reaches_a_result_or_the_store_with_its_secret(tmp_path: Path) -> None:
    executor = Executor(Toolbox([rows]), {}, admit=lambda cleared: None, redact=redact)
    verdict = Verdict(outcome="allow", rule="read")
    carriers = [each for each in planted() if each.place == "sql"]
    assert len(carriers) > 20
    said = ""
    async with await Store.open(tmp_path) as store:
        for each in carriers:
            call = ToolCall(id=each.id, tool="rows", args={"number": each.number}, target=Target(cluster="c"))
            result = await executor.run(Cleared(call=call, verdict=verdict))
            assert result.redactions, each.text
            await store.keep(result)
            said += result.model_dump_json()
        kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    found = [
        f for each in carriers for s in each.secrets for f in forms(s) if f in said or f.encode() in kept
    ]
    assert not found
