"""Routes of external references."""

from crm_project.api.references.views import ExternalReferenceViewSet
from crm_project.api.routers import routes

urlpatterns = routes("external-references", ExternalReferenceViewSet, "external-reference")
