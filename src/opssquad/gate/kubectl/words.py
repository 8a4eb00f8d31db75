"""One line into words, as a shell would split it if it were given nothing to do. Pure.

No shell ever sees a line; whatever a shell would act upon (a second command, a pipe, a redirection, a
substitution) is refused, because the author meant it and it would not happen.
"""

from opssquad.gate.kubectl.unclear import Unclear

LONGEST = 2000
ACTIVE = {
    ";": "one command a call: make two calls",
    "&": "one command a call, and none in the background",
    "|": "no pipe: the tool's `grep` narrows the output down",
    "<": "no redirection: nothing is read from files",
    ">": "no redirection: nothing is written to files",
    "$": "nothing is substituted: write the value itself",
    "`": "nothing is substituted: write the value itself",
    "(": "no shell stands behind this: quote the bracket if it belongs to a value",
    ")": "no shell stands behind this: quote the bracket if it belongs to a value",
    "\\": "no backslash outside quotes",
}


def words(line: str) -> list[str]:
    """The words of a line. Raises Unclear for anything that a shell would act upon."""
    if len(line) > LONGEST:
        raise Unclear(f"the line has {len(line)} characters, and {LONGEST} are taken at most")
    for char in line:
        if not (char.isascii() and char.isprintable()):
            raise Unclear(f"the line holds {char!r}; one line of plain ASCII is taken")
    return _Splitter(line).split()


class _Splitter:
    def __init__(self, line: str) -> None:
        self.line = line
        self.at = 0
        self.found: list[str] = []
        self.word: str | None = None

    def split(self) -> list[str]:
        while self.at < len(self.line):
            char = self.line[self.at]
            self.at += 1
            if char == " ":
                self._end()
            elif char == "'":
                self._add(self._until("'"))
            elif char == '"':
                self._add(self._double())
            else:
                self._add(self._plain(char))
        self._end()
        return self.found

    def _end(self) -> None:
        if self.word is not None:
            self.found.append(self.word)
        self.word = None

    def _add(self, text: str) -> None:
        self.word = (self.word or "") + text

    def _plain(self, char: str) -> str:
        if char in ACTIVE:
            raise Unclear(f"{char!r}: {ACTIVE[char]}")
        if char == "#" and self.word is None:
            raise Unclear("'#': no comments")
        return char

    def _until(self, quote: str) -> str:
        end = self.line.find(quote, self.at)
        if end < 0:
            raise Unclear(f"a quote ({quote}) is opened and not closed")
        text, self.at = self.line[self.at : end], end + 1
        return text

    def _double(self) -> str:
        """Between double quotes: nothing is substituted, so whatever would be is refused."""
        text = ""
        while self.at < len(self.line):
            char, after = self.line[self.at], self.line[self.at + 1 : self.at + 2]
            self.at += 1
            if char == '"':
                return text
            if char in "$`":
                raise Unclear(f"{char!r}: {ACTIVE[char]}")
            if char == "\\" and after in ('"', "\\"):
                char = after
                self.at += 1
            text += char
        raise Unclear('a quote (") is opened and not closed')
