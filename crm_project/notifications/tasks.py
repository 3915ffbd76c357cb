"""Tasks: the activities that have become due, the digests, and the end of an import."""

from functools import partial

from django.utils import timezone

from crm_project.accounts.models import Organization
from crm_project.background.api import task
from crm_project.background.options import options
from crm_project.imports.models import Import
from crm_project.mail.services import has_mail_server
from crm_project.notifications.digest import queue_digests
from crm_project.notifications.reading import of_each, read_clock
from crm_project.notifications.rules import Happening
from crm_project.notifications.storing import store, wanted


@task
def notify_of_due() -> None:
    """Notify of the activities that have become due since the last run, in each organization."""
    now = timezone.now()
    of_each(partial(read_clock, now=now), Organization.objects.order_by("pk"))


@task
def send_digests() -> None:
    """Queue the digests of the members whose morning has come."""
    now = timezone.now()
    if has_mail_server():
        of_each(partial(queue_digests, now=now), Organization.objects.order_by("pk"))


@task
@options(is_atomic=True)
def notify_of_import(source_id: int, queued_at: str) -> None:
    """Notify the member who started an import that its run, which was asked for at this time, has ended."""
    source = Import.objects.filter(pk=source_id).first()
    if source is not None:
        key, member_id = f"import:{source.pk}:{queued_at}", source.asked_by_id or source.member_id
        store(wanted([Happening(member_id, "import_finished", key, source.row_kind, source.pk)]))
