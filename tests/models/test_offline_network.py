"""What the network squad looks at first without a model. No cluster, made-up cases."""

from opssquad import content
from opssquad.models.base import CONCLUDE, Case, PastCall, Request, ToolSpec
from opssquad.models.offline import Offline
from opssquad.models.phrases import load_book
from opssquad.types import Json, Target
from tests.models.test_offline import BOOK, Quiet, past

NETWORK = load_book(content.phrase_books()["network"])
PROBES = tuple(
    ToolSpec(name=n, description="", parameters={})
    for n in (*(s.tool for s in NETWORK.steps.values() if s.tool), "find", CONCLUDE)
)


async def probed(text: str, *calls: PastCall, without: tuple[str, ...] = ()) -> list[tuple[str, Json]]:
    """The calls that the network squad makes next."""
    tools = tuple(each for each in PROBES if each.name not in without)
    case = Case(question=text, turn=1, target=Target(cluster="c"), calls=calls, squad="network")
    request = Request(system="", messages=(), tools=tools, case=case)
    reply = await Offline({"": BOOK, "network": NETWORK}).reply(request, Quiet())
    return [(each.tool, each.args) for each in reply.calls]


async def test_each_host_that_a_question_names_is_probed_first_and_once() -> None:
    first = await probed("pay.example fails, and http://map.example/ does too")
    assert first == [
        ("resolve", {"name": "map.example", "servers": "own,authority"}),
        ("http", {"url": "http://map.example/"}),
        ("resolve", {"name": "pay.example", "servers": "own,authority"}),
        ("tls", {"host": "pay.example", "port": 443}),
    ]
    made = [past(tool).model_copy(update={"args": args}) for tool, args in first]
    assert [
        tool for tool, _ in await probed("pay.example fails, and http://map.example/ does too", *made)
    ] == ["http"]


async def test_what_comes_and_goes_is_asked_often_and_what_hangs_is_traced() -> None:
    often = ("ping", {"host": "pay.example", "times": 20})
    sometimes = ("is slow", "answers now and then", "loses packets", "fails for 5 % of us", "fails often")
    for complaint in (f"pay.example {each}" for each in sometimes):
        first = await probed(complaint)
        assert often in first
        made = [past(tool).model_copy(update={"args": args}) for tool, args in first]
        (then,) = await probed(complaint, *made)
        assert then == ("connect", {"host": "pay.example", "port": 443, "times": 20})
    assert ("trace", {"host": "pay.example"}) in await probed("large uploads to pay.example hang")
    plain = await probed("pay.example refuses us")
    assert not {tool for tool, _ in plain} & {"ping", "connect", "trace"}


async def test_without_a_cluster_the_probes_are_all_there_is() -> None:
    cluster = ("find", "path", "health", "changes", "errors", "logs", "nodes")
    assert [tool for tool, _ in await probed("is web reachable?", without=cluster)] == ["sockets"]


async def test_where_no_host_is_named_the_paths_of_its_namespace_are_walked() -> None:
    (first,) = await probed("web cannot reach its store")
    assert first[0] == "find"
    found = past("find", matches=["Deployment/shop/web"])
    assert [call for call, _ in await probed("web cannot reach its store", found)] == [
        "path",
        "health",
        "changes",
    ]
