"""The OpenAPI document of each dialect."""

from copy import deepcopy
from functools import partial
from typing import Any, Literal

from django.urls import include, path
from drf_spectacular.plumbing import ResolvedComponent, is_list_serializer
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiJsonRenderer2

from crm_project.api.documents import StoredDocumentView
from crm_project.api.schema import OneAtATime, Schema
from crm_project.dialects.registry import DIALECTS


class DialectSchema(Schema):
    """Adds the parameters of the action's query serializer and the vendor's error schema."""

    view: Any

    def get_override_parameters(self) -> list[Any]:
        query = self.view.queries.get(self.view.action)
        return [*([query] if query else []), *super().get_override_parameters()]

    def _is_list_view(self, serializer: Any = None) -> bool:
        """Without DRF's pagination: each vendor has its own envelope of lists, which the actions document."""
        return bool(is_list_serializer(serializer))

    def success_bodies(self, direction: Literal["request", "response"]) -> Any:
        """A DELETE without a documented status has that of the view, with a body."""
        documented = self.get_response_serializers()
        if self.method != "DELETE" or isinstance(documented, dict):
            return super().success_bodies(direction)
        status = str(self.view.delete_status)
        # The library is typed in part.
        body = self._get_response_for_code(documented, status, direction=direction)  # type: ignore[no-untyped-call]
        return {status: body}

    def problem_statuses(self) -> tuple[int, ...]:
        return tuple({*super().problem_statuses(), *self.view.more_refusals})

    @property
    def names_a_row(self) -> bool:
        """Some vendors name rows in the query or the body."""
        return True

    def problem_content(self, status: int) -> dict[str, Any]:
        """The component is named by its title, since a vendor may have several shapes."""
        name = self.view.error_schema.get("title", "Refusal")
        refusal = ResolvedComponent(  # type: ignore[no-untyped-call]
            name=name,
            type=ResolvedComponent.SCHEMA,
            object=name,
            schema=deepcopy(self.view.error_schema),
        )
        self.registry.register_on_missing(refusal)
        return {"application/json": {"schema": refusal.ref}}


class DialectGenerator(OneAtATime):
    """The document of one dialect, without the description and the error schema of the canonical API."""

    def __init__(self, system: str, **kwargs: Any) -> None:
        patterns = [path(f"dialects/{system}/", include(DIALECTS[system].urls))]
        # drf-spectacular's generator is untyped.
        super().__init__(**{**kwargs, "patterns": patterns})  # type: ignore[no-untyped-call]
        self.system = system

    def get_schema(self, request: Any = None, public: bool = False) -> Any:
        schema = super().get_schema(request=request, public=public)
        del schema["info"]["description"]
        schema["info"]["title"] = f"CRM API in the format of {self.system}"
        schema["components"]["schemas"].pop("Problem", None)
        return schema


class DialectDocumentView(StoredDocumentView):
    renderer_classes: Any = [OpenApiJsonRenderer, OpenApiJsonRenderer2]


def schema_view(system: str) -> Any:
    return DialectDocumentView.as_view(
        document_name=system, generator_class=partial(DialectGenerator, system)
    )
