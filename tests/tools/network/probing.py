"""A tool run on the network as it is here, with a clock and an authority of the test's own."""

from opssquad import Cluster, Network, Result, Tool
from opssquad.toolbox import Handles
from opssquad.worlds.net.here import Here, Resolvers
from opssquad.worlds.net.live import Live
from opssquad.worlds.net.network import Backend
from tests.network.certificates import AT, Issued

ROOT = Issued.root()
HERE = Here(words="here (test)", now=lambda: AT, trusted=ROOT.pem, resolvers=Resolvers(()))


async def run(
    tool: Tool,
    cluster: Cluster | None = None,
    here: Here = HERE,
    backend: Backend | None = None,
    **args: object,
) -> Result:
    """The result, of which every signal quotes what the tool read; probed from here where no backend is
    given."""
    handles: Handles = {Network: Network(backend or Live(here)), **({Cluster: cluster} if cluster else {})}
    result = await tool.run(args, handles)
    read = {each.locator: each.text for each in result.sources}
    for signal in result.signals:
        assert signal.quotes, signal.id
        assert all(each.text in read[each.locator] for each in signal.quotes), signal.id
    assert len(result.text.splitlines()) <= 40
    return result


def ids(result: Result) -> list[str]:
    """The ids of its signals."""
    return [each.id for each in result.signals]
