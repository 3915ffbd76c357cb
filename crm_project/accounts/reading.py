"""Whom a page or a mail is for decides its language and its time zone."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils import timezone, translation

from crm_project.accounts.models import Member


@contextmanager
def read_by(member: Member) -> Iterator[None]:
    """Activate the language and the time zone of the member, whose organization is loaded."""
    with timezone.override(member.zone), translation.override(member.reading_language):
        yield
