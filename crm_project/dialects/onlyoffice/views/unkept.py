"""What the vendor keeps and this server does not: empty where it is read, refused where it is written."""

from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.dialects.onlyoffice.views.base import OnlyofficeView, described
from crm_project.dialects.onlyoffice.wire.dates import CreationDate, ModificationDate, require_shown
from crm_project.dialects.onlyoffice.wire.envelope import Void, of_nothing


class ListItemView(OnlyofficeView):
    """The temperature and the type of contacts."""

    @described("None of these", Void, many=True)
    def list(self, request: Request) -> Response:
        return self.many([])

    @described("Not kept", Void)
    def refuse(self, request: Request, **_: str) -> Response:
        raise ValidationError("This server keeps neither the temperature nor the type of a contact.")


class DateView(OnlyofficeView):
    """When a row was created and changed is the server's to tell, as in its journal; what was shown may come back."""

    kind = "deal"

    @described("Confirm when a row was created", Void, request=CreationDate)
    def creation(self, request: Request, pk: str) -> Response:
        row: Any = self.find(self.kind, pk)
        require_shown("creationDate", self.read(CreationDate)["instant"], row.created_at)
        return Response(of_nothing())

    @described("Confirm when a row was changed", Void, request=ModificationDate)
    def modification(self, request: Request, pk: str) -> Response:
        row: Any = self.find(self.kind, pk)
        require_shown("lastModifedDate", self.read(ModificationDate)["instant"], row.updated_at)
        return Response(of_nothing())
