"""Resources of the vendor that cannot be stored here: reads are empty, writes are refused."""

from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.dialects.onlyoffice.serializers.dates import (
    OnlyofficeCreationDateWrite,
    OnlyofficeModificationDateWrite,
    require_recorded,
)
from crm_project.dialects.onlyoffice.serializers.envelope import OnlyofficeEmptyRead, of_nothing
from crm_project.dialects.onlyoffice.views.base import OnlyofficeView, described


class OnlyofficeUnsupportedListView(OnlyofficeView):
    """Temperatures and types of contacts."""

    @described("Always empty", OnlyofficeEmptyRead, many=True)
    def list(self, request: Request) -> Response:
        return self.many([])

    @described("Refused", OnlyofficeEmptyRead)
    def refuse(self, request: Request, **_: str) -> Response:
        raise ValidationError("This server stores neither the temperature nor the type of a contact.")


class OnlyofficeDateView(OnlyofficeView):
    """Dates of creation and modification: only the current value is accepted."""

    kind = "deal"

    @described("Confirm the date of creation", OnlyofficeEmptyRead, request=OnlyofficeCreationDateWrite)
    def creation(self, request: Request, pk: str) -> Response:
        row: Any = self.find(self.kind, pk)
        require_recorded("creationDate", self.read(OnlyofficeCreationDateWrite)["instant"], row.created_at)
        return Response(of_nothing())

    @described(
        "Confirm the date of modification", OnlyofficeEmptyRead, request=OnlyofficeModificationDateWrite
    )
    def modification(self, request: Request, pk: str) -> Response:
        row: Any = self.find(self.kind, pk)
        require_recorded(
            "lastModifedDate", self.read(OnlyofficeModificationDateWrite)["instant"], row.updated_at
        )
        return Response(of_nothing())
