"""Xalantis' routes, in the order of its documentation."""

from typing import Any

from django.urls import path

from crm_project.dialects.kit.views import catch_all
from crm_project.dialects.xalantis.views import first, people, v1
from crm_project.dialects.xalantis.views.base import XalantisView

LIST: dict[str, Any] = {"get": "index", "post": "create"}
ROW: dict[str, Any] = {"get": "retrieve", "patch": "update", "delete": "destroy"}
FIELDS: dict[str, Any] = {"get": "fields_of"}

urlpatterns = [
    path("api/deals", first.XalantisFirstDealView.as_view({"post": "create"})),
    path("api/v1/pipelines", v1.XalantisPipelineView.as_view({"get": "pipelines"})),
    path("api/v1/deals", v1.XalantisV1DealView.as_view(LIST)),
    path("api/v1/deals/custom-fields", v1.XalantisCustomFieldView.as_view(FIELDS)),
    path("api/v1/deals/<str:row>", v1.XalantisV1DealView.as_view(ROW)),
    path("api/v1/clients", people.XalantisClientView.as_view(LIST)),
    path("api/v1/clients/custom-fields", v1.XalantisCustomFieldView.as_view(FIELDS, kind="contact")),
    path("api/v1/clients/<str:row>/representatives", people.XalantisRepresentativeView.as_view(LIST)),
    path("api/v1/clients/<str:row>", people.XalantisClientView.as_view(ROW)),
    path("api/v1/contacts", people.XalantisContactView.as_view(LIST)),
    path("api/v1/contacts/<str:row>", people.XalantisContactView.as_view(ROW)),
    *catch_all(XalantisView),
]
