"""Routes of imports and exports."""

from django.urls import path

from crm_project.api.routers import routes
from crm_project.imports.api.views import (
    ContactExportViewSet,
    DealExportViewSet,
    ImportViewSet,
    RefusedRowViewSet,
)

urlpatterns = [
    path(
        "imports/<any_uuid:uuid>/refused-rows",
        RefusedRowViewSet.as_view({"get": "list"}),
        name="import-refused-rows",
    ),
    *routes("imports", ImportViewSet, "import"),
    path("deals/export", DealExportViewSet.as_view({"get": "export"}), name="deal-export"),
    path("contacts/export", ContactExportViewSet.as_view({"get": "export"}), name="contact-export"),
]
