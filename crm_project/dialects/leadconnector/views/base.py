"""The base views of LeadConnector's endpoints: the `Version` header, the error format, the location."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from crm_project.dialects.kit.schema import DialectSchema
from crm_project.dialects.kit.serializers import Empty
from crm_project.dialects.kit.views import DialectView
from crm_project.dialects.leadconnector import errors

VERSION = OpenApiParameter(
    "Version", str, OpenApiParameter.HEADER, required=True, enum=sorted(errors.VERSIONS), default="2021-07-28"
)


SYSTEM = "leadconnector"


class VersionedSchema(DialectSchema):
    def get_override_parameters(self) -> list[Any]:
        return [*super().get_override_parameters(), VERSION]


class LeadConnectorView(DialectView):
    system = SYSTEM
    answer = staticmethod(errors.answer)
    error_schema = errors.SCHEMA
    more_refusals = frozenset({422})
    schema = VersionedSchema()
    empty_values = Empty.ABSENT

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        errors.require_version(request)
        super().initial(request, *args, **kwargs)

    @property
    def trace(self) -> dict[str, str]:
        return {"traceId": getattr(self.request, "request_id", "")}

    @property
    def done(self) -> dict[str, bool]:
        """The body of a success. `succeded` is the vendor's spelling; version 3 adds two others."""
        is_third = self.request.headers.get("Version") == "v3"
        return {"succeded": True, **({"success": True, "succeeded": True} if is_third else {})}


class LeadConnectorLocationScopedView(LeadConnectorView):
    """Requires that the location in the path is the organization."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.ids.resolve("organization", kwargs["location_id"]) is None:
            errors.refuse_location()
