"""The task of mail."""

from collections.abc import Sequence

from django_tasks import task


@task
def send_messages(ids: Sequence[int]) -> None:
    """Send the messages with these ids that wait; fails, to be run again, if some of them must wait longer."""
    from crm_project.mail.delivery import deliver

    deliver(ids)
