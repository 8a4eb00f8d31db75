"""Bytes to and from a peer, over TCP as it is or over TLS. Failures are `Failed`; deadlines the caller's."""

import asyncio
import socket
from dataclasses import dataclass
from typing import Protocol

from opssquad.worlds.net.tcp import ended

AT_ONCE = 65536
"""Bytes read at once."""


class Stream(Protocol):
    """Both ways. `receive` gives what came, nothing at the end. Both raise Failed."""

    async def send(self, data: bytes) -> None: ...
    async def receive(self) -> bytes: ...


@dataclass(frozen=True)
class Plain:
    """TCP as it is, on a socket that does not block."""

    socket: socket.socket

    async def send(self, data: bytes) -> None:
        """Send all of it."""
        try:
            await asyncio.get_running_loop().sock_sendall(self.socket, data)
        except OSError as error:
            raise ended(error) from error

    async def receive(self) -> bytes:
        """What comes next."""
        try:
            return await asyncio.get_running_loop().sock_recv(self.socket, AT_ONCE)
        except OSError as error:
            raise ended(error) from error


def printable(data: bytes, most: int = 60) -> str:
    """The beginning of what a peer sent, as it can be shown on one line."""
    text = data[: 4 * most].decode("latin-1").split("\n", 1)[0].strip()
    shown = "".join(each if " " <= each <= "~" else "." for each in text)
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"
