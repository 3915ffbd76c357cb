"""Creation and modification dates, which import tools of the vendor set."""

import datetime
from typing import Any

from rest_framework import serializers

from crm_project.dialects.onlyoffice.serializers.params import InstantParam, OnlyofficeParameters

# A client may send an instant back with fewer digits.
SAME_INSTANT = datetime.timedelta(milliseconds=1)


class OnlyofficeCreationDateWrite(OnlyofficeParameters):
    creationDate = InstantParam(source="instant", default=None, allow_null=True)


class OnlyofficeModificationDateWrite(OnlyofficeParameters):
    lastModifedDate = InstantParam(source="instant", default=None, allow_null=True)


def require_recorded(name: str, sent: Any, recorded: datetime.datetime) -> None:
    """Refuse an instant other than the recorded one, which the journal has too."""
    if sent is None or abs(sent - recorded) >= SAME_INSTANT:
        sentence = "The dates of creation and modification cannot be changed."
        raise serializers.ValidationError({name: [sentence]}, code="not_supported")
