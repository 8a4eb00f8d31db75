"""The statements that the tests judge, from the files beside this one."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import RootModel

from opssquad.documents import read_yaml


class Families(RootModel[Mapping[str, tuple[str, ...]]]):
    """Statements by family."""


def families(name: str) -> Mapping[str, tuple[str, ...]]:
    """The statements of a file, by family."""
    return read_yaml(Path(__file__).with_name(name), Families).root


def statements(name: str) -> list[str]:
    """All statements of a file."""
    return [each for family in families(name).values() for each in family]
