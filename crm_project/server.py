"""Gunicorn's configuration: `gunicorn -c python:crm_project.server crm_project.wsgi`; its options override it."""

import threading
from typing import Any

from crm_project import environment

env = environment.load()
bind = f"{env.str('HOST', default='127.0.0.1')}:{env.int('PORT', default=8000)}"

# A client that sends its body slowly occupies a thread until its deadline; sixteen leave some for others.
worker_class = "crm_project.gunicorn_worker.Worker"
workers = env.int("WEB_CONCURRENCY", default=2)
threads = environment.web_threads(env)
timeout = 60
graceful_timeout = 20
keepalive = 5
# A cursor contains a text of the last row: up to 255 characters of twelve bytes each when they are escaped.
limit_request_line = 8190

# Workers are forks of a process that has the application loaded: a restart begins to answer at once.
preload_app = True

# Gunicorn 27 would open a control socket in the home directory.
control_socket_disable = True

# The application writes a line for each request, without its path: some dialects carry tokens there.
accesslog = None


def post_worker_init(worker: Any) -> None:
    """Start the worker, and say in the log if the database's limits are not in force: not waited for."""
    from crm_project.background import server as background
    from crm_project.database import log_limit_mismatches

    background.start()

    threading.Thread(target=log_limit_mismatches, name="limits", daemon=True).start()


def worker_exit(server: Any, worker: Any) -> None:
    """Let the tasks that are running end, as long as gunicorn waits, or give them back."""
    from crm_project.background import server as background

    background.stop(patience=10)
