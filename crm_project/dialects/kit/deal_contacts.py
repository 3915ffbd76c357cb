"""One contact of a deal for vendors that have only one: the contact, or the client where there is no contact.

Some vendors call that one the client; for them it is the other way round.
"""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q


def contact_of(deal: Any) -> Any:
    """The deal's contact, else its client, else None."""
    return deal.contact or deal.client


def client_of(deal: Any) -> Any:
    """The deal's client, else its contact, else None."""
    return deal.client or deal.contact


def has_contact(keys: Iterable[int]) -> Q:
    """The deals of which `contact_of` is one of these."""
    return Q(contact__in=keys) | Q(contact=None, client__in=keys)


def has_client(keys: Iterable[int]) -> Q:
    """The deals of which `client_of` is one of these."""
    return Q(client__in=keys) | Q(client=None, contact__in=keys)


class DealContact:
    """Mixin of a serializer or field of a deal that represents `contact_of(deal)`."""

    def get_attribute(self, instance: Any) -> Any:
        return contact_of(instance)


class DealClient:
    """Mixin of a serializer or field of a deal that represents `client_of(deal)`."""

    def get_attribute(self, instance: Any) -> Any:
        return client_of(instance)
