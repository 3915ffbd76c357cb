"""Routes of exchange rates."""

from crm_project.api.routers import routes
from crm_project.rates.api.views import ExchangeRateViewSet

urlpatterns = routes("exchange-rates", ExchangeRateViewSet, "exchange-rate")
