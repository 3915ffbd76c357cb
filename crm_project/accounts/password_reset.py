"""A new password by a mailed link, which works once and for an hour."""

import datetime

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.utils import timezone

from crm_project.accounts.models import User
from crm_project.accounts.services import update_login
from crm_project.emails import fold_email
from crm_project.errors import NotFound
from crm_project.mail.services import queue_messages
from crm_project.write_queue import write_transaction


def request_password_reset(*, email: str) -> None:
    """Queue the message to this address. The login is looked up when it is sent, so that the time of the answer does
    not tell whether there is one."""
    queue_messages(
        template="password_reset",
        recipients=[(fold_email(email), {})],
        expires_at=timezone.now() + datetime.timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT),
    )


def reset_password(*, user: User, token: str, password: str) -> None:
    """Set the password, which ends all sessions of the login. NotFound if the link has been used meanwhile."""
    with write_transaction():
        row = User.objects.select_for_update().get(pk=user.pk)
        if not default_token_generator.check_token(row, token):
            raise NotFound("This link has been used.")
        update_login(user=row, password=password)
