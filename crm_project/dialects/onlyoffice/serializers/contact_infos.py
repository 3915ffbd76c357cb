"""What a contact can be reached by: an e-mail address, two phones, a web site and an address, each in its one place.

The state of an address is kept under the custom field `state`, declared or not.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from rest_framework import serializers

from contacts.models import Contact
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
    """The number by which it is named here, and how the vendor calls it."""

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
HELD = tuple(kind for kind in TYPES if kind in {place.kind for place in SLOTS.values()})


class OnlyofficeInfoNested(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    infoType = serializers.IntegerField()
    category = serializers.IntegerField()
    data: Any = serializers.CharField()
    categoryName = serializers.CharField()
    isPrimary = serializers.BooleanField()


class OnlyofficeAddressNested(serializers.Serializer[Any]):
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
        return super().to_internal_value(self.named(data))


class OnlyofficeInfosWrite(OnlyofficeParameters):
    items = OnlyofficeInfoNestedWrite(many=True, required=False, allow_null=True, source="infos")

    def validate_items(self, items: list[Any] | None) -> list[Any]:
        return [item for item in items or () if item is not None]


class OnlyofficeAddressNestedWrite(OnlyofficeParameters):
    """An address as an object, or as the text of one."""

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
            said = json.loads(data) if isinstance(data, str) else data
        except (ValueError, RecursionError):
            raise serializers.ValidationError({"data": ["This is no address."]}, code="invalid") from None
        return super().to_internal_value(self.named(said))


class OnlyofficeAddressWrite(OnlyofficeParameters):
    address = OnlyofficeAddressNestedWrite()


def info(contact: Contact, name: str) -> dict[str, Any]:
    place = SLOTS[name]
    return {
        "id": place.number,
        "infoType": TYPES.index(place.kind),
        "category": categories(place.kind).index(place.category),
        "data": _text(contact, name),
        "categoryName": place.category.capitalize(),
        "isPrimary": place.is_primary,
    }


def infos(contact: Contact, names: Iterable[str] = SLOTS) -> list[dict[str, Any]]:
    return [info(contact, name) for name in names if _text(contact, name)]


def common_data(contact: Contact) -> list[dict[str, Any]]:
    """All but the address, which contacts show by itself."""
    return infos(contact, [name for name in SLOTS if name != "address"])


def addresses(contact: Contact) -> list[dict[str, Any]]:
    said = info(contact, "address")
    rest = {name: said[name] for name in ("category", "categoryName", "isPrimary")}
    return [{**_address(contact), **rest}] if said["data"] else []


def texts(contact: Contact, kind: str) -> list[str]:
    return [said["data"] for said in infos(contact) if TYPES[said["infoType"]] == kind]


def categories(kind: str) -> tuple[str, ...]:
    return {"phone": PHONE_CATEGORIES, "address": ADDRESS_CATEGORIES}.get(kind, CATEGORIES)


def held_categories(kind: str) -> list[str]:
    return [place.category.capitalize() for place in SLOTS.values() if place.kind == kind]


def named(number: str) -> str | None:
    """The place of this number."""
    return next((name for name, place in SLOTS.items() if str(place.number) == number), None)


def place_of(kind: str, category: str | None) -> str:
    """Where the core keeps it; what it has no place for is refused."""
    if kind not in HELD:
        sentence = "This server keeps e-mail addresses, phone numbers, web sites and addresses."
        raise serializers.ValidationError({"infoType": [sentence]}, code="not_supported")
    return "mobile" if kind == "phone" and _category(kind, category) == "mobile" else kind


def unsupported_names(name: str, sent: Mapping[str, Any]) -> list[str]:
    """What was said of it that the place does not keep."""
    place, category = SLOTS[name], sent.get("category")
    kept = not category or _category(place.kind, category) == place.category
    primary = sent.get("isPrimary") in (None, place.is_primary)
    return [*([] if kept else ["category"]), *([] if primary else ["isPrimary"])]


def written(name: str, data: Any, context: Mapping[str, Any]) -> Change:
    """The core's change that puts it there."""
    if name != "address":
        return {name: data}
    serializer = OnlyofficeAddressNestedWrite(data=data, context=context)
    serializer.is_valid(raise_exception=True)
    return change_of_address(serializer.validated_data)


def change_of_address(sent: Mapping[str, Any]) -> Change:
    state = {"custom_fields": {STATE: sent.get(STATE) or None}, "free_custom_fields": [STATE]}
    return {**{column: sent.get(column) or "" for column in ADDRESS.values()}, **state}


def emptied(name: str) -> Change:
    return change_of_address({}) if name == "address" else {name: ""}


def holds_another(contact: Contact, change: Change) -> bool:
    """Whether something else stands there."""
    return any(getattr(contact, name) not in ("", change[name]) for name in COLUMNS if name in change)


def require_free(contact: Contact, change: Change) -> None:
    if holds_another(contact, change):
        sentence = "This server keeps one of these; delete the other one first."
        raise serializers.ValidationError({"data": [sentence]}, code="not_supported")


def _category(kind: str, said: str | None) -> str:
    word, words = (said or "").strip().lower(), categories(kind)
    return words[int(word)] if word.isascii() and word.isdigit() and int(word) < len(words) else word


def _address(contact: Contact) -> dict[str, str]:
    parts = {word: str(getattr(contact, column)) for word, column in ADDRESS.items()}
    state = contact.custom_fields.get(STATE)
    names = ("street", "city", STATE, "zip", "country")
    return {name: {**parts, STATE: state if isinstance(state, str) else ""}[name] for name in names}


def _text(contact: Contact, name: str) -> str:
    if name != "address":
        return str(getattr(contact, name))
    parts = _address(contact)
    return json.dumps(parts, ensure_ascii=False) if any(parts.values()) else ""
