"""Routes of saved views."""

from crm_project.api.routers import routes
from crm_project.saved_views.api.views import SavedViewViewSet

urlpatterns = routes("saved-views", SavedViewViewSet, "saved-view")
