"""`/api/webhooks`, their deliveries, and the acts test, resend, replay and rotate."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.decorators import action
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.accounts.rules import Permission
from crm_project.api.filters import ChoicesFilter, StrictFilterSet
from crm_project.api.views import RowViewSet, ScopedView
from crm_project.errors import NotFound
from crm_project.records.paging import Key
from crm_project.webhooks import services
from crm_project.webhooks.api.serializers import (
    DeliverySerializer,
    ReplaySerializer,
    WebhookSerializer,
    WebhookWithSecretSerializer,
    with_secret,
)
from crm_project.webhooks.models import Webhook, WebhookDelivery

EXAMPLE = {"url": "https://example.com/hooks/crm", "events": ["deal.won", "deal.lost"]}


class WebhookViewSet(RowViewSet):
    """Webhooks: events sent to other systems as they happen. For admins."""

    queryset = Webhook.objects.none()
    serializer_class = WebhookSerializer
    edit_permission = Permission.ADMINISTER
    secret_actions = frozenset({"create", "rotate_secret"})
    conditional_actions = frozenset({"partial_update", "destroy", "restore", "rotate_secret"})
    sparse_actions = frozenset()

    def get_queryset(self) -> Any:
        """Of an admin's tokens those with all scopes see them."""
        return super().get_queryset() if self.actor.may(Permission.ADMINISTER) else Webhook.objects.none()

    def for_reading(self, rows: Any) -> Any:
        return rows.select_related("state", "member__user")

    @extend_schema(
        responses={201: WebhookWithSecretSerializer},
        examples=[OpenApiExample("Closed deals", EXAMPLE, request_only=True)],
    )
    def create(self, request: Request) -> Response:
        """It gets the events from now on. Only this response contains the secret."""
        change = self.validated(request, check=self.perform_create)
        row, secret = services.create_webhook(actor=self.actor, change=change)
        return self._with_secret(row, secret, status=201, headers={"Location": self.location(row)})

    @extend_schema(request=None, responses=WebhookWithSecretSerializer, summary="Replace the secret")
    @action(detail=True, methods=["post"], url_path="rotate-secret")
    def rotate_secret(self, request: Request, **_: Any) -> Response:
        """Until `previous_secret_until` each message has two signatures, of the new secret and of the one before."""
        self.expect_no_body(request)
        row, secret = services.rotate_secret(
            actor=self.actor, webhook=self.get_object(), if_match=self.if_match
        )
        return self._with_secret(row, secret)

    @extend_schema(request=None, responses={202: DeliverySerializer}, summary="Send a test message")
    @action(detail=True, methods=["post"])
    def test(self, request: Request, **_: Any) -> Response:
        """A message of the type `webhook.test`, sent once within seconds, also if the webhook is paused."""
        self.expect_no_body(request)
        return accepted(self, services.send_test(actor=self.actor, webhook=self.get_object()))

    @extend_schema(request=ReplaySerializer, responses={202: WebhookSerializer}, summary="Send events again")
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, **_: Any) -> Response:
        """From `since` or `from` on, the webhook reads the feed again, in order. With `to` it also goes on as before,
        and each event of the range is tried once. Messages that are still in the log are sent with the same bytes.
        """
        row = self.get_object()
        body = ReplaySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        services.replay(actor=self.actor, webhook=row, **body.validated_data)
        return Response(self.represent(row), status=202, headers={"Location": self.location(row)})

    def _with_secret(self, row: Webhook, secret: str, **options: Any) -> Response:
        self.etag_body = JSONRenderer().render(self.represent(row))
        return Response(with_secret(self.reread(row), secret), **options)


class DeliveryFilter(StrictFilterSet):
    state = ChoicesFilter(choices=WebhookDelivery.States.values)


class DeliveryViewSet(ScopedView):
    """The log of one webhook: what was sent, and what was answered. Kept for some weeks."""

    queryset = WebhookDelivery.objects.none()
    serializer_class = DeliverySerializer
    edit_permission = Permission.ADMINISTER
    filterset_class = DeliveryFilter
    orderings = {"created_at": Key("created_at")}
    lookup_field = "uuid"

    def get_queryset(self) -> Any:
        webhooks = Webhook.objects.visible_to(self.actor.member).filter(uuid=self.kwargs["webhook"])
        webhook = webhooks.first() if self.actor.may(Permission.ADMINISTER) else None
        if webhook is None:
            raise NotFound
        return webhook.deliveries.all()

    def represent_read(self, row: Any) -> Any:
        """A delivery has no version."""
        return self.get_serializer(row).data

    @extend_schema(summary="The deliveries of a webhook")
    def list(self, request: Request, **_: Any) -> Response:
        return super().list(request)

    @extend_schema(request=None, responses={202: DeliverySerializer}, summary="Send a delivery again")
    def resend(self, request: Request, **_: Any) -> Response:
        """Sent once within seconds, with the same bytes, whatever its state."""
        self.expect_no_body(request)
        return accepted(self, services.resend(actor=self.actor, delivery=self.get_object()))


def accepted(view: Any, delivery: WebhookDelivery) -> Response:
    """The delivery, whose try follows."""
    url = view.request.build_absolute_uri(f"/api/webhooks/{delivery.webhook.uuid}/deliveries/{delivery.uuid}")
    return Response(
        DeliverySerializer(delivery).data, status=202, headers={"Location": url, "Retry-After": "1"}
    )
