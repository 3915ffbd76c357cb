"""The WSGI entry point."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm_project.settings")

# Settings are read from here on.
django_application = get_wsgi_application()

from crm_project.bodies import whole_bodies  # noqa: E402

application = whole_bodies(django_application)
