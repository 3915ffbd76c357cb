"""What the vendor keeps and this server does not: empty where it is read, refused where it is written."""

from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.dialects.onlyoffice.serializers.dates import (
    OnlyofficeCreationDateWrite,
    OnlyofficeModificationDateWrite,
    require_shown,
)
from crm_project.dialects.onlyoffice.serializers.envelope import OnlyofficeEmptyRead, of_nothing
from crm_project.dialects.onlyoffice.views.base import OnlyofficeView, described


class OnlyofficeUnsupportedListView(OnlyofficeView):
    """The temperature and the type of contacts."""

    @described("None of these", OnlyofficeEmptyRead, many=True)
    def list(self, request: Request) -> Response:
        return self.many([])

    @described("Not kept", OnlyofficeEmptyRead)
    def refuse(self, request: Request, **_: str) -> Response:
        raise ValidationError("This server keeps neither the temperature nor the type of a contact.")


class OnlyofficeDateView(OnlyofficeView):
    """When a row was created and changed is the server's to tell, as in its journal; what was shown may come back."""

    kind = "deal"

    @described("Confirm when a row was created", OnlyofficeEmptyRead, request=OnlyofficeCreationDateWrite)
    def creation(self, request: Request, pk: str) -> Response:
        row: Any = self.find(self.kind, pk)
        require_shown("creationDate", self.read(OnlyofficeCreationDateWrite)["instant"], row.created_at)
        return Response(of_nothing())

    @described("Confirm when a row was changed", OnlyofficeEmptyRead, request=OnlyofficeModificationDateWrite)
    def modification(self, request: Request, pk: str) -> Response:
        row: Any = self.find(self.kind, pk)
        require_shown(
            "lastModifedDate", self.read(OnlyofficeModificationDateWrite)["instant"], row.updated_at
        )
        return Response(of_nothing())
