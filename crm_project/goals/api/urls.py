"""Routes of goals."""

from crm_project.api.routers import routes
from crm_project.goals.api.views import GoalViewSet

urlpatterns = routes("goals", GoalViewSet, "goal")
