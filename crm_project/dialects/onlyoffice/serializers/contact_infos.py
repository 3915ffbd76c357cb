"""Contact infos: an e-mail address, two phone numbers, a web site and an address, each in a slot with a number.

The state of an address is stored in the custom field `state`, declared or not.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from rest_framework import serializers

from contacts.models import Contact
from crm_project.api.compiled import Serializer
from crm_project.dialects.onlyoffice.serializers.params import (
    LenientBooleanField,
    NamedNumberField,
    OnlyofficeParameters,
    OptionalTextParam,
    RequiredTextParam,
    WholeNumberField,
)

Change = dict[str, Any]
TYPES = tuple(
    "phone email website skype twitter linkedin facebook address livejournal myspace gmail blogger yahoo msn icq"
    " jabber aim vk".split()
)
CATEGORIES = ("home", "work", "other")
PHONE_CATEGORIES = ("home", "work", "mobile", "fax", "direct", "other")
ADDRESS_CATEGORIES = ("home", "postal", "office", "billing", "other", "work")
ADDRESS = {"street": "street", "city": "city", "zip": "postal_code", "country": "country"}
STATE = "state"


class InfoSlot(NamedTuple):
    """The id of an info, and the vendor's type and category."""

    number: int
    kind: str
    category: str
    is_primary: bool = True


SLOTS = {
    "email": InfoSlot(1, "email", "work"),
    "phone": InfoSlot(2, "phone", "work"),
    "mobile": InfoSlot(3, "phone", "mobile", is_primary=False),
    "website": InfoSlot(4, "website", "work"),
    "address": InfoSlot(5, "address", "work"),
}
COLUMNS = (*(name for name in SLOTS if name != "address"), *ADDRESS.values())
STORED_TYPES = tuple(kind for kind in TYPES if kind in {slot.kind for slot in SLOTS.values()})


class OnlyofficeInfoNested(Serializer):
    id = serializers.IntegerField()
    infoType = serializers.IntegerField()
    category = serializers.IntegerField()
    data: Any = serializers.CharField()
    categoryName = serializers.CharField()
    isPrimary = serializers.BooleanField()


class OnlyofficeAddressNested(Serializer):
    street = serializers.CharField()
    city = serializers.CharField()
    state = serializers.CharField()
    zip = serializers.CharField()
    country = serializers.CharField()
    category = serializers.IntegerField()
    categoryName = serializers.CharField()
    isPrimary = serializers.BooleanField()


class OnlyofficeInfoWrite(OnlyofficeParameters):
    """`infoType` and `category` by number or by name."""

    id = WholeNumberField(required=False, allow_null=True)
    infoType = NamedNumberField(TYPES, TYPES, source="info_type")
    data: Any = RequiredTextParam()
    category = OptionalTextParam()
    categoryName = OptionalTextParam()
    isPrimary = LenientBooleanField(required=False, allow_null=True)


class OnlyofficeInfoUpdate(OnlyofficeInfoWrite):
    infoType = NamedNumberField(TYPES, TYPES, source="info_type", required=False, allow_null=True)


class OnlyofficeInfoNestedWrite(OnlyofficeInfoWrite):
    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(self.renamed(data))


class OnlyofficeInfosWrite(OnlyofficeParameters):
    items = OnlyofficeInfoNestedWrite(many=True, required=False, allow_null=True, source="infos")

    def validate_items(self, items: list[Any] | None) -> list[Any]:
        return [item for item in items or () if item is not None]


class OnlyofficeAddressNestedWrite(OnlyofficeParameters):
    """An address as an object, or as JSON text."""

    street = OptionalTextParam(default="")
    city = OptionalTextParam(default="")
    state = OptionalTextParam(default="")
    zip = OptionalTextParam(default="", source="postal_code")
    country = OptionalTextParam(default="")
    category = OptionalTextParam()
    categoryName = OptionalTextParam()
    isPrimary = LenientBooleanField(required=False, allow_null=True)

    def to_internal_value(self, data: Any) -> Any:
        try:
            entry = json.loads(data) if isinstance(data, str) else data
        except (ValueError, RecursionError):
            raise serializers.ValidationError({"data": ["Must be an address."]}, code="invalid") from None
        return super().to_internal_value(self.renamed(entry))


class OnlyofficeAddressWrite(OnlyofficeParameters):
    address = OnlyofficeAddressNestedWrite()


def info(contact: Contact, name: str) -> dict[str, Any]:
    slot = SLOTS[name]
    return {
        "id": slot.number,
        "infoType": TYPES.index(slot.kind),
        "category": categories(slot.kind).index(slot.category),
        "data": _text(contact, name),
        "categoryName": slot.category.capitalize(),
        "isPrimary": slot.is_primary,
    }


def infos(contact: Contact, names: Iterable[str] = SLOTS) -> list[dict[str, Any]]:
    return [info(contact, name) for name in names if _text(contact, name)]


def common_data(contact: Contact) -> list[dict[str, Any]]:
    """All infos but the address, which has a field of its own."""
    return infos(contact, [name for name in SLOTS if name != "address"])


def addresses(contact: Contact) -> list[dict[str, Any]]:
    entry = info(contact, "address")
    rest = {name: entry[name] for name in ("category", "categoryName", "isPrimary")}
    return [{**_address(contact), **rest}] if entry["data"] else []


def texts(contact: Contact, kind: str) -> list[str]:
    return [entry["data"] for entry in infos(contact) if TYPES[entry["infoType"]] == kind]


def categories(kind: str) -> tuple[str, ...]:
    return {"phone": PHONE_CATEGORIES, "address": ADDRESS_CATEGORIES}.get(kind, CATEGORIES)


def categories_in_use(kind: str) -> list[str]:
    return [slot.category.capitalize() for slot in SLOTS.values() if slot.kind == kind]


def slot_of_id(number: str) -> str | None:
    """The name of the slot with this id."""
    return next((name for name, slot in SLOTS.items() if str(slot.number) == number), None)


def slot_for(kind: str, category: str | None) -> str:
    """The name of the slot for a type and a category; other types are refused."""
    if kind not in STORED_TYPES:
        sentence = "This server stores e-mail addresses, phone numbers, web sites and addresses."
        raise serializers.ValidationError({"infoType": [sentence]}, code="not_supported")
    return "mobile" if kind == "phone" and _category(kind, category) == "mobile" else kind


def unsupported_names(name: str, sent: Mapping[str, Any]) -> list[str]:
    """The names of sent fields that the slot cannot store."""
    slot, category = SLOTS[name], sent.get("category")
    is_stored = not category or _category(slot.kind, category) == slot.category
    primary = sent.get("isPrimary") in (None, slot.is_primary)
    return [*([] if is_stored else ["category"]), *([] if primary else ["isPrimary"])]


def change_of_data(name: str, data: Any, context: Mapping[str, Any]) -> Change:
    """The core's change that stores the data in the slot."""
    if name != "address":
        return {name: data}
    serializer = OnlyofficeAddressNestedWrite(data=data, context=context)
    serializer.is_valid(raise_exception=True)
    return change_of_address(serializer.validated_data)


def change_of_address(sent: Mapping[str, Any]) -> Change:
    state = {"custom_fields": {STATE: sent.get(STATE) or None}, "free_custom_fields": [STATE]}
    return {**{column: sent.get(column) or "" for column in ADDRESS.values()}, **state}


def change_to_empty(name: str) -> Change:
    return change_of_address({}) if name == "address" else {name: ""}


def has_other_value(contact: Contact, change: Change) -> bool:
    """Whether the contact has another value there."""
    return any(getattr(contact, name) not in ("", change[name]) for name in COLUMNS if name in change)


def require_free(contact: Contact, change: Change) -> None:
    if has_other_value(contact, change):
        sentence = "This server stores one of these; delete the other one first."
        raise serializers.ValidationError({"data": [sentence]}, code="not_supported")


def _category(kind: str, sent: str | None) -> str:
    """The name of a category that was sent by number or by name."""
    text, names = (sent or "").strip().lower(), categories(kind)
    return names[int(text)] if text.isascii() and text.isdigit() and int(text) < len(names) else text


def _address(contact: Contact) -> dict[str, str]:
    parts = {name: str(getattr(contact, column)) for name, column in ADDRESS.items()}
    state = contact.custom_fields.get(STATE)
    names = ("street", "city", STATE, "zip", "country")
    return {name: {**parts, STATE: state if isinstance(state, str) else ""}[name] for name in names}


def _text(contact: Contact, name: str) -> str:
    if name != "address":
        return str(getattr(contact, name))
    parts = _address(contact)
    return json.dumps(parts, ensure_ascii=False) if any(parts.values()) else ""
