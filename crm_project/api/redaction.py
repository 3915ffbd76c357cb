"""Redaction of stored responses that contain the data of a redacted contact."""

from itertools import chain
from typing import Any

from crm_project.api.models import IdempotencyKey
from crm_project.batches import in_batches


def forget_answers(row: Any) -> None:
    """Delete their bodies. The keys stay, so that a retry is still refused."""
    stored = IdempotencyKey.objects.filter(organization=row.organization_id).exclude(body=None)
    named = str(row.uuid).encode()
    rows = chain.from_iterable(in_batches(stored.only("id", "body"), 100))
    showing = [key.pk for key in rows if key.body and named in bytes(key.body)]
    IdempotencyKey.objects.filter(pk__in=showing).update(body=None)
