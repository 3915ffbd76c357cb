"""Routes of webhooks and their deliveries."""

from django.urls import path

from crm_project.api.routers import routes
from crm_project.webhooks.api.views import DeliveryViewSet, WebhookViewSet

DELIVERIES = "webhooks/<any_uuid:webhook>/deliveries"

urlpatterns = [
    path(DELIVERIES, DeliveryViewSet.as_view({"get": "list"}), name="webhook-deliveries"),
    path(
        f"{DELIVERIES}/<any_uuid:uuid>",
        DeliveryViewSet.as_view({"get": "retrieve"}),
        name="webhook-delivery",
    ),
    path(
        f"{DELIVERIES}/<any_uuid:uuid>/resend",
        DeliveryViewSet.as_view({"post": "resend"}),
        name="webhook-delivery-resend",
    ),
    *routes("webhooks", WebhookViewSet, "webhook"),
]
