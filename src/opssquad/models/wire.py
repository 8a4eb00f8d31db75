"""The body of a chat-completions request, from what a model is asked; pure."""

import json
from typing import Any

from opssquad.models.base import Message, Request
from opssquad.types import Json


def body(model: str, request: Request, *, stream: bool, usage: bool) -> Json:
    """As OpenAI-compatible servers take it; `usage` asks a streaming server to count tokens."""
    messages = [{"role": "system", "content": request.system}, *map(message, request.messages)]
    made: Json = {"model": model, "messages": messages}
    if request.tools:
        made["tools"] = [{"type": "function", "function": tool.model_dump()} for tool in request.tools]
    if stream:
        made["stream"] = True
        if usage:
            made["stream_options"] = {"include_usage": True}
    return made


def message(said: Message) -> Json:
    """One message; a `tool` message answers the call with its id."""
    if said.role == "tool":
        return {"role": "tool", "tool_call_id": said.call, "content": said.text}
    made: dict[str, Any] = {"role": said.role, "content": said.text}
    if said.calls:
        made["tool_calls"] = [
            {"id": c.id, "type": "function", "function": {"name": c.tool, "arguments": json.dumps(c.args)}}
            for c in said.calls
        ]
    return made
