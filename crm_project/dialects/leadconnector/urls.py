"""LeadConnector's routes, in the order of its documentation; fixed paths come before `<row_id>`."""

from typing import Any

from django.urls import path

from crm_project.dialects.kit.views import catch_all
from crm_project.dialects.leadconnector.views.activities import (
    LeadConnectorNoteView,
    LeadConnectorTaskView,
)
from crm_project.dialects.leadconnector.views.base import LeadConnectorView
from crm_project.dialects.leadconnector.views.catalogue import (
    LeadConnectorCatalogueView,
    LeadConnectorLocationView,
)
from crm_project.dialects.leadconnector.views.contacts import (
    LeadConnectorContactSearchView,
    LeadConnectorContactView,
)
from crm_project.dialects.leadconnector.views.custom_fields import LeadConnectorCustomFieldView
from crm_project.dialects.leadconnector.views.opportunities import LeadConnectorOpportunityView
from crm_project.dialects.leadconnector.views.pipelines import LeadConnectorPipelineView
from crm_project.dialects.leadconnector.views.search import LeadConnectorOpportunitySearchView
from crm_project.dialects.leadconnector.views.tags import LeadConnectorTagView

LIST: Any = {"get": "index", "post": "create"}
ONE: Any = {"get": "retrieve", "put": "update", "delete": "destroy"}

urlpatterns = [
    # Opportunities
    path(
        "opportunities/search",
        LeadConnectorOpportunitySearchView.as_view({"get": "by_query", "post": "by_body"}),
    ),
    path("opportunities/lost-reason", LeadConnectorCatalogueView.as_view({"get": "lost_reasons"})),
    path("opportunities/pipelines", LeadConnectorPipelineView.as_view({"get": "index", "post": "create"})),
    path("opportunities/pipelines/<str:row_id>", LeadConnectorPipelineView.as_view(ONE)),
    path("opportunities/upsert", LeadConnectorOpportunityView.as_view({"post": "upsert"})),
    path("opportunities", LeadConnectorOpportunityView.as_view({"post": "create"})),
    path("opportunities/<str:row_id>", LeadConnectorOpportunityView.as_view(ONE)),
    path("opportunities/<str:row_id>/status", LeadConnectorOpportunityView.as_view({"put": "status"})),
    path(
        "opportunities/<str:row_id>/followers",
        LeadConnectorOpportunityView.as_view({"post": "add_followers", "delete": "remove_followers"}),
    ),
    # Contacts
    path("contacts/search", LeadConnectorContactSearchView.as_view({"post": "search"})),
    path("contacts/search/duplicate", LeadConnectorContactSearchView.as_view({"get": "duplicate"})),
    path("contacts/upsert", LeadConnectorContactView.as_view({"post": "upsert"})),
    path("contacts", LeadConnectorContactView.as_view({"get": "index", "post": "create"})),
    path("contacts/<str:row_id>", LeadConnectorContactView.as_view(ONE)),
    path("contacts/bulk/tags/update/<str:kind>", LeadConnectorTagView.as_view({"post": "many"})),
    path("contacts/<str:row_id>/tags", LeadConnectorTagView.as_view({"post": "add", "delete": "remove"})),
    path("contacts/<str:contact_id>/tasks", LeadConnectorTaskView.as_view(LIST)),
    path("contacts/<str:contact_id>/tasks/<str:row_id>", LeadConnectorTaskView.as_view(ONE)),
    path(
        "contacts/<str:contact_id>/tasks/<str:row_id>/completed",
        LeadConnectorTaskView.as_view({"put": "complete"}),
    ),
    path("contacts/<str:contact_id>/notes", LeadConnectorNoteView.as_view(LIST)),
    path("contacts/<str:contact_id>/notes/<str:row_id>", LeadConnectorNoteView.as_view(ONE)),
    # Users, locations and custom fields
    path("users", LeadConnectorCatalogueView.as_view({"get": "users"})),
    path("users/search", LeadConnectorCatalogueView.as_view({"get": "search_users"})),
    path("users/search/filter-by-email", LeadConnectorCatalogueView.as_view({"post": "users_by_email"})),
    path("users/<str:row_id>", LeadConnectorCatalogueView.as_view({"get": "user"})),
    path("locations/search", LeadConnectorCatalogueView.as_view({"get": "locations"})),
    path("locations/<str:location_id>", LeadConnectorLocationView.as_view({"get": "retrieve"})),
    path("locations/<str:location_id>/timezones", LeadConnectorLocationView.as_view({"get": "time_zones"})),
    path("locations/<str:location_id>/tags", LeadConnectorLocationView.as_view({"get": "tags"})),
    path(
        "locations/<str:location_id>/customFields",
        LeadConnectorCustomFieldView.as_view({"get": "index", "post": "create"}),
    ),
    path("locations/<str:location_id>/customFields/<str:row_id>", LeadConnectorCustomFieldView.as_view(ONE)),
    *catch_all(LeadConnectorView),
]
