"""LeadConnector's routes, in its documentation's order; what is no id comes before the ids."""

from django.urls import path

from crm_project.dialects.base import nowhere
from crm_project.dialects.leadconnector.views.base import LeadConnectorView
from crm_project.dialects.leadconnector.views.opportunities import OpportunityView

urlpatterns = [
    # Opportunities
    path("opportunities", OpportunityView.as_view({"post": "create"})),
    path("opportunities/upsert", OpportunityView.as_view({"post": "upsert"})),
    path(
        "opportunities/<str:row_id>",
        OpportunityView.as_view({"get": "retrieve", "put": "update", "delete": "destroy"}),
    ),
    path("opportunities/<str:row_id>/status", OpportunityView.as_view({"put": "status"})),
    path(
        "opportunities/<str:row_id>/followers",
        OpportunityView.as_view({"post": "add_followers", "delete": "remove_followers"}),
    ),
    *nowhere(LeadConnectorView),
]
