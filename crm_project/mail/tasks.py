"""The task of mail."""

from collections.abc import Sequence
from datetime import timedelta

from crm_project.background.api import TaskContext, task
from crm_project.background.options import options

# Half a day to a day, in all.
ATTEMPTS = 30


@task(takes_context=True, queue_name="mail")
@options(attempts=ATTEMPTS, delay=timedelta(seconds=10))
def send_messages(context: TaskContext, ids: Sequence[int]) -> None:
    """Send the messages with these ids; fails, to be attempted again, while some of them have to wait.

    An operator who runs it again after its last attempt has it send what was given up then.
    """
    from crm_project.mail.delivery import deliver, revive

    if context.attempt == 1:
        revive(ids)
    deliver(ids, claimant=context.task_result.id, is_last=context.attempt >= ATTEMPTS)
