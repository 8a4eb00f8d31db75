"""A link that delays and loses packets, where the kernel has no netem: two TUN devices and this in between.

`python link.py NAMESPACE DEVICE NAMESPACE DEVICE MILLISECONDS PERCENT` prints `ready` once it carries
packets. The devices must be there.
"""

import ctypes
import fcntl
import heapq
import os
import random
import select
import struct
import sys
import time

SETIFF, TUN, NO_HEAD = 0x400454CA, 0x0001, 0x1000
NEW_NET = 0x40000000


def opened(namespace: str, device: str) -> int:
    """The end of a TUN device of a namespace."""
    there = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(there, NEW_NET):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), namespace)
    os.close(there)
    end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(end, SETIFF, struct.pack("16sH", device.encode(), TUN | NO_HEAD))
    return end


def carry(ends: tuple[int, int], seconds: float, percent: float) -> None:
    """Pass packets from either end to the other, late, in their order, some not at all; for ever."""
    other = {ends[0]: ends[1], ends[1]: ends[0]}
    waiting: list[tuple[float, int, int, bytes]] = []
    count, chance = 0, random.Random()
    while True:
        pause = max(waiting[0][0] - time.monotonic(), 0.0) if waiting else None
        for end in select.select(ends, (), (), pause)[0]:
            packet = os.read(end, 65536)
            if chance.random() * 100 >= percent:
                count += 1
                heapq.heappush(waiting, (time.monotonic() + seconds, count, other[end], packet))
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, to, packet = heapq.heappop(waiting)
            os.write(to, packet)


def main(one: str, device: str, two: str, peer: str, milliseconds: str, percent: str) -> None:
    ends = opened(one, device), opened(two, peer)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    carry(ends, float(milliseconds) / 1000, float(percent))


if __name__ == "__main__":
    main(*sys.argv[1:])
