"""Routes of external references."""

from crm_project.api.routers import routes
from crm_project.references.views import ExternalReferenceViewSet

urlpatterns = routes("external-references", ExternalReferenceViewSet, "external-reference")
