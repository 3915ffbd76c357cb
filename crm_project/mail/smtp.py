"""Django's SMTP backend with a deadline for the whole connection.

EMAIL_TIMEOUT bounds each wait for a byte: a server that sends one now and then would hold a worker for ever.
"""

import os
import smtplib
import socket
from contextlib import ExitStack
from typing import Any

from django.core.mail.backends.smtp import EmailBackend as DjangoEmailBackend

from crm_project.deadlines import deadlines

CONNECTION_SECONDS = 60


class BoundedSMTP(smtplib.SMTP):
    """A connection that gets the end of the stream at its deadline, in whatever step it is."""

    _bound: ExitStack | None = None

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        link: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]
        self._bound = ExitStack()
        # TLS replaces the socket object: the copy of its descriptor stays, and leads to the same connection.
        copy = self._bound.enter_context(socket.socket(fileno=os.dup(link.fileno())))
        self._bound.enter_context(deadlines.within(copy, CONNECTION_SECONDS))
        return link

    def close(self) -> None:
        super().close()
        if self._bound is not None:
            self._bound.close()
            self._bound = None


class BoundedSMTPS(smtplib.SMTP_SSL, BoundedSMTP):
    """The same with TLS from the first byte: the order of the bases bounds its handshake too."""


class EmailBackend(DjangoEmailBackend):
    @property
    def connection_class(self) -> Any:
        return BoundedSMTPS if self.use_ssl else BoundedSMTP
