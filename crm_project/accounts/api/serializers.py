"""Serializers of members and tokens, and of /api/me."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm_project.accounts.models import ApiToken
from crm_project.accounts.rules import ALL_SCOPES, Role
from crm_project.api.compiled import Serializer
from crm_project.api.fields import OptionalText, StrictChoice, StrictDateTime, StrictUUID, TextField
from crm_project.api.serializers import MemberSerializer, StrictSerializer
from crm_project.languages import LANGUAGES


class UserSerializer(MemberSerializer):
    """A member by the member's uuid."""

    role = serializers.ChoiceField([role.value for role in Role])
    is_active = serializers.BooleanField(source="has_access")


class TokenSerializer(StrictSerializer):
    """A token without its secret, of which only a hash is stored."""

    uuid = StrictUUID(read_only=True)
    name = TextField()
    user = MemberSerializer(source="member", read_only=True)
    hint = serializers.CharField(read_only=True)
    scopes = serializers.ListField(child=StrictChoice(ALL_SCOPES), required=False, min_length=1, max_length=3)
    expires_at = StrictDateTime(required=False, allow_null=True)
    app_code: Any = TextField(required=False, allow_blank=True)
    revoked_at = StrictDateTime(read_only=True, allow_null=True)
    last_used_at = StrictDateTime(read_only=True, allow_null=True)
    created_at = StrictDateTime(read_only=True)
    user_uuid: Any = StrictUUID(source="member", write_only=True, required=False)


class NewTokenSerializer(TokenSerializer):
    """A new token with its secret, which no later response contains."""

    secret = serializers.CharField(read_only=True)


class RenameTokenSerializer(TokenSerializer):
    """A new name. Scopes, expiry and member of a token do not change: create another token instead."""

    scopes = serializers.ListField(child=serializers.CharField(), read_only=True)
    expires_at = StrictDateTime(read_only=True, allow_null=True)
    app_code: Any = serializers.CharField(read_only=True)
    user_uuid: Any = None


class CurrencyField(TextField):
    """An ISO 4217 code in any case."""

    def to_internal_value(self, data: Any) -> str:
        return super().to_internal_value(data).upper()


class OrganizationSerializer(StrictSerializer):
    """The organization of the token. Its currency is that of new deals, and of amounts in base."""

    uuid = StrictUUID(read_only=True)
    slug = serializers.CharField(read_only=True)
    name = TextField()
    currency = CurrencyField(max_length=3)
    time_zone: Any = TextField(help_text="A name such as Europe/Paris: that of days and of the pages.")
    country = OptionalText(help_text="ISO 3166 alpha-2: phone numbers without a prefix are of this country.")
    language: Any = TextField(max_length=16, help_text="A tag such as fr or pt-BR.")
    created_at = StrictDateTime(read_only=True)
    updated_at = StrictDateTime(read_only=True)


class OrganizationPartSerializer(Serializer):
    uuid = StrictUUID()
    slug = serializers.CharField()
    name = serializers.CharField()
    currency = serializers.CharField()
    time_zone = serializers.CharField()
    country = serializers.CharField(help_text="ISO 3166 alpha-2, or empty: the country of phone numbers.")
    language = serializers.CharField()


class TokenPartSerializer(Serializer):
    uuid = StrictUUID()
    name = serializers.CharField()
    scopes = serializers.ListField(child=serializers.CharField())
    expires_at = serializers.DateTimeField(allow_null=True)


class MePersonSerializer(Serializer):
    uuid = StrictUUID()
    email = serializers.EmailField()
    full_name = serializers.CharField()


class MeSerializer(Serializer):
    """The current member, organization and token, and their permissions."""

    user = MePersonSerializer(source="member")
    organization = OrganizationPartSerializer()
    role = serializers.CharField(source="member.role")
    permissions = serializers.SerializerMethodField()
    token = TokenPartSerializer(allow_null=True)

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_permissions(self, actor: Any) -> list[str]:
        return sorted(actor.permissions)


class PreferencesSerializer(StrictSerializer):
    """How the member reads the pages and mails. The API answers in English, with instants in UTC."""

    language = OptionalText(help_text=f"One of {', '.join(LANGUAGES)}; empty for the organization's.")
    time_zone = OptionalText(help_text="A name such as Europe/Paris; empty for the organization's.")


def with_secret(token: ApiToken, secret: str) -> dict[str, Any]:
    return {**TokenSerializer(token).data, "secret": secret}
