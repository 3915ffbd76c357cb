"""The admin's grammar: one base class for every ModelAdmin."""

from django.apps import AppConfig


class StaffConfig(AppConfig):
    name = "crm_project.staff"
    label = "staff"

    def ready(self) -> None:
        """Put our site in Django's place; this app comes before `django.contrib.admin`, which then fills it."""
        from django.contrib import admin
        from django.contrib.admin import sites

        from crm_project.staff.site import StaffSite

        admin.site = sites.site = StaffSite()
