"""When a row was created and changed, as import helpers want to set it."""

import datetime
from typing import Any

from rest_framework import serializers

from crm_project.dialects.onlyoffice.serializers.params import InstantParam, OnlyofficeParameters

# Of an instant that was read, a client may send back fewer digits.
SAME_INSTANT = datetime.timedelta(milliseconds=1)


class OnlyofficeCreationDateWrite(OnlyofficeParameters):
    creationDate = InstantParam(source="instant", default=None, allow_null=True)


class OnlyofficeModificationDateWrite(OnlyofficeParameters):
    lastModifedDate = InstantParam(source="instant", default=None, allow_null=True)


def require_shown(name: str, sent: Any, held: datetime.datetime) -> None:
    """The journal tells when a row was written; another date beside it would be a lie."""
    if sent is None or abs(sent - held) >= SAME_INSTANT:
        sentence = "This server tells by its own clock when a row was created and changed."
        raise serializers.ValidationError({name: [sentence]}, code="not_supported")
