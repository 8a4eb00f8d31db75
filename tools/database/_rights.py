"""What each role may do with tables, its own rights and those that it has through others; pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from opssquad import Json

from ._common import Place, place_of

ALL = ("select", "insert", "update", "delete", "truncate", "references", "trigger")
"""What a superuser may do with any table."""
PUBLIC = "public"
"""Under this name stands what everybody may do."""
ALL_DATA = {
    "pg_read_all_data": ("select",),
    "pg_write_all_data": ("insert", "update", "delete"),
}
"""Built-in roles whose members have a right on every table and schema."""


@dataclass(frozen=True)
class May:
    """What a role may do with a table: privileges, through whom it has each that is not its own, and whether
    it may use the table's schema, without which none of them counts."""

    role: str
    privileges: tuple[str, ...]
    through: Mapping[str, str]
    schema: bool

    def shown(self) -> Json:
        """As data."""
        return {
            "privileges": list(self.privileges),
            "through": dict(self.through),
            "uses_schema": self.schema,
        }


@dataclass
class Rights:
    """All rights of a database: rows of the looks `grants`, `roles` and `schemas`."""

    grants: Sequence[Json]
    roles: Sequence[Json]
    schemas: Sequence[Json]

    @cached_property
    def direct(self) -> dict[Place, dict[str, tuple[str, ...]]]:
        """Privileges by table and role, as they were granted."""
        found: dict[Place, dict[str, tuple[str, ...]]] = defaultdict(dict)
        for row in self.grants:
            privileges = tuple(dict.fromkeys(str(row["privileges"]).split()))
            found[place_of(row)][str(row["role"])] = privileges
        return found

    @cached_property
    def _usable(self) -> dict[str, set[str]]:
        found = {str(row["schema"]): {str(each) for each in row["usable_by"]} for row in self.schemas}
        for row in self.schemas:
            found[str(row["schema"])].add(str(row["owner"]))
        return found

    @cached_property
    def _by_name(self) -> dict[str, Json]:
        return {str(row["role"]): row for row in self.roles}

    def chain(self, role: str) -> tuple[str, ...]:
        """The role, those whose rights it has by membership, nearest first, and everybody."""
        found, todo = dict.fromkeys([role]), [role]
        while todo:
            row = self._by_name.get(todo.pop(0), {})
            # Of others that it is a member of it has the rights only after SET ROLE.
            for each in row.get("inherits", row.get("member_of")) or ():
                if each not in found:
                    found[each] = None
                    todo.append(each)
        return (*found, PUBLIC)

    def may(self, role: str, table: Place, chain: Sequence[str] = ()) -> May:
        """What the role may do with a table. `chain` where it is known already."""
        if self._by_name.get(role, {}).get("superuser"):
            return May(role, ALL, {}, True)
        granted, through = self.direct.get(table, {}), {}
        chain = chain or self.chain(role)
        privileges: dict[str, None] = {}
        for each in chain:
            for privilege in (*granted.get(each, ()), *ALL_DATA.get(each, ())):
                if privilege not in privileges and each != role:
                    through[privilege] = each
                privileges.setdefault(privilege)
        return May(role, tuple(privileges), through, self._uses(table[0], chain))

    def _uses(self, schema: str, chain: Sequence[str]) -> bool:
        everywhere = not ALL_DATA.keys().isdisjoint(chain)
        return everywhere or not self._usable.get(schema, set()).isdisjoint(chain)

    def granted(self) -> Iterator[tuple[str, list[tuple[Place, May]]]]:
        """Each role with what it was granted itself. Whether it may use a schema counts for those that log
        in: of others the members may, each by itself."""
        by_role: dict[str, list[tuple[Place, May]]] = defaultdict(list)
        chains = {str(row["role"]): self.chain(str(row["role"])) for row in self.roles if row["can_login"]}
        supers = {str(row["role"]) for row in self.roles if row["superuser"]}
        for table, granted in self.direct.items():
            for role, privileges in granted.items():
                usable = role in supers or role not in chains or self._uses(table[0], chains[role])
                by_role[role].append((table, May(role, privileges, {}, usable)))
        yield from by_role.items()

    def of(self, role: str) -> Iterator[tuple[Place, May]]:
        """The tables that the role may do something with."""
        chain = self.chain(role)
        for table in self.direct:
            if (found := self.may(role, table, chain)).privileges:
                yield table, found

    def everyone(self, table: Place) -> list[May]:
        """What each role that may log in, or is named there, may do with the table."""
        names = [str(row["role"]) for row in self.roles if row["can_login"]]
        names += [each for each in self.direct.get(table, {}) if each not in names]
        return [self.may(name, table) for name in names if name != PUBLIC]


def grouped(rights: Iterable[tuple[Place, May]]) -> list[tuple[str, str, list[str]]]:
    """Tables of one schema with the same rights: schema, rights, tables."""
    found: dict[Place, list[str]] = defaultdict(list)
    for (schema, table), may in rights:
        unusable = "" if may.schema else " (but it may not use the schema)"
        found[schema, " ".join(may.privileges) + unusable].append(table)
    return [(schema, privileges, tables) for (schema, privileges), tables in found.items()]
