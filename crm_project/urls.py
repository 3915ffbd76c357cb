"""Root URLconf: the API, its documentation, dialects, the admin."""

from django.conf.urls import handler403  # noqa: F401
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from crm_project.api import pages
from crm_project.notifications.calendars import calendar_view

handler400 = pages.bad_request
handler404 = pages.not_found
handler500 = pages.server_error

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("api", pages.IndexView.as_view(), name="api-index"),
    path("api/problems", pages.ProblemsView.as_view(), name="problem-list"),
    path("api/problems/<str:code>", pages.ProblemView.as_view(), name="problem"),
    path("api/schema", pages.SchemaView.as_view(), name="schema"),
    path("api/docs", pages.DocsView.as_view(url_name="schema"), name="docs"),
    path("api/", include("crm_project.accounts.api.urls")),
    path("api/", include("crm_project.records.api.urls")),
    path("api/", include("crm_project.journal.api.urls")),
    path("api/", include("contacts.api.urls")),
    path("api/", include("pipelines.api.urls")),
    path("api/", include("deals.api.urls")),
    path("api/", include("crm_project.activities.api.urls")),
    path("api/", include("crm_project.references.urls")),
    path("api/", include("crm_project.rates.api.urls")),
    path("api/", include("crm_project.imports.api.urls")),
    path("api/", include("crm_project.saved_views.api.urls")),
    path("api/", include("crm_project.goals.api.urls")),
    path("api/", include("crm_project.webhooks.api.urls")),
    path("api/", include("crm_project.notifications.api.urls")),
    path("api/<rest:rest>", pages.UnknownView.as_view()),
    path("dialects/", include("crm_project.dialects.urls")),
    path("ical/<str:secret>.ics", calendar_view, name="calendar"),
    path("admin/", admin.site.urls),
]
