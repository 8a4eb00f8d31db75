"""From a Markdown file to a runbook: front matter, sections, and the fenced blocks that are its program.

A block is one by the words behind its fence: `yaml step` or `yaml steady`; any other code is for the reader.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from opssquad.documents import BadFile, parse_placed, read_text
from opssquad.squad.runbooks.book import Block, Head, Look, Origin, Runbook, Section, Step

MOST = 1 << 20
"""Characters of a runbook: what is longer is another file than was meant."""
MODELS: dict[str, type[Look]] = {"step": Step, "steady": Look}
FENCE = re.compile(r"^(?P<indent> *)(?P<marks>`{3,}|~{3,}) *(?P<info>[^`]*)$")
HEADING = re.compile(r"^ {0,3}## +(?P<name>.*?) *#* *$")


def read_runbook(path: Path, origin: Origin) -> Runbook:
    """Read one file, sound or not; the same text is parsed once a process. Raises BadFile with file, line and
    reason."""
    return _parsed(read_text(path, MOST), path, origin)


@lru_cache(maxsize=64)
def _parsed(text: str, path: Path, origin: Origin) -> Runbook:
    lines = text.splitlines()
    head, start = _head(lines, path)
    return Runbook(
        file=path,
        origin=origin,
        head=parse_placed("\n" + head, Head, path),
        sections=tuple(_sections(lines, start, path)),
        digest=hashlib.sha256(text.encode()).hexdigest()[:12],
    )


def _head(lines: list[str], path: Path) -> tuple[str, int]:
    """The front matter, and the index of the line behind it."""
    if not lines or lines[0].strip() != "---":
        raise BadFile(path, "a runbook begins with front matter between two lines of ---: id, title, ...", 1)
    end = next((n for n, line in enumerate(lines[1:], 1) if line.strip() == "---"), 0)
    if not end:
        raise BadFile(path, "the front matter that begins here has no end; close it with ---", 1)
    return "\n".join(lines[1:end]), end + 1


@dataclass
class _Open:
    """A section that is being read."""

    name: str
    line: int
    parts: list[str | Block] = field(default_factory=list)
    prose: list[str] = field(default_factory=list)

    def paragraph(self) -> None:
        """What was read since the last block is whole."""
        if said := "\n".join(self.prose).strip("\n"):
            self.parts.append(said)
        self.prose = []

    def closed(self) -> Section:
        self.paragraph()
        return Section(self.name, self.line, tuple(self.parts))


def _sections(lines: list[str], start: int, path: Path) -> Iterator[Section]:
    """The sections; what stands above the first one is the title, and no part of any."""
    now, at = _Open("", start + 1), start
    while at < len(lines):
        if fence := FENCE.match(lines[at]):
            end = _end(lines, at, fence, path)
            if kind := _kind(fence["info"], path, at + 1):
                now.paragraph()
                now.parts.append(_block(lines, at, end, fence, kind, now.name, path))
            else:
                now.prose += lines[at : end + 1]
            at = end + 1
            continue
        if heading := HEADING.match(lines[at]):
            if now.name:
                yield now.closed()
            now = _Open(heading["name"], at + 1)
        else:
            now.prose.append(lines[at])
        at += 1
    if now.name:
        yield now.closed()


def _end(lines: list[str], at: int, fence: re.Match[str], path: Path) -> int:
    """The index of the line that closes a fence."""
    closing = re.compile(rf"^ *{re.escape(fence['marks'][0])}{{{len(fence['marks'])},}} *$")
    for index in range(at + 1, len(lines)):
        if closing.match(lines[index]):
            return index
    raise BadFile(path, f"the block that begins here has no end; close it with {fence['marks']}", at + 1)


def _kind(info: str, path: Path, line: int) -> str:
    """`step` or `steady`; empty for code that is for the reader."""
    language, *rest = info.split()[:2] or [""]
    if language.lower() not in ("yaml", "yml") or not rest:
        return ""
    if rest[0] not in MODELS:
        raise BadFile(path, f"a block of {info.strip()!r} is none; give `yaml step` or `yaml steady`", line)
    return rest[0]


def _block(
    lines: list[str], at: int, end: int, fence: re.Match[str], kind: str, section: str, path: Path
) -> Block:
    indent = len(fence["indent"])
    body = [re.sub(rf"^ {{0,{indent}}}", "", line) for line in lines[at + 1 : end]]
    # Empty lines stand for those above, so that each flaw is told with its line in the file.
    text = "\n" * (at + 1) + "\n".join(body)
    return Block(section, at + 1, parse_placed(text, MODELS[kind], path))
