"""What `mcp.yaml` may say: what is wrong with it is one line with its place, and no secret stands in it."""

from pathlib import Path

import pytest

from opssquad.documents import BadFile, parse_yaml
from opssquad.extensions.mcp.document import McpFile

PAGE = Path(__file__).resolve().parents[3] / "docs" / "mcp.md"
URL = "url: https://tools.example.com/mcp"


def test_a_file_as_the_guide_shows_it_is_read() -> None:
    text = PAGE.read_text(encoding="utf-8").partition("```yaml\n")[2].partition("```")[0]
    servers = parse_yaml(text, McpFile, "mcp.yaml").servers
    assert list(servers) == ["depot", "grafana"]
    assert servers["depot"].tools["order"].squads == ("database",)
    assert servers["depot"].place_digest() != servers["grafana"].place_digest()


@pytest.mark.parametrize(
    ("server", "said"),
    [
        ("squads: [k8s]", "needs either `command: [program, ...]` or `url: https://...`"),
        (f"{URL}\n    command: [a]", "needs either"),
        ("command: npx depot | tee log", "must be a list, [program, argument, ...]: no shell reads it"),
        (f"{URL}\n    env: {{A: b}}", "`cwd`, `inherits` and `env` are for a command"),
        ("command: [a]\n    headers: {A: b}", "`headers` are for a url"),
        ("url: ftp://example.com", "`url` must begin with http:// or https:// and name a host"),
        ("url: https://kim:pw@example.com/mcp", "`url`: a secret stands in it"),
        ("url: https://example.com/mcp?api_key=s3cr3tV4lue99", "`url`: a secret stands in it"),
        (f"{URL}\n    headers: {{Authorization: abc}}", "`Authorization: {secret: NAME}`"),
        (
            "command: [a, --token=ghp_abcdefghijklmnopqrstuvwxyz0123456789]",
            "`command`: a secret stands in it",
        ),
        ("command: [a]\n    env: {DB_PASSWORD: hunter2hunter2}", "`DB_PASSWORD: {secret: NAME}`"),
        ("command: [a]\n    env: {A: {secret: 'a b'}}", "must be the name of a secret in tools.yaml"),
        ("command: [a]\n    env: {A: {secret: model_config}}", "no secret can be called 'model_config'"),
        ("command: [a]\n    comand: [b]", "unknown key; did you mean 'command'?"),
        ("command: [a]\n    tools: {stock: {effect: reads}}", "'read' or 'mutate'"),
        ("command: [a]\n    tools: {stock: {}}", "tools.stock.effect: is missing"),
        (
            "command: [a]\n    tools: {stock: {effect: read, name: 'a b'}}",
            "must be of a-z, A-Z, 0-9, _ and -",
        ),
    ],
)
def test_what_is_wrong_with_a_server_is_one_line(server: str, said: str) -> None:
    with pytest.raises(BadFile) as caught:
        parse_yaml(f"servers:\n  depot:\n    {server}\n", McpFile, "mcp.yaml")
    assert str(caught.value).startswith("mcp.yaml, line ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not any(each in str(caught.value) for each in ("hunter2", "s3cr3t", "ghp_", "kim:pw"))


def test_the_name_of_a_server_is_one_that_tools_can_begin_with() -> None:
    with pytest.raises(BadFile, match="begin with a letter"):
        parse_yaml("servers:\n  9 depots: {command: [a]}\n", McpFile, "mcp.yaml")
