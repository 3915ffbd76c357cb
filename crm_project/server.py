"""Gunicorn's configuration: `gunicorn -c python:crm_project.server crm_project.wsgi`; its options override it."""

from crm_project import environment

bind = f"127.0.0.1:{environment.load().int('PORT', default=8000)}"

# A client that sends its body slowly occupies a thread until its deadline; sixteen leave some for others.
worker_class = "crm_project.deadlines.Worker"
workers = 2
threads = 16
timeout = 60
graceful_timeout = 20
keepalive = 5
# A cursor contains a text of the last row: up to 255 characters of twelve bytes each when they are escaped.
limit_request_line = 8190

# Gunicorn 27 would open a control socket in the home directory.
control_socket_disable = True

# The path without the query string, which contains tokens in some dialects.
accesslog = "-"
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(B)s %(M)sms'
