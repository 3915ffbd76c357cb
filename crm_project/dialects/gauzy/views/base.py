"""The base view of Gauzy's endpoints: checks the tenant and parses the query."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request

from crm_project.accounts.actors import Actor
from crm_project.api.fields import UUID
from crm_project.dialects.gauzy import errors
from crm_project.dialects.gauzy.serializers.query import parsed_query, relations_of
from crm_project.dialects.kit.views import DialectView

OURS = ("tenantId", "organizationId")
HEADERS = ("Tenant-Id", "Organization-Id")


class GauzyView(DialectView):
    system = "gauzy"
    answer = staticmethod(errors.answer)
    error_schema = errors.SCHEMA
    more_refusals = frozenset({406})
    update_status = 202
    delete_status = 202
    # Query parameters beside the tenant, and the valid values of `relations`.
    parameters: ClassVar[frozenset[str]] = frozenset()
    relates: ClassVar[frozenset[str]] = frozenset()
    # The valid ones of this request.
    relations: Sequence[str] = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self._check_tenant(request)

    def _read_query(self, request: Request) -> None:
        self.query = parsed_query(request.query_params.lists())
        self.ignore(self.query.keys() - self.known - {*OURS, "dry_run"})
        asked = relations_of(self.query.get("relations"))
        self.relations = [name for name in asked if name in self.relates]
        self.ignore(f"relations.{name}" for name in set(asked) - self.relates)

    @property
    def known(self) -> frozenset[str]:
        return self.parameters

    @property
    def body(self) -> Mapping[str, Any]:
        body: Any = self.request.data
        return body if isinstance(body, Mapping) else {}

    def _check_tenant(self, request: Request) -> None:
        """Raise PermissionDenied if a header, the query or the body names another tenant or organization."""
        if not isinstance(request.auth, Actor):
            return
        where = self.query.get("where")
        places = [self.body, self.query, where if isinstance(where, Mapping) else {}]
        named = [place[name] for place in places for name in OURS if place.get(name)]
        named += [request.headers[name] for name in HEADERS if request.headers.get(name)]
        objects = [self.body.get(name) for name in ("tenant", "organization")]
        named += [value.get("id") for value in objects if isinstance(value, Mapping)]
        organization = self.actor.organization
        own = {str(organization.uuid), str(self.ids.id_of(organization)).lower()}
        if any(str(value).lower() not in own for value in named):
            raise PermissionDenied

    def sent(self) -> dict[str, Any]:
        """The body without the tenant, which is checked already."""
        checked = (*OURS, "tenant", "organization")
        return {name: value for name, value in self.body.items() if name not in checked}

    def one(self, kind: str, row: str) -> Any:
        """The row of the id in the path, else 404."""
        return self.present(self.ids.resolve(kind, row), row)

    def present(self, found: Any, row: str) -> Any:
        """The row; if it is None, 404 for a UUID and 406 for a malformed id."""
        if found is None:
            raise NotFound if UUID.fullmatch(row) else errors.MalformedId
        return found
