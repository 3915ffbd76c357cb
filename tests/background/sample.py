"""Tasks of the tests. What they do can be seen in the database, from other processes too."""

import time
from datetime import timedelta

from django.contrib.sessions.models import Session
from django.utils import timezone

from crm_project.background.api import task
from crm_project.background.options import options


def leave_mark(name, data=""):
    """A row for each call: a unique suffix, so that a second call can be seen."""
    number = Session.objects.filter(session_key__startswith=f"{name}-").count()
    expire = timezone.now() + timedelta(days=1)
    Session.objects.create(session_key=f"{name}-{number}", session_data=data, expire_date=expire)


def marks(name):
    return Session.objects.filter(session_key__startswith=f"{name}-").count()


@task
def mark(name):
    leave_mark(name)
    return f"marked {name}"


@task
@options(attempts=3, delay=timedelta(0))
def always_fails(name):
    leave_mark(name)
    raise ValueError(f"{name} cannot be done, says ann@example.com")


@task(takes_context=True)
@options(attempts=3, delay=timedelta(0))
def fails_once(context, name):
    if context.attempt == 1:
        raise ConnectionError("not yet")
    leave_mark(name)


@task
@options(is_atomic=True)
def mark_then_fail_if_asked(name, fails):
    leave_mark(name)
    if fails:
        raise ValueError("after the mark")


@task(queue_name="long")
@options(is_atomic=True, delay=timedelta(0))
def slowly(name, seconds):
    """Leaves its mark at the start, and is over later: a process can be killed in between."""
    leave_mark(name)
    time.sleep(seconds)


@task(queue_name="long")
def slowly_by_parts(name, seconds):
    """The same in two transactions."""
    leave_mark(f"{name} began")
    time.sleep(seconds)
    leave_mark(f"{name} ended")


@task
@options(group=lambda group, name: f"tests:{group}")
def one_at_a_time(group, name):
    leave_mark(name)


@task
def scheduled():
    leave_mark("scheduled")
