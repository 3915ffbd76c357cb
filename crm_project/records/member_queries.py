"""Queries of what a member sees, compiled once in a process for each role."""

from collections.abc import Callable, Collection
from typing import Any

from crm_project.accounts.models import Member
from crm_project.prepared import Build, Prepared, instances
from crm_project.records.kinds import is_by_role


class MemberQuery:
    """`queryset_of(member, *parameters)` is the queryset; `kinds` are the models by whose rules it is narrowed.

    If one of these rules depends on more than the role, the query is compiled each time. `Prepared` says what a
    parameter may be.
    """

    def __init__(
        self,
        queryset_of: Callable[..., Any],
        *,
        kinds: Collection[Any] = (),
        builder: Callable[[Any], Build] = instances,
    ) -> None:
        self.queryset_of, self.kinds, self.builder = queryset_of, kinds, builder
        self._by_role: dict[str, Prepared] = {}

    def rows(self, member: Member, *parameters: Any) -> list[Any]:
        if not all(map(is_by_role, self.kinds)):
            return list(self.queryset_of(member, *parameters))
        prepared = self._by_role.get(member.role)
        if prepared is None:
            prepared = self._by_role[member.role] = self._prepared(member.role)
        return prepared.rows(member.pk, member.organization_id, *parameters)

    def _prepared(self, role: str) -> Prepared:
        def queryset(member_id: int, organization_id: int, *parameters: Any) -> Any:
            member = Member(pk=member_id, organization_id=organization_id, role=role)
            return self.queryset_of(member, *parameters)

        return Prepared(queryset, self.builder)
