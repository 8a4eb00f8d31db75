"""A corpus of questions, each with the tool that must be offered for it, and how often it is."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ConfigDict, create_model

from opssquad import Tool, content
from opssquad.diagnosis.catalogue import Catalogue
from opssquad.models.base import Case
from opssquad.squad.knowledge import known_faults
from opssquad.squad.offering import Offering
from opssquad.squad.spec import load_squad
from opssquad.squad.words import stems
from opssquad.toolbox.tools import Role

FILE = Path(__file__).parent / "data" / "offering.yaml"
HELD_OUT = 3
"""Every third question was not looked at when the ranking was tuned."""


@dataclass(frozen=True)
class Asked:
    """A question, the tool that it needs, and whether it is of those that nothing was tuned by."""

    text: str
    tool: str
    held_out: bool


def corpus() -> list[Asked]:
    """All of them, in the order of the file."""
    told = yaml.safe_load(FILE.read_text(encoding="utf-8"))["questions"]
    return [Asked(q["ask"], q["tool"], number % HELD_OUT == 0) for number, q in enumerate(told, 1)]


@cache
def platform() -> Offering:
    """Every bundled tool and those of the file, with the faults of all squads."""
    squads = ("k8s", "network", "database")
    names = dict.fromkeys(name for squad in squads for name in load_squad(content.squad(squad)).tools)
    known = [known_faults(squad, None).catalogue for squad in squads]
    faults = Catalogue(
        faults=[fault for each in known for fault in each.faults],
        shows={key: show for each in known for key, show in each.shows.items()},
    )
    made = yaml.safe_load(FILE.read_text(encoding="utf-8"))["tools"]
    bundled = content.all_tools()
    tools = [bundled[name] for name in dict.fromkeys((*names, *bundled))]
    return Offering((*tools, *map(_made, made)), faults)


def _made(told: dict[str, Any]) -> Tool:
    """A tool of the platform's owner; it is never called."""
    fields: dict[str, Any] = {name: (str, ...) for name in told["parameters"]}
    args = create_model(told["name"], __config__=ConfigDict(extra="forbid"), **fields)
    act = Role(stems, {}, frozenset())
    roles = {"preview": act, "verify": act} if told["effect"] == "mutate" else {}
    return Tool(told["name"], told["effect"], told["description"], args, act, roles=roles, irreversible="no")


def missed(asked: list[Asked]) -> list[Asked]:
    """Those whose tool is not among the offered ones."""
    offering = platform()
    return [q for q in asked if q.tool not in {spec.name for spec in offering.of(Case(question=q.text))}]
