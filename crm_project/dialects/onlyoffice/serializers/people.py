"""People, who are the members of the organization, and logins."""

from typing import Any

from rest_framework import serializers

from crm_project.accounts.rules import Role
from crm_project.api.compiled import Serializer
from crm_project.dialects.kit.fields import ConstantText, FirstNameField, LastNameField
from crm_project.dialects.kit.rows import RowField
from crm_project.dialects.onlyoffice.serializers.envelope import OnlyofficeListParameters
from crm_project.dialects.onlyoffice.serializers.params import (
    NOBODY,
    OnlyofficeParameters,
    OptionalTextParam,
    RequiredTextParam,
)
from crm_project.dialects.onlyoffice.serializers.values import InstantOrUnsetField, OnlyofficeRead

PICTURE = "/static/staff/icon.svg"
NO_ONE = {"id": NOBODY, "displayName": "", "title": "", "avatarSmall": PICTURE, "profileUrl": "/admin/"}


class OnlyofficePersonNested(OnlyofficeRead):
    """A member nested in an opportunity."""

    id = RowField("user", source="*")
    displayName = serializers.CharField(source="full_name")
    title = serializers.CharField(source="job_title")
    avatarSmall = ConstantText(PICTURE)
    profileUrl = serializers.SerializerMethodField()

    def get_profileUrl(self, member: Any) -> str:
        return f"/admin/accounts/member/{member.pk}/change/"


class OnlyofficePersonRead(OnlyofficePersonNested):
    """A member in the list of people."""

    userName = serializers.CharField(source="email")
    email = serializers.CharField()
    firstName = FirstNameField()
    lastName = LastNameField()
    status = serializers.SerializerMethodField()
    isAdmin = serializers.SerializerMethodField()
    workFrom = InstantOrUnsetField(source="created_at")

    def get_status(self, member: Any) -> int:
        """1 is active, 2 is terminated."""
        return 1 if member.is_active else 2

    def get_isAdmin(self, member: Any) -> bool:
        return bool(member.role == Role.ADMIN)


class OnlyofficePeopleFilter(OnlyofficeListParameters):
    """`employeeStatus`: 1 or Active, 2 or Terminated."""

    employeeStatus = OptionalTextParam()
    query = OptionalTextParam()


class OnlyofficePersonEmailQuery(OnlyofficeParameters):
    email = RequiredTextParam()


STATUSES = {"1": True, "active": True, "2": False, "terminated": False}
EVERYBODY = ("", "7", "all")


class OnlyofficeLoginWrite(OnlyofficeParameters):
    userName = RequiredTextParam()
    password = RequiredTextParam()


class OnlyofficeTokenRead(Serializer):
    token = serializers.CharField()
    expires = InstantOrUnsetField()
