"""LeadConnector's routes, in its documentation's order; what is no id comes before the ids."""

from typing import Any

from django.urls import path

from crm_project.dialects.base import catch_all
from crm_project.dialects.leadconnector.views.base import LeadConnectorView
from crm_project.dialects.leadconnector.views.catalogue import CatalogueView, LocationView
from crm_project.dialects.leadconnector.views.contacts import ContactSearchView, ContactView
from crm_project.dialects.leadconnector.views.custom_fields import CustomFieldView
from crm_project.dialects.leadconnector.views.opportunities import OpportunityView
from crm_project.dialects.leadconnector.views.pipelines import PipelineView
from crm_project.dialects.leadconnector.views.search import SearchView
from crm_project.dialects.leadconnector.views.tags import TagView

ONE: Any = {"get": "retrieve", "put": "update", "delete": "destroy"}

urlpatterns = [
    # Opportunities
    path("opportunities/search", SearchView.as_view({"get": "by_query", "post": "by_body"})),
    path("opportunities/lost-reason", CatalogueView.as_view({"get": "lost_reasons"})),
    path("opportunities/pipelines", PipelineView.as_view({"get": "index", "post": "create"})),
    path("opportunities/pipelines/<str:row_id>", PipelineView.as_view(ONE)),
    path("opportunities/upsert", OpportunityView.as_view({"post": "upsert"})),
    path("opportunities", OpportunityView.as_view({"post": "create"})),
    path("opportunities/<str:row_id>", OpportunityView.as_view(ONE)),
    path("opportunities/<str:row_id>/status", OpportunityView.as_view({"put": "status"})),
    path(
        "opportunities/<str:row_id>/followers",
        OpportunityView.as_view({"post": "add_followers", "delete": "remove_followers"}),
    ),
    # Contacts
    path("contacts/search", ContactSearchView.as_view({"post": "search"})),
    path("contacts/search/duplicate", ContactSearchView.as_view({"get": "duplicate"})),
    path("contacts/upsert", ContactView.as_view({"post": "upsert"})),
    path("contacts", ContactView.as_view({"get": "index", "post": "create"})),
    path("contacts/<str:row_id>", ContactView.as_view(ONE)),
    path("contacts/bulk/tags/update/<str:kind>", TagView.as_view({"post": "many"})),
    path("contacts/<str:row_id>/tags", TagView.as_view({"post": "add", "delete": "remove"})),
    # What clients begin with, and fill their choices with
    path("users", CatalogueView.as_view({"get": "users"})),
    path("users/search", CatalogueView.as_view({"get": "search_users"})),
    path("users/search/filter-by-email", CatalogueView.as_view({"post": "users_by_email"})),
    path("users/<str:row_id>", CatalogueView.as_view({"get": "user"})),
    path("locations/search", CatalogueView.as_view({"get": "locations"})),
    path("locations/<str:location_id>", LocationView.as_view({"get": "retrieve"})),
    path("locations/<str:location_id>/timezones", LocationView.as_view({"get": "time_zones"})),
    path("locations/<str:location_id>/tags", LocationView.as_view({"get": "tags"})),
    path(
        "locations/<str:location_id>/customFields",
        CustomFieldView.as_view({"get": "index", "post": "create"}),
    ),
    path("locations/<str:location_id>/customFields/<str:row_id>", CustomFieldView.as_view(ONE)),
    *catch_all(LeadConnectorView),
]
