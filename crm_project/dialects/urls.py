"""`/dialects/<system>/…` and each dialect's own OpenAPI document."""

from typing import Any

from django.urls import include, path

from crm_project.dialects.kit.schema import schema_view
from crm_project.dialects.registry import DIALECTS


def _mounted(system: str, urls: str) -> list[Any]:
    return [
        path(f"{system}/schema", schema_view(system)),
        path(f"{system}/", include(urls)),
    ]


urlpatterns = [pattern for dialect in DIALECTS.values() for pattern in _mounted(dialect.system, dialect.urls)]
