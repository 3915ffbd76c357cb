"""Routes of imports and exports."""

from django.urls import path

from crm_project.api.routers import routes
from crm_project.imports.api.views import (
    ActivityExportViewSet,
    ContactExportViewSet,
    DealExportViewSet,
    ExportViewSet,
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
    path("exports", ExportViewSet.as_view({"get": "list"}), name="export-list"),
    path(
        "exports/<any_uuid:uuid>",
        ExportViewSet.as_view({"get": "retrieve", "delete": "destroy"}),
        name="export-detail",
    ),
    path("exports/<any_uuid:uuid>/file", ExportViewSet.as_view({"get": "file"}), name="export-file"),
    path(
        "deals/export",
        DealExportViewSet.as_view({"get": "export", "post": "export_later"}),
        name="deal-export",
    ),
    path(
        "contacts/export",
        ContactExportViewSet.as_view({"get": "export", "post": "export_later"}),
        name="contact-export",
    ),
    path(
        "activities/export",
        ActivityExportViewSet.as_view({"get": "export", "post": "export_later"}),
        name="activity-export",
    ),
]
