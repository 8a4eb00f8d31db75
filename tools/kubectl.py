"""The tool `kubectl`: a line of kubectl that only reads, for what no other tool shows.

What a line is and how it is run is the handle's; here its output is narrowed down and told.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

from opssquad import Kubectl, Printed, Quote, Result, ToolError, duration, matcher, tool

BY_OWN_CLOCK = ("describe", "events")
"""Commands whose ages kubectl computes itself, by the clock of the machine that it runs on."""
NOTICED = timedelta(minutes=1)


@tool(effect="read")
async def kubectl(
    kubectl: Kubectl,
    line: Annotated[str, "kubectl get ..., describe, top, auth can-i, explain, ..."],
    grep: Annotated[str, "regex; keep only these lines"] = "",
) -> Result:
    """One kubectl command that only reads, for what no other tool shows. No pipes, no values of Secrets."""
    holds = matcher(grep)
    printed = await kubectl.read(line)
    if printed.code != 0 and not printed.out.strip():
        raise ToolError(
            " ".join(printed.err.split())[-500:] or f"kubectl failed with exit code {printed.code}"
        )
    return Result(
        text="\n".join([*_notes(printed), _shown(printed, grep, holds)]),
        sources=(Quote(locator=line.strip(), text=printed.out),),
        commands=(line.strip(),),
    )


def _shown(printed: Printed, grep: str, holds: Callable[[str], bool]) -> str:
    lines = printed.out.splitlines()
    if not grep:
        return printed.out.rstrip() or " ".join(printed.err.split()) or "(kubectl printed nothing)"
    kept = [each for each in lines if holds(each)]
    head = f"{len(kept)} of {len(lines)} lines match {grep!r}:"
    return "\n".join([head, *lines[:1], *(each for each in kept if each != lines[0])]) if kept else head


def _notes(printed: Printed) -> list[str]:
    """What one must know to read it right."""
    notes = []
    if printed.cut:
        notes.append("kubectl printed more than is taken; this is the beginning.")
    if printed.code != 0:
        notes.append(f"exit code {printed.code}. {' '.join(printed.err.split())[-300:]}".rstrip())
    if printed.words[0] in BY_OWN_CLOCK and abs(printed.ahead) > NOTICED:
        way = "ahead of" if printed.ahead > timedelta(0) else "behind"
        apart = f"the cluster's is {duration(abs(printed.ahead))} {way} it"
        notes.append(f"kubectl counts ages by this machine's clock; {apart}.")
    return notes
