"""Routes of contacts."""

from contacts.api.views import ContactViewSet
from crm_project.api.routers import routes

urlpatterns = routes("contacts", ContactViewSet, "contact")
