"""Gunicorn's configuration: `gunicorn -c python:crm_project.server crm_project.wsgi`; its own options win."""

from crm_project import environment

bind = f"127.0.0.1:{environment.load().int('PORT', default=8000)}"

# Clients that dribble their bodies hold a thread each: sixteen leave room for the others.
worker_class = "gthread"
workers = 2
threads = 16
timeout = 60
graceful_timeout = 20
keepalive = 5
# A link to the next page names the last row's text, up to 255 characters of twelve bytes when they are escaped.
limit_request_line = 8190

# Gunicorn 27 would open a control socket in the home directory.
control_socket_disable = True

# The path without its query string: some dialects carry tokens there.
accesslog = "-"
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(B)s %(M)sms'
