"""The WSGI entry point."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm_project.settings")

# Settings are read from here on.
django_application = get_wsgi_application()

from django.urls import reverse  # noqa: E402

from crm_project.bodies import whole_bodies  # noqa: E402

# Load the URLconf and its views before the server forks: the first request of a new worker would wait for that.
reverse("api-index")

application = whole_bodies(django_application)
