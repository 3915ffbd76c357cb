"""The admin site and the base class of every ModelAdmin."""

from django.apps import AppConfig


class StaffConfig(AppConfig):
    name = "crm_project.staff"
    label = "staff"

    def ready(self) -> None:
        """Replace the site of Django. This app precedes `django.contrib.admin`, which then registers on ours."""
        from django.contrib import admin
        from django.contrib.admin import sites

        from crm_project.staff.site import StaffSite

        admin.site = sites.site = StaffSite()
