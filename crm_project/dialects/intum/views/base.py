"""The base view of Intum's endpoints: authentication, the object inside a body, pages."""

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework.exceptions import NotFound, ParseError
from rest_framework.request import Request

from crm_project.accounts.actors import Actor
from crm_project.accounts.models import User
from crm_project.accounts.services import authenticate_token
from crm_project.api.authentication import BearerAuthentication, BearerScheme, bearer_secret
from crm_project.dialects.intum import errors
from crm_project.dialects.intum.serializers.references import app_code as app_code_of
from crm_project.dialects.kit.offset_pages import rows_of_page
from crm_project.dialects.kit.views import DialectView
from crm_project.records.models import DEFAULT_SYSTEM

TOKEN = "api_token"
PER_PAGE = 25


class MissingParameter(ParseError):
    """The body has no object under the required key."""

    default_code = errors.MISSING


class IntumAuthentication(BearerAuthentication):
    """`Authorization: Bearer`, else `?api_token=`, else `api_token` beside the body's object."""

    def authenticate(self, request: Request) -> tuple[User, Actor] | None:
        if bearer_secret(request) is not None:
            return super().authenticate(request)
        body = request.data if isinstance(request.data, Mapping) else {}
        secret = request.query_params.get(TOKEN) or body.get(TOKEN)
        if not isinstance(secret, str):
            return None
        actor = authenticate_token(secret)
        return (actor.member.user, actor) if actor else None


class IntumAuthenticationScheme(BearerScheme):  # type: ignore[no-untyped-call]
    target_class = IntumAuthentication


class IntumView(DialectView):
    system = "intum"
    answer = staticmethod(errors.answer)
    error_schema = errors.SCHEMA
    more_refusals = frozenset({422})
    authentication_classes = [IntumAuthentication]
    secret_parameters = frozenset({TOKEN})
    wrapper: ClassVar[str] = ""
    always: ClassVar[tuple[str, ...]] = ()
    """Fields that are read even if their value is unchanged."""

    def query_data(self, request: Request) -> Mapping[str, Any]:
        return {name: value for name, value in super().query_data(request).items() if name != TOKEN}

    def sent(self, *beside: str) -> dict[str, Any]:
        """The object inside the body; `beside` are valid keys beside it."""
        body: Any = self.request.data
        sent = body.get(self.wrapper) if isinstance(body, Mapping) else None
        if not isinstance(sent, Mapping):
            raise MissingParameter(f"brak parametru lub jest pusty: {self.wrapper}")
        self.ignore(body.keys() - {self.wrapper, TOKEN, *beside})
        return dict(sent)

    def changed(self, serializer_class: Any, current: Mapping[str, Any]) -> dict[str, Any]:
        """The change between the body and the row as it is now."""
        sent = self.sent()
        required = {name: sent[name] for name in self.always if name in sent}
        return self.read(serializer_class, self.changed_fields(sent, current) | required, partial=True)

    def by_reference(self, rows: Any, app_code: str, external_id: str) -> Any:
        """The row with this external reference for the application, else for the default system."""
        for system in dict.fromkeys((app_code or app_code_of(self.actor), DEFAULT_SYSTEM)):
            found = rows.holding_reference(system=system, external_id=external_id).first()
            if found is not None:
                return found
        raise NotFound

    def page(self, rows: Any) -> Any:
        """The rows of `page` and `per_page`."""
        size = self.query.get("per_page", PER_PAGE)
        return rows_of_page(rows, self.query.get("page", 1), size)

    def filtered(self, rows: Any, columns: Mapping[str, tuple[str, str]]) -> Any:
        """Filter by ids; `columns` maps a parameter to (kind of row, column). An unknown id finds nothing."""
        for name, (kind, column) in columns.items():
            if name in self.query:
                rows = rows.filter(**{column: self.ids.filter_key(kind, self.query[name])})
        return rows
