"""Routes of custom-field definitions."""

from crm_project.api.routers import routes
from crm_project.records.api.views import CustomFieldViewSet

urlpatterns = routes("custom-fields", CustomFieldViewSet, "custom-field")
