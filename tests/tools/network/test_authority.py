"""Those who keep the zone of a name are asked beside the resolvers of the place."""

from tools.network.resolve import resolve

from opssquad import Network, content
from opssquad.worlds.kube.recording.load import load_incident
from opssquad.worlds.net.recorded import RecordedNetwork


async def asked(name: str, servers: str) -> list[str]:
    folder = content.recording("gipfel-0219")
    network = Network(RecordedNetwork(folder, lambda: load_incident(folder).clock))
    found = await resolve.run({"name": name, "servers": servers}, {Network: network})
    return [each["server"] for each in found.data["answers"]]


async def test_the_servers_of_the_zone_are_asked_beside_the_resolver() -> None:
    assert await asked("tickets.gipfelpass.example", "own") == ["203.0.113.53"]
    assert await asked("tickets.gipfelpass.example", "own,authority") == [
        "203.0.113.53",
        "198.51.100.53",
    ]
    assert await asked("tickets.gipfelpass.example", "authority") == ["198.51.100.53"]


async def test_where_no_zone_tells_its_servers_the_resolver_is_asked_alone() -> None:
    assert await asked("nobody.example", "own,authority") == ["203.0.113.53"]
