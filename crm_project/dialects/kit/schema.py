"""The OpenAPI document of each dialect."""

from functools import partial
from typing import Any

from django.urls import include, path
from drf_spectacular.plumbing import ResolvedComponent, is_list_serializer
from drf_spectacular.views import SpectacularJSONAPIView

from crm_project.api.schema import OneAtATime, Schema


class DialectSchema(Schema):
    """Adds the parameters of the action's query serializer and the vendor's error schema."""

    view: Any

    def get_override_parameters(self) -> list[Any]:
        query = self.view.queries.get(self.view.action)
        return [*([query] if query else []), *super().get_override_parameters()]

    def _is_list_view(self, serializer: Any = None) -> bool:
        """Without DRF's pagination: each vendor has its own envelope of lists, which the actions document."""
        return bool(is_list_serializer(serializer))

    def problem_content(self) -> dict[str, Any]:
        refusal = ResolvedComponent(  # type: ignore[no-untyped-call]
            name="Refusal",
            type=ResolvedComponent.SCHEMA,
            object="Refusal",
            schema=dict(self.view.error_schema),
        )
        self.registry.register_on_missing(refusal)
        return {"application/json": {"schema": refusal.ref}}


class DialectGenerator(OneAtATime):
    """The document of one dialect, without the description and the error schema of the canonical API."""

    def __init__(self, system: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]  # drf-spectacular's generator is untyped
        self.system = system

    def get_schema(self, request: Any = None, public: bool = False) -> Any:
        schema = super().get_schema(request=request, public=public)
        del schema["info"]["description"]
        schema["info"]["title"] = f"CRM API in the format of {self.system}"
        schema["components"]["schemas"].pop("Problem", None)
        return schema


def schema_view(system: str, urls: str) -> Any:
    return SpectacularJSONAPIView.as_view(
        patterns=[path(f"dialects/{system}/", include(urls))],
        generator_class=partial(DialectGenerator, system),
    )
