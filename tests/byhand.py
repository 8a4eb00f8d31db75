"""A server of MCP written by hand, run as `python byhand.py HOW [FILE]`: what the library would never do.

`FILE` holds the tools that it offers, as JSON. It speaks the protocol of 2025, over stdin and stdout.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HOW = sys.argv[1]
PAGE = 100
SCHEMA = {"type": "object", "properties": {"item": {"type": "string"}}}


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def tools() -> list[dict[str, Any]]:
    if len(sys.argv) > 2:
        found: list[dict[str, Any]] = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
        return found
    count = {"many": 1_000, "endless": 1}.get(HOW, 1)
    return [{"name": f"tool{n}", "description": "Does.", "inputSchema": SCHEMA} for n in range(count)]


def page(params: dict[str, Any]) -> dict[str, Any]:
    if HOW == "unreadable":
        return {"tools": [{"name": "tool0", "inputSchema": "none"}]}
    start = int(params.get("cursor") or 0)
    more = {"nextCursor": str(start + PAGE)} if HOW == "endless" or start + PAGE < len(tools()) else {}
    return {"tools": tools() if HOW == "endless" else tools()[start : start + PAGE], **more}


def called(params: dict[str, Any]) -> dict[str, Any]:
    match HOW:
        case "dies":
            sys.stderr.write("out of memory\n")
            os._exit(3)
        case "hangs":
            time.sleep(600)
        case "floods":
            return {"content": [{"type": "text", "text": "x" * 200_000}]}
        case "media":
            return {
                "content": [
                    {"type": "text", "text": "a picture"},
                    {"type": "image", "data": "aGVsbG8=", "mimeType": "image/png"},
                    {"type": "resource", "resource": {"uri": "file:///notes", "text": "the notes"}},
                    {"type": "resource", "resource": {"uri": "file:///core", "blob": "aGk="}},
                    {"type": "resource_link", "uri": "https://example.com/a", "name": "more"},
                ],
                "structuredContent": {"count": 3},
            }
        case "notifies":
            say(json.dumps({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}))
        case "wrong":
            return {"content": "none"}
        case "fails":
            said = f"no such depot; the token was {os.environ.get('TOKEN', '')}"
            return {"content": [{"type": "text", "text": said}], "isError": True}
    said = {"called": params["name"], "with": params["arguments"], "token": os.environ.get("TOKEN")}
    return {"content": [{"type": "text", "text": json.dumps(said)}]}


def answer(message: dict[str, Any]) -> dict[str, Any] | None:
    params = message.get("params") or {}
    match message["method"]:
        case "initialize":
            info = {"name": "byhand", "version": "1"}
            return {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": info}
        case "tools/list":
            return page(params)
        case "tools/call":
            return called(params)
    return None


def main() -> None:
    match HOW:
        case "slow":
            time.sleep(600)
        case "garbage":
            while True:
                say("Welcome to the server!")
        case "greets":
            say("Welcome to the server!")
        case "leaves":
            sys.stderr.write("no licence found\n")
            return
        case "parent":
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            Path(sys.argv[3]).write_text(str(child.pid), encoding="utf-8")
    for line in sys.stdin:
        message = json.loads(line)
        if "id" not in message:
            continue
        result = answer(message)
        error = {"code": -32601, "message": "no such method"}
        body = {"error": error} if result is None else {"result": result}
        say(json.dumps({"jsonrpc": "2.0", "id": message["id"], **body}))


if __name__ == "__main__":
    main()
