"""Xalantis' routes, in its documentation's order."""

from django.urls import path

from crm_project.dialects.base import nowhere
from crm_project.dialects.xalantis import views

urlpatterns = [
    path("api/deals", views.DealView.as_view({"post": "create"})),
    *nowhere(views.XalantisView),
]
