"""Work at once: one failure or a cancellation ends all of it, and nothing goes on behind."""

import asyncio

import pytest

from opssquad.together import together


async def test_a_failure_is_raised_once_the_others_have_ended() -> None:
    ended: list[str] = []

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("waits")

    async def fails() -> None:
        await asyncio.sleep(0)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await together([waits(), fails()])
    assert ended == ["waits"]


async def test_a_cancellation_ends_all_of_it() -> None:
    ended: list[int] = []

    async def waits(number: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(number)

    task = asyncio.ensure_future(together(waits(n) for n in range(3)))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sorted(ended) == [0, 1, 2]


async def test_no_work_is_no_wait() -> None:
    await together([])
