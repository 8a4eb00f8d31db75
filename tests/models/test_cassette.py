"""Cassettes: each exchange is kept at once, for its owner, played in order, refused to another question."""

import asyncio
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opssquad.documents import BadFile
from opssquad.errors import ModelRateLimited, UsageError
from opssquad.models.base import Case, Listener, Message, Model, ModelCall, Reply, Request, ToolSpec
from opssquad.models.canonical import asked
from opssquad.models.cassette import OtherQuestion, Player, recording_model
from opssquad.models.scripted import Scripted
from opssquad.types import Usage

LOOK = ToolSpec(name="look", description="Look.", parameters={"type": "object"})
REPLIES = [
    Reply(text="I look.", calls=(ModelCall(id="x1", tool="look", args={"at": "it"}),), finish="calls"),
    Reply(text="It is fine.", usage=Usage(prompt=7, completion=3)),
]


class Heard:
    """A listener that keeps what it hears."""

    def __init__(self) -> None:
        self.pieces: list[str] = []

    def text(self, piece: str) -> None:
        self.pieces.append(piece)

    def warn(self, text: str) -> None:
        raise AssertionError(text)


def request(*messages: Message, system: str = "You look.", tools: tuple[ToolSpec, ...] = (LOOK,)) -> Request:
    return Request(system=system, messages=messages, tools=tools, case=Case())


def said(text: str) -> Message:
    return Message(role="user", text=text)


def looked(thread: str, text: str) -> tuple[Message, Message]:
    call = ModelCall(id=f"{thread}-1.1", tool="look", args={"at": "it"})
    return Message(role="assistant", text="I look.", calls=(call,)), Message(
        role="tool", text=text, call=call.id
    )


def fenced(letters: str, text: str) -> str:
    return f"«data {letters}»\n{text}\n«/data {letters}»"


async def recorded(file: Path) -> list[Request]:
    """A cassette of two exchanges, and what was asked."""
    model = recording_model(Scripted(REPLIES, name="m1"), file)
    requests = [request(said("hi")), request(said("hi"), *looked("k3xq7p", "all is well"))]
    for each in requests:
        await model.reply(each, Heard())
    return requests


async def test_a_cassette_is_played_back_in_order_with_words_calls_and_tokens(tmp_path: Path) -> None:
    requests = await recorded(tmp_path / "c")
    player, heard = Player.open(tmp_path / "c", "m1"), Heard()
    assert (player.name, player.left) == ("m1", 2)
    assert [await player.reply(each, heard) for each in requests] == REPLIES
    assert heard.pieces == ["I look.", "It is fine."]
    assert player.left == 0


async def test_every_exchange_is_on_disk_before_the_next_one_and_is_its_owners_alone(tmp_path: Path) -> None:
    file, seen = tmp_path / "c", []

    class Looking:
        name = "m1"

        async def reply(self, request: Request, listener: Listener) -> Reply:
            seen.append(len(file.read_text(encoding="utf-8").splitlines()))
            return Reply(text="yes")

    model = recording_model(Looking(), file)
    for text in ("one", "two", "three"):
        await model.reply(request(said(text)), Heard())
    assert seen == [1, 2, 3]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_a_line_shows_only_what_is_new_since_the_one_before(tmp_path: Path) -> None:
    await recorded(tmp_path / "c")
    first, second = (
        json.loads(line) for line in (tmp_path / "c").read_text(encoding="utf-8").splitlines()[1:]
    )
    assert first["request"]["system"] == "You look."
    assert first["request"]["tools"] == ["look"]
    assert set(second["request"]) == {"since", "messages"}
    assert second["request"]["since"] == 2
    assert [message["role"] for message in second["request"]["messages"]] == ["assistant", "tool"]


async def test_ids_fences_times_and_ages_of_another_run_are_the_same_question(tmp_path: Path) -> None:
    def run(thread: str, letters: str, age: str, now: str) -> Request:
        seen = fenced(letters, f"NAME   READY   AGE\nweb-1   0/1   {age}   last {now}, card a-{thread}-2.1")
        return request(said("hi"), *looked(thread, seen), system=f"It is {now[11:16]}.")

    model = recording_model(Scripted(REPLIES, name="m1"), tmp_path / "c")
    await model.reply(run("k3xq7p", "kfbeaaaaaa", "59s", "2026-03-08T14:37:00Z"), Heard())
    again = run("zz9abc", "ppppbcdefg", "1m2s", "2026-03-08T14:38:02.5Z")
    assert await Player.open(tmp_path / "c").reply(again, Heard()) == REPLIES[0]


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (request(said("hi"), system="You glance."), "the system prompt"),
        (request(said("hi"), tools=()), r"the tools \(look\)"),
        (
            request(said("hi"), tools=(LOOK.model_copy(update={"description": "Glance."}),)),
            r"the tools \(look\)",
        ),
        (request(said("hello")), r"message 1 \(user\)"),
        (request(said("hi"), said("hi")), r"the number of messages \(1 recorded, 2 asked\)"),
    ],
)
async def test_another_question_is_refused_with_its_number_and_what_differs(
    tmp_path: Path, other: Request, what: str
) -> None:
    await recorded(tmp_path / "c")
    with pytest.raises(
        OtherQuestion, match=rf"c: exchange 1 was recorded for another question: {what} differs"
    ):
        await Player.open(tmp_path / "c").reply(other, Heard())


async def test_another_call_or_result_later_on_is_refused_at_its_exchange(tmp_path: Path) -> None:
    first, second = await recorded(tmp_path / "c")
    player = Player.open(tmp_path / "c")
    await player.reply(first, Heard())
    with pytest.raises(OtherQuestion, match=r"exchange 2 .*: message 3 \(tool\) differs"):
        await player.reply(request(said("hi"), *looked("k3xq7p", "all is ill")), Heard())
    assert await player.reply(second, Heard()) == REPLIES[1], "what was refused was not played"


async def test_a_run_that_asks_on_past_the_end_is_refused(tmp_path: Path) -> None:
    requests = await recorded(tmp_path / "c")
    player = Player.open(tmp_path / "c")
    for each in requests:
        await player.reply(each, Heard())
    with pytest.raises(OtherQuestion, match="over after 2 exchanges"):
        await player.reply(requests[1], Heard())


async def test_a_failure_is_played_as_the_failure_that_it_was(tmp_path: Path) -> None:
    class Limited:
        name = "m1"

        async def reply(self, request: Request, listener: Listener) -> Reply:
            raise ModelRateLimited("429, enough", 3.0)

    with pytest.raises(ModelRateLimited):
        await recording_model(Limited(), tmp_path / "c").reply(request(said("hi")), Heard())
    with pytest.raises(ModelRateLimited, match="429, enough"):
        await Player.open(tmp_path / "c").reply(request(said("hi")), Heard())


async def test_an_exchange_that_was_broken_off_is_kept_as_an_endpoint_that_gave_no_answer(
    tmp_path: Path,
) -> None:
    class Silent:
        name = "m1"

        async def reply(self, request: Request, listener: Listener) -> Reply:
            await asyncio.sleep(60)
            raise AssertionError("was to be broken off")

    model: Model = recording_model(Silent(), tmp_path / "c")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(model.reply(request(said("hi")), Heard()), 0.05)
    line = json.loads((tmp_path / "c").read_text(encoding="utf-8").splitlines()[1])
    assert line["failure"]["kind"] == "ModelUnreachable"
    assert "reply" not in line


def test_a_cassette_that_is_there_already_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "c").write_text("kept", encoding="utf-8")
    with pytest.raises(UsageError, match="is there already; name another file"):
        recording_model(Scripted([]), tmp_path / "c")
    assert (tmp_path / "c").read_text(encoding="utf-8") == "kept"
    with pytest.raises(UsageError, match="No such file or directory; choose another place"):
        recording_model(Scripted([]), tmp_path / "none" / "c")


def changed(lines: list[str], number: int, **fields: Any) -> list[str]:
    """The lines with fields of one of them, from 1, set to others."""
    line = {**json.loads(lines[number - 1]), **fields}
    return [*lines[: number - 1], json.dumps(line), *lines[number:]]


DAMAGES: dict[str, tuple[Any, str]] = {
    "empty": (lambda lines: [], r"c: is empty: no exchange was recorded"),
    "head only": (lambda lines: lines[:1], r"c, line 1: holds no exchange"),
    "cut off": (lambda lines: [*lines[:2], lines[2][:50]], r"c, line 3: not JSON; the recording was cut off"),
    "no head": (lambda lines: lines[1:], r"c, line 1: is no line of a cassette: cassette: Field required"),
    "not JSON": (lambda lines: ["cassette"], r"c, line 1: not JSON"),
    "a list": (lambda lines: [lines[0], "[]"], r"c, line 2: is no line of a cassette: it"),
    "older": (lambda lines: changed(lines, 1, cassette=0), r"c, line 1: is of version 0"),
    "out of order": (lambda lines: [lines[0], lines[2]], r"c, line 2: holds exchange 2 where 1 belongs"),
    "no answer": (lambda lines: changed(lines, 2, reply=None), r"c, line 2: an exchange holds either"),
    "digest": (lambda lines: changed(lines, 3, digest="0"), r"c, line 3: the digest is not that"),
    "unknown": (lambda lines: changed(lines, 3, more=1), r"c, line 3: is no line of a cassette: more"),
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_cassette_is_one_line_with_file_and_line(tmp_path: Path, damage: str) -> None:
    await recorded(tmp_path / "c")
    change, said = DAMAGES[damage]
    lines = change((tmp_path / "c").read_text(encoding="utf-8").splitlines())
    (tmp_path / "c").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    with pytest.raises(BadFile, match=said) as raised:
        Player.open(tmp_path / "c")
    assert "\n" not in str(raised.value)


async def test_a_cassette_of_another_model_is_refused(tmp_path: Path) -> None:
    await recorded(tmp_path / "c")
    with pytest.raises(BadFile, match=r"c, line 1: was recorded with model m1, not with m2"):
        Player.open(tmp_path / "c", "m2")


THREAD = st.from_regex(r"[a-z0-9]{6}", fullmatch=True)
LETTERS = st.from_regex(r"[a-p]{10}", fullmatch=True)
WORDS = st.text("bcfghjklnopqruvwxz ", max_size=40)


@given(THREAD, THREAD, LETTERS, LETTERS, WORDS)
def test_what_differs_by_nature_changes_no_digest(one: str, other: str, a: str, b: str, words: str) -> None:
    first = request(said(words), *looked(one, fenced(a, f"{words} 3 min ago")))
    second = request(said(words), *looked(other, fenced(b, f"{words} 1 h 2 min ago")))
    # A thread's id that stands among the words by chance is written as one.
    if one not in words.split() and other not in words.split():
        assert asked(first) == asked(second)


@given(WORDS, WORDS)
def test_other_words_are_another_question(one: str, other: str) -> None:
    # Padding and line breaks follow the width of ages: only words count.
    same = one.split() == other.split() and one[:1].isspace() == other[:1].isspace()
    same = same and one[-1:].isspace() == other[-1:].isspace()
    assert (asked(request(said(one))) == asked(request(said(other)))) == same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("the last 3 min ago", "the last 1\n    h 4 min ago"),
        ("since 13:45: Started", "since 9:01: Started"),
        ("at 2026-03-08T14:37:00.123Z and 2026-03-08 14:37:00,5", "at 2026-03-08T15:00:00Z and 2026-03-09"),
        ("14 (33s ago)   47m", "14 (2m3s ago)  3d4h"),
    ],
)
def test_times_and_ages_are_the_same_in_every_form(one: str, other: str) -> None:
    assert asked(request(said(one))) == asked(request(said(other)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("15 restarts", "16 restarts"),
        ("timeout after 5000ms", "timeout after 10000ms"),
        ("port 8080", "port 8081"),
        ("image v2.4.0", "image v2.4.1"),
        ("10.244.0.10:8080", "10.244.0.11:8080"),
        ("web-5f95d6d57b-4sjnf", "web-5f95d6d57b-khs6p"),
    ],
)
def test_facts_are_no_times(one: str, other: str) -> None:
    assert asked(request(said(one))) != asked(request(said(other)))


def test_names_that_a_restart_makes_are_the_same_in_any_order_and_only_from_then_on() -> None:
    def listed(tool: str, *pods: str) -> Request:
        call = ModelCall(id="k3xq7p-1.1", tool=tool, args={"name": "web"})
        did = Message(role="assistant", calls=(call,))
        return request(said("hi"), did, Message(role="tool", text="\n".join(pods), call=call.id))

    one = ("web-5f95d6d57b-4sjnf w1 Running", "web-5f95d6d57b-khs6p w2 Running")
    other = ("web-66d9888f6b-7kxv7 w2 Running", "web-66d9888f6b-mhvnc w1 Running")
    assert asked(listed("restart", *one)) == asked(listed("restart", *other))
    assert asked(listed("pods", *one)) != asked(listed("pods", *other))
    assert asked(listed("restart", *one)) != asked(listed("restart", *other[:1]))
