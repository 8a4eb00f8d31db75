"""Writes the grammar of kubectl from a real one's help: `python -m tests.gate.kubectl.grammar [KUBECTL]`.

Commands, aliases and flags come from `--help`; whether a flag takes a value is tried out: `kubectl CMD --help
--flag` complains about a missing value and otherwise only prints the help. Nothing is ever carried out. What
may be read is not said here but in `reads.yaml`.
"""

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

import opssquad.gate.kubectl

TARGET = Path(opssquad.gate.kubectl.__file__).with_name("grammar.yaml")
HEADING = re.compile(r"^(?:[A-Z].*Commands.*):$")
COMMAND = re.compile(r"^  ([a-z][a-z-]*)\s{2,}\S")
FLAG = re.compile(r"^    (?:-(?P<short>\w), )?--(?P<long>[a-z][a-z0-9-]*)=(?P<default>.*):$")
Command = dict[str, Any]


class Help:
    """One kubectl, asked for help in an empty home without a PATH, so that no plug-in is seen."""

    def __init__(self, binary: str, home: str) -> None:
        self.binary, self.home = binary, home

    def ask(self, *words: str) -> str:
        """What it prints on both channels."""
        done = subprocess.run(
            [self.binary, *words],
            capture_output=True,
            text=True,
            check=False,
            env={"HOME": self.home, "PATH": "", "KUBECONFIG": f"{self.home}/none"},
            stdin=subprocess.DEVNULL,
            timeout=60,
        )
        return done.stdout + done.stderr

    def version(self) -> str:
        """Such as `v1.32.5`."""
        found = re.search(r"Client Version: (\S+)", self.ask("version", "--client"))
        if not found:
            raise SystemExit(f"{self.binary} does not say its version")
        return found[1]

    def takes(self, path: Sequence[str], flag: str) -> str:
        """`value` if the next word is the flag's value, else `none`."""
        said = self.ask(*path, "--help", f"--{flag}")
        return "value" if f"flag needs an argument: --{flag}" in said else "none"


def children(text: str) -> Iterator[str]:
    """Names of the commands below one, in the order of its help."""
    inside = False
    for line in text.splitlines():
        if not line.startswith(" "):
            inside = bool(HEADING.match(line)) or (inside and not line)
        elif inside and (found := COMMAND.match(line)):
            yield found[1]


def aliases(text: str) -> list[str]:
    """Other names of a command."""
    found = re.search(r"^Aliases:\n(.+)$", text, re.MULTILINE)
    return [each.strip() for each in found[1].split(",")][1:] if found else []


def flags(helper: Help, path: Sequence[str], text: str) -> dict[str, Any]:
    """Every flag that a help lists: its letter, and whether it is a switch, takes a value, or may."""
    rows = [found for line in text.splitlines() if (found := FLAG.match(line))]
    with ThreadPoolExecutor(2) as pool:
        tried = list(pool.map(lambda row: helper.takes(path, row["long"]), rows))
    read: dict[str, Any] = {}
    for row, takes in zip(rows, tried, strict=True):
        kind = "switch" if takes == "none" and row["default"] in ("true", "false") else takes
        known = {"takes": "optional" if kind == "none" else kind}
        read[row["long"]] = {"short": row["short"], **known} if row["short"] else known
    return read


def command(helper: Help, path: tuple[str, ...]) -> Command:
    """A command with everything below it."""
    text = helper.ask(*path, "--help")
    below = list(children(text))
    found: Command = {}
    if other := aliases(text):
        found["aliases"] = other
    if own := flags(helper, path, text):
        found["flags"] = own
    if below:
        found["commands"] = {name: command(helper, (*path, name)) for name in below}
    return found


def grammar(binary: str) -> Command:
    """The whole grammar of that kubectl."""
    with TemporaryDirectory() as home:
        helper = Help(binary, home)
        top = command(helper, ())
        everywhere = flags(helper, ("version",), helper.ask("options"))
        return {"kubectl": helper.version(), "flags": everywhere, "commands": top["commands"]}


def main() -> None:
    """Write the grammar of the kubectl named, or of the one on the PATH."""
    binary = sys.argv[1] if len(sys.argv) > 1 else "kubectl"
    head = "# Generated from `kubectl --help` by `python -m tests.gate.kubectl.grammar`; do not edit.\n"
    body = yaml.safe_dump(grammar(binary), sort_keys=False, width=110, default_flow_style=None)
    TARGET.write_text(head + body, encoding="utf-8")


if __name__ == "__main__":
    main()
