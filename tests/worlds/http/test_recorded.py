"""Requests that were recorded."""

from pathlib import Path

import pytest

from opssquad.documents import BadFile
from opssquad.errors import ToolError
from opssquad.worlds.http.client import Http
from opssquad.worlds.http.recorded import RecordedHttp

TOLD = """
- url: https://deploy.internal/apps/cart?limit=5&sort=age
  headers: {Content-Type: application/json}
  body: {deploys: [{id: 7}]}
- {method: POST, url: "https://deploy.internal/apps/cart/pause", json: {by: kim}, status: 202, body: paused}
- url: https://deploy.internal/apps/cart?limit=5&sort=age
  body: {deploys: []}
  after: POST https://deploy.internal/apps/cart/pause
"""


@pytest.fixture
def http(tmp_path: Path) -> Http:
    (tmp_path / "http").mkdir()
    (tmp_path / "http" / "exchanges.yaml").write_text(TOLD)
    return Http(RecordedHttp(tmp_path))


async def test_the_order_of_a_query_makes_no_difference(http: Http) -> None:
    got = await http.get("https://deploy.internal/apps/cart", params={"sort": "age", "limit": 5})
    assert (got.status, got.reason, got.json()) == (200, "OK", {"deploys": [{"id": 7}]})
    assert got.headers["content-type"] == "application/json"


async def test_what_a_request_changed_shows_after_it(http: Http) -> None:
    url = "https://deploy.internal/apps/cart?limit=5&sort=age"
    assert (await http.get(url)).json() == (await http.get(url)).json() == {"deploys": [{"id": 7}]}
    await http.request("POST", "https://deploy.internal/apps/cart/pause", json={"by": "kim"})
    assert (await http.get(url)).json() == {"deploys": []}


async def test_a_body_is_part_of_the_question(http: Http) -> None:
    url = "https://deploy.internal/apps/cart/pause"
    assert (await http.request("POST", url, json={"by": "kim"})).text == "paused"
    with pytest.raises(ToolError, match="the nearest that is: POST .*/pause with another body"):
        await http.request("POST", url, json={"by": "lee"})


async def test_what_was_not_recorded_says_so_with_the_nearest(http: Http) -> None:
    with pytest.raises(
        ToolError, match="not recorded: GET .*/apps/carts; the nearest that is: GET .*/apps/cart"
    ):
        await http.get("https://deploy.internal/apps/carts")


async def test_a_recording_without_requests_says_so(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="this recording has no requests"):
        await Http(RecordedHttp(tmp_path)).get("http://x.example/")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- url: http://a.example/\n  stauts: 200\n", "line 2.*did you mean 'status'"),
        ("- url: http://a.example/\n- url: http://a.example/\n", "line 2: .*stands twice"),
        ("- url: http://a.example/\n- url: http://kim:secret@a.example/\n", "line 2.*user or password"),
    ],
)
def test_a_bad_file_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "http").mkdir()
    (tmp_path / "http" / "exchanges.yaml").write_text(text)
    with pytest.raises(BadFile, match=said):
        RecordedHttp(tmp_path)
