"""Health checks, which clients use before they sign in."""

from typing import Any

from django.db import connection
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.dialects.gauzy.views.base import GauzyView

UP = {"database": {"status": "up"}}


class GauzyHealthView(GauzyView):
    authentication_classes: Any = []
    permission_classes: Any = []

    @extend_schema(auth=[], responses=OpenApiTypes.OBJECT, summary="The name of the API")
    def status(self, request: Request) -> Response:
        return Response({"status": 200, "message": "Gauzy API"})

    @extend_schema(auth=[], responses=OpenApiTypes.OBJECT, summary="The state of the database")
    def health(self, request: Request) -> Response:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return Response({"status": "ok", "info": UP, "error": {}, "details": UP})
