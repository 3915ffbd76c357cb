"""The pages of imports and exports."""

from crm_project.imports.admin.exports import ExportAdmin
from crm_project.imports.admin.imports import ImportAdmin

__all__ = ["ExportAdmin", "ImportAdmin"]
