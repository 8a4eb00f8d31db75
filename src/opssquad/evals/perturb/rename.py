"""Renaming in text: whole words and whole sequences of words, never a part of a word.

A name such as `title-api` is a sequence of words joined by `-` (or `_`, as modules write it). It is looked
for inside each run of joined words, the longest name first, so that `title-api-config` becomes `NEW-config`
while `subtitle-api` stays. A name of one word is also known in its plural or singular, with a capital, and
as the head of a word in camel case (`CartErrorRate`). Words in capitals, as names of variables are, stay.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

RUN = r"\\[nrt](?=[A-Za-z])|[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*"
"""A run of joined words; the letter of an escape inside quoted JSON belongs to no word."""
HEAD = re.compile(r"[A-Z][a-z]+(?=[A-Z])")
ESCAPES = ("\\n", "\\r", "\\t")


class Renamer:
    """Gives text back with old names replaced by new ones; the same text always comes out the same.

    `names` maps whole names to whole names, `literal` exact texts (hosts) to texts; `kept` are patterns whose
    hits stay as they are, whatever names stand in them.
    """

    def __init__(
        self, names: Mapping[str, str], literal: Mapping[str, str] | None = None, kept: Sequence[str] = ()
    ) -> None:
        self._exact = dict(literal or {})
        self._names = {tuple(re.split("[-_]", old)): new for old, new in _with_forms(names).items()}
        self._heads = {words[0] for words in self._names}
        self._longest = max(map(len, self._names), default=0)
        self._seen: dict[str | None, str] = {None: "", **{escape: escape for escape in ESCAPES}}
        literals = "|".join(map(re.escape, sorted(self._exact, key=len, reverse=True))) or r"(?!)"
        bounds = rf"(?<![A-Za-z0-9.-])(?:{literals})(?![A-Za-z0-9-])|(?<=\.)(?:{literals})(?![A-Za-z0-9-])"
        keep = "|".join(f"(?:{pattern})" for pattern in kept) or r"(?!)"
        self._pattern = re.compile(rf"({keep})|({bounds})|({RUN})")

    def __call__(self, text: str) -> str:
        """The text under its new names."""
        # In turns: what stands between, and one of what is kept, a literal and a run; the others are None.
        pieces = self._pattern.split(text)
        exact, runs = pieces[2::4], pieces[3::4]
        self._seen |= {run: self._run(run) for run in {*runs} - self._seen.keys()}
        pieces[2::4] = [self._exact.get(literal, "") for literal in exact]
        pieces[3::4] = [self._seen[run] for run in runs]
        return "".join(piece for piece in pieces if piece)

    def _run(self, run: str) -> str:
        parts = re.split("([-_])", run)
        words, joints = parts[::2], [*parts[1::2], ""]
        if self._heads.isdisjoint(words) and not any(word[:1].isupper() for word in words):
            return run
        out, at = "", 0
        while at < len(words):
            taken = self._longest_at(words, joints, at)
            if taken:
                joint = joints[at] if taken > 1 else "-"
                out += self._names[tuple(words[at : at + taken])].replace("-", joint)
            else:
                taken = 1
                out += self._cased(words[at])
            at += taken
            out += joints[at - 1]
        return out

    def _longest_at(self, words: list[str], joints: list[str], at: int) -> int:
        """How many words from there are a name, joined by one kind of joint; 0 if none."""
        for count in range(min(self._longest, len(words) - at), 0, -1):
            same = len(set(joints[at : at + count - 1])) <= 1
            if same and tuple(words[at : at + count]) in self._names:
                return count
        return 0

    def _cased(self, word: str) -> str:
        """A name with a capital, alone or as the head of a word in camel case."""
        head = HEAD.match(word)
        first = head.group(0) if head else word
        new = self._names.get((first.lower(),), "") if first.istitle() else ""
        return f"{new.capitalize()}{word[len(first) :]}" if new.isalpha() else word


def _with_forms(names: Mapping[str, str]) -> dict[str, str]:
    """The names and, for those of one word, their other number, as far as that is no name itself."""
    forms = {form: made for old, new in names.items() for form, made in _numbers(old, new)}
    return {**forms, **names}


def _numbers(old: str, new: str) -> Iterator[tuple[str, str]]:
    if not (old.isalpha() and new.isalpha() and len(old) > 2):
        return
    if old.endswith("s"):
        if not old.endswith("ss") and new.endswith("s"):
            yield old[:-1], new[:-1]
    else:
        yield (f"{old[:-1]}ies" if old.endswith("y") else f"{old}s"), f"{new}s"
