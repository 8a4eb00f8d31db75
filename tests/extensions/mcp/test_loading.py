"""Tools come from what was approved: no server is started to list them, and nothing else is offered."""

import json
from pathlib import Path

import pytest

from opssquad import content
from opssquad.diagnosis.fitting import of_call
from opssquad.extensions.library import library
from opssquad.extensions.mcp.document import TOOL
from opssquad.extensions.mcp.loading import load
from opssquad.squad.spec import load_squad
from opssquad.toolbox import Tool, Toolbox
from tests.extensions.mcp.conftest import Approve, Write, by_hand, offered

Tools = Write


def found(own: Path) -> dict[str, Tool]:
    return {tool.name: tool for tool in load(own).tools}


def said(own: Path) -> list[str]:
    return [str(each).removeprefix(f"{own}/") for each in load(own).broken]


def server(tools: Path, more: str = "", how: str = "plain") -> str:
    return f"servers:\n  depot:\n    command: {by_hand(how, tools)}\n{more}"


async def test_a_server_that_nobody_approved_offers_nothing(own: Path, mcp: Write, tools: Tools) -> None:
    mcp(server(tools(offered("stock"))))
    assert found(own) == {}
    assert said(own) == [
        "mcp.yaml:2: MCP server depot offers nothing yet, nobody approved it;"
        " look at its tools: opssquad mcp approve depot"
    ]


async def test_what_was_approved_is_had_without_starting_the_server(
    own: Path, mcp: Write, tools: Tools, approve: Approve
) -> None:
    offering = tools(offered("stock"), offered("order.now"))
    mcp(server(offering, "    squads: [k8s]\n    tools:\n      stock: {effect: read}\n"))
    await approve()
    offering.unlink()
    assert said(own) == []
    stock, order = found(own)["depot_stock"], found(own)["depot_order_now"]
    assert (stock.effect, stock.squads, stock.source) == ("read", ("k8s",), "MCP server depot")
    assert stock.description == "How many there are.\n(So says the MCP server depot.)"
    assert stock.parameters()["required"] == ["item"]
    # Nobody has said what this one does: it asks, and registers with what the house says about it.
    assert (order.effect, order.missing()) == ("mutate", [])
    assert list(Toolbox([stock, order])) == [stock, order]
    assert list(library().tools) == ["depot_stock", "depot_order_now"]
    assert library().joining("k8s") == ("depot_stock", "depot_order_now")


async def test_a_fault_may_show_a_signal_by_such_a_tool(
    own: Path, mcp: Write, tools: Tools, approve: Approve
) -> None:
    mcp(server(tools(offered("stock"))))
    await approve()
    box = Toolbox(load(own).tools)
    assert list(of_call((), "depot_stock", {"item": "crate"}, box)) == []
    assert [why for _, why in of_call((), "depot_stock", {"itm": "crate"}, box)] == [
        "depot_stock takes no 'itm'; there is: item",
        "depot_stock cannot be called without item",
    ]


async def test_its_own_word_that_it_only_reads_counts_for_nothing(
    own: Path, mcp: Write, tools: Tools, approve: Approve
) -> None:
    mcp(server(tools(offered("stock", annotations={"readOnlyHint": True}))))
    (look,) = (await approve()).tools
    assert look.offered.says_read
    assert found(own)["depot_stock"].effect == "mutate"


async def test_a_server_that_moved_is_another_one(
    own: Path, mcp: Write, tools: Tools, approve: Approve
) -> None:
    mcp(server(tools(offered("stock"))))
    await approve()
    mcp(server(tools(offered("stock"), name="others.json")))
    assert found(own) == {}
    assert "is not where it was when it was approved" in said(own)[0]


async def test_what_was_approved_cannot_be_altered_by_hand(
    own: Path, mcp: Write, tools: Tools, approve: Approve
) -> None:
    mcp(server(tools(offered("stock"))))
    await approve()
    file = own / "mcp.lock.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("How many", "Few"), encoding="utf-8")
    assert (found(own), said(own)) == (
        {},
        [
            "mcp.lock.yaml: stock of server depot was altered by hand;"
            " look at the server again: opssquad mcp approve depot"
        ],
    )
    file.write_text("{", encoding="utf-8")
    assert "`opssquad mcp approve` writes it: delete it, and approve anew" in said(own)[0]
    await approve()
    assert list(found(own)) == ["depot_stock"]


async def test_a_mapping_of_a_tool_that_is_not_offered_is_told_with_the_nearest(
    own: Path, mcp: Write, tools: Tools, approve: Approve
) -> None:
    mcp(server(tools(offered("stock")), "    tools:\n      stok: {effect: read}\n"))
    await approve()
    assert list(found(own)) == ["depot_stock"]
    assert said(own) == ["mcp.yaml:5: MCP server depot offers no 'stok'; nearest: stock"]


async def test_tools_that_would_share_a_name_are_both_left_out_until_one_is_named(
    own: Path, mcp: Write, tools: Tools, approve: Approve
) -> None:
    offering = tools(offered("stock.now"), offered("stock/now"), offered("order"))
    mcp(server(offering))
    await approve()
    assert list(found(own)) == ["depot_order"]
    assert [each.partition(": ")[2].partition(";")[0] for each in said(own)] == [
        "stock.now of MCP server depot and another would both be 'depot_stock_now'",
        "stock/now of MCP server depot and another would both be 'depot_stock_now'",
    ]
    mcp(server(offering, "    tools:\n      stock/now: {effect: read, name: stock2}\n"))
    assert list(found(own)) == ["depot_stock_now", "stock2", "depot_order"]


async def test_every_name_is_one_that_models_take(
    own: Path, mcp: Write, tools: Tools, approve: Approve
) -> None:
    names = ["größe", "a b", "x" * 90, "x" * 89 + "y", "_"]
    mcp(server(tools(*map(offered, names))))
    await approve()
    assert len(found(own)) == len(names)
    assert all(TOOL.fullmatch(name) for name in found(own))


async def test_a_tool_with_a_schema_that_is_none_is_left_out_and_the_others_stay(
    own: Path, mcp: Write, tools: Tools, approve: Approve
) -> None:
    odd = {
        "typed": {"type": "object", "properties": {"item": {"type": "strnig"}}},
        "large": {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(2_000)}},
    }
    made = [offered(name, inputSchema=schema) for name, schema in odd.items()]
    mapped = "".join(f"      {name}: {{effect: read}}\n" for name in (*odd, "wordy"))
    mcp(server(tools(offered("stock"), *made, offered("wordy", "x" * 5_000)), f"    tools:\n{mapped}"))
    await approve()
    assert list(found(own)) == ["depot_stock"]
    assert [each.partition(" depot: ")[2].partition(" bytes")[0] for each in said(own)] == [
        "its schema is none: properties.item.type: 'strnig' is not valid under any of the given schemas",
        f"the schema of its arguments has {len(json.dumps(odd['large'])):,}",
        "its description has 5,000",
    ]


async def test_tools_that_cannot_be_used_are_told_once_where_nobody_asked_for_them(
    own: Path, mcp: Write, tools: Tools, approve: Approve
) -> None:
    mcp(server(tools(offered("stock"), *(offered(f"wordy{n}", "x" * 5_000) for n in range(3)))))
    await approve()
    assert list(found(own)) == ["depot_stock"]
    (line,) = said(own)
    assert line.startswith("mcp.yaml:2: 3 tools of MCP server depot cannot be used, such as wordy0: its desc")


async def test_what_is_left_out_of_a_server_takes_no_tool_of_ours_away(
    own: Path, mcp: Write, tools: Tools, approve: Approve
) -> None:
    name = "    tools:\n      health: {effect: read}\n      errors: {effect: read}\n"
    mcp(server(tools(offered("health", "x" * 5_000)), name).replace("depot", "events"))
    before = load_squad(content.squad("k8s")).tools
    assert {"health", "errors", "events"} < set(before)
    await approve("events")
    assert len(library().broken) == 2
    assert load_squad(content.squad("k8s")).tools == before


async def test_a_file_that_cannot_be_read_stops_no_other_tools(own: Path, mcp: Write) -> None:
    (own / "tools" / "mine.py").write_text(
        'from opssquad import tool\n\n@tool(effect="read")\ndef mine() -> str:\n    "Mine."\n    return ""\n',
        encoding="utf-8",
    )
    mcp("servers:\n  depot: {comand: [a]}\n")
    assert list(library().tools) == ["mine"]
    assert str(library().broken[0]).endswith(
        "mcp.yaml:2: servers.depot.comand: unknown key; did you mean 'command'?"
    )


async def test_a_project_cannot_have_servers_started(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = Path.cwd() / "opssquad"
    (project / "tools").mkdir(parents=True)
    (project / "mcp.yaml").write_text("servers:\n  depot: {command: [a]}\n", encoding="utf-8")
    assert not any("depot" in str(each) for each in library().broken)
