"""The recipe "a kind" of CONTRIBUTING.md as data: reference data with a name, in the API, the admin and the journal.

`python -m tests.recipes.kind` carries it out in the working tree; `python -m tests.recipes.kind regions Region` with
another name of the app and of the model.
"""

from tests.recipes.steps import (
    COUNTED,
    IN_ADMIN,
    IN_LAYERS,
    IN_SIDEBAR,
    IN_TABLE,
    OF_EACH_KIND,
    SERVED,
    WALKED,
    Recipe,
    Step,
    in_packages,
    main,
)

MODELS = '''"""The industry of a company."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from crm_project.records.constraints import organization_key
from crm_project.records.fields import RowForeignKey
from crm_project.records.models import ExternalReference, Row, reference_constraints
from crm_project.records.querysets import RowQuerySet


class Industry(Row):
    row_kind: ClassVar[str] = "industry"

    name = models.CharField(max_length=255)

    objects: Any = RowQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "industries"
        constraints: ClassVar = [
            organization_key("industries_industry"),
            models.UniqueConstraint(
                fields=["organization", "name"],
                condition=Q(deleted_at=None),
                name="industries_industry_live_name",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class IndustryReference(ExternalReference):
    kind: ClassVar[str] = "industry"
    row: Any = RowForeignKey(Industry, related_name="references", db_index=True)

    class Meta(ExternalReference.Meta):
        constraints: ClassVar = reference_constraints("industries_industryreference")
'''

SERVICES = '''"""Writes of industries."""

from crm_project.accounts.actors import Actor
from crm_project.errors import Conflict, FieldError
from crm_project.records.text import tidy
from crm_project.records.writing.columns import Change
from crm_project.records.writing.reference_data import (
    catalogue_writing,
    locked,
    restore_named,
    save_named,
    trash_rows,
)
from crm_project.versions import Versions
from industries.models import Industry, IndustryReference


def create_industry(*, actor: Actor, change: Change) -> Industry:
    return _save(actor, Industry(organization_id=actor.organization_id), change)


def update_industry(*, actor: Actor, industry: Industry, change: Change) -> Industry:
    return _save(actor, industry, change)


def trash_industry(*, actor: Actor, industry: Industry, if_match: Versions | None = None) -> None:
    with catalogue_writing(actor) as changes:
        trash_rows(changes, IndustryReference, [locked(Industry, actor, industry.pk, if_match)])


def restore_industry(*, actor: Actor, industry: Industry, if_match: Versions | None = None) -> Industry:
    restored: Industry = restore_named(
        actor=actor, row=industry, reference_model=IndustryReference, check=_errors, if_match=if_match
    )
    return restored


def _save(actor: Actor, row: Industry, change: Change) -> Industry:
    saved: Industry = save_named(
        actor=actor,
        row=row,
        change=change,
        columns=("name",),
        reference_model=IndustryReference,
        check=_errors,
    )
    return saved


def _errors(row: Industry) -> list[FieldError]:
    if not row.name.strip():
        return [FieldError("name", "blank", "This may not be blank.")]
    others = Industry.objects.of(row.organization_id).live().exclude(pk=row.pk)
    if tidy(row.name) in map(tidy, others.values_list("name", flat=True)):
        wrong = FieldError("name", "name_taken", "There is an industry of this name already.")
        raise Conflict(wrong.template, wrong.params, code="name_taken", fields=[wrong])
    return []
'''

KINDS = '''"""The declaration of industries."""

from crm_project.accounts.rules import Permission
from crm_project.journal.catalogue import CatalogueUndoer
from crm_project.records.kinds import Everyone, Kind, register
from crm_project.records.writing.reference_data import one_by_one
from industries import services
from industries.models import Industry, IndustryReference


def connect() -> None:
    register(
        Kind(
            Industry,
            visible=Everyone(),
            rank=35,
            permission=Permission.EDIT_PIPELINES,
            services=one_by_one(
                "industry",
                create=services.create_industry,
                update=services.update_industry,
                trash=services.trash_industry,
                restore=services.restore_industry,
            ),
            references=IndustryReference,
            lists={"external_references": ""},
            constraints={"industries_industry_live_name": "name_taken"},
            is_reference_data=True,
            in_catalogue=True,
            undoer=CatalogueUndoer(Industry, IndustryReference, unique=["name"]),
        )
    )
'''

APPS = '''"""Industries, a managed list."""

from django.apps import AppConfig


class IndustriesConfig(AppConfig):
    name = "industries"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from industries import kinds

        kinds.connect()
'''

SERIALIZERS = '''"""The shape of an industry."""

from crm_project.api.fields import StrictDateTime, StrictInteger, StrictUUID, TextField
from crm_project.api.serializers import StrictSerializer


class IndustrySerializer(StrictSerializer):
    id = StrictInteger(read_only=True)
    uuid = StrictUUID(read_only=True)
    name = TextField()
    created_at = StrictDateTime(read_only=True)
    updated_at = StrictDateTime(read_only=True)
'''

VIEWS = '''"""`/api/industries`."""

from crm_project.accounts.rules import Permission
from crm_project.api.views import RowViewSet
from crm_project.records.paging import Key
from industries.api.serializers import IndustrySerializer
from industries.models import Industry


class IndustryViewSet(RowViewSet):
    """Industries: a managed list."""

    queryset = Industry.objects.none()
    serializer_class = IndustrySerializer
    edit_permission = Permission.EDIT_PIPELINES
    lookup_field = "id"
    lookup_value_converter = "id_or_uuid"
    orderings = {
        "created_at": Key("created_at"),
        "updated_at": Key("updated_at"),
        "name": Key("name", text=True),
    }
    default_ordering = "created_at"
'''

URLS = '''"""Routes of industries."""

from crm_project.api.routers import routes
from industries.api.views import IndustryViewSet

urlpatterns = routes("industries", IndustryViewSet, "industry")
'''

ADMIN = '''"""Industries in the admin."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from crm_project.accounts.rules import Permission
from crm_project.staff.actions import RestoreAction, TrashAction
from crm_project.staff.base import Fieldsets, StaffModelAdmin
from crm_project.staff.forms import StaffForm, references_field
from industries.models import Industry


class IndustryForm(StaffForm):
    external_references = references_field()


@admin.register(Industry)
class IndustryAdmin(StaffModelAdmin):
    form = IndustryForm
    edit_permission = Permission.EDIT_PIPELINES
    search_fields: ClassVar[Any] = ("name",)
    ordering: ClassVar[Any] = ("created_at", "id")
    list_display: ClassVar[Any] = ("name", "created_at")
    has_trash = True
    row_actions: ClassVar[Any] = (
        TrashAction(explanation="It can be restored for 30 days."),
        RestoreAction(),
    )

    def fieldsets_for(self, request: HttpRequest, row: Any) -> Fieldsets:
        return [(None, {"fields": ["name", "external_references"]})]
'''

SIDEBAR = """            (
                gettext_lazy("Industries"),
                "domain",
                "admin:industries_industry_changelist",
                Permission.VIEW,
            ),
"""
ROUTES = """    route("GET    /api/industries                           200 200 200 200"),
    route("POST   /api/industries                           403 403 201 201", {"name": "Steel"}),
    route("GET    /api/industries/{industry}                200 200 200 200"),
    route("PATCH  /api/industries/{industry}                403 403 200 200", {"name": "Steel"}),
    route("DELETE /api/industries/{industry}                403 403 204 204"),
    route("POST   /api/industries/{trashed_industry}/restore    403 403 200 200"),
"""
ROUTE_ROWS = """        "industry": case.as_alice.post("/api/industries", {"name": "Iron"}).json()["id"],
        "trashed_industry": _trashed_industry(case),
"""
TRASHED = """def _trashed_industry(case: Any) -> int:
    row: int = case.as_alice.post("/api/industries", {"name": "Coal"}).json()["id"]
    case.as_alice.delete(f"/api/industries/{row}")
    return row


"""

WALK = """    "create_industry": (lambda w: None, lambda run, w, _: run(actor=w.manager, change={"name": "Steel"})),
    "restore_industry": (
        lambda w: trashed_industry(w),
        lambda run, w, row: run(actor=w.manager, industry=row),
    ),
    "trash_industry": (lambda w: industry(w), lambda run, w, row: run(actor=w.manager, industry=row)),
    "update_industry": (
        lambda w: industry(w),
        lambda run, w, row: run(actor=w.manager, industry=row, change={"name": "Other"}),
    ),
"""
WALKED_ROWS = """def industry(w: Any) -> Any:
    return industries_services.create_industry(actor=w.manager, change={"name": "Steel"})


def trashed_industry(w: Any) -> Any:
    row = industry(w)
    industries_services.trash_industry(actor=w.manager, industry=row)
    return row


"""
LEAKING = """            "industry": create_industry(actor=actor, change={"name": f"{word} industry"}),
"""

FILES = [
    Step("industries/__init__.py", "", "The app."),
    Step("industries/models.py", MODELS, "The row and the table of its external references."),
    Step(
        "industries/services.py",
        SERVICES,
        "Its writes, by `save_named` for reference data.",
    ),
    Step("industries/kinds.py", KINDS, "Its declaration."),
    Step("industries/apps.py", APPS, "Registers the declaration at start."),
    Step("industries/api/__init__.py", "", "Its part of the API."),
    Step("industries/api/serializers.py", SERIALIZERS, "The shape of a row."),
    Step("industries/api/views.py", VIEWS, "The views."),
    Step("industries/api/urls.py", URLS, "The routes."),
    Step("industries/admin.py", ADMIN, "The pages of the admin.", guard=IN_ADMIN),
]

EDITS = [
    Step("crm_project/settings.py", '    "industries",\n', "Install the app.", '    "crm_project.api",\n'),
    Step(
        "crm_project/urls.py",
        '    path("api/", include("industries.api.urls")),\n',
        "Mount its routes.",
        '    path("api/", include("crm_project.references.urls")),\n',
        guard=IN_TABLE,
    ),
    Step(
        "pyproject.toml",
        '  "(industries)",\n',
        "Place it among the layers and the packages.",
        '  "(contacts) | (pipelines)",\n',
        guard=IN_LAYERS,
        further=[in_packages("industries")],
    ),
    Step(
        "crm_project/staff/theme.py",
        SIDEBAR,
        "Link it in the sidebar.",
        '            (gettext_lazy("Goals"),',
        guard=IN_SIDEBAR,
    ),
    Step(
        "tests/api/routes.py",
        ROUTES,
        "The status of each route for each role.",
        '    route("GET    /api/pipelines  ',
        guard=IN_TABLE,
        further=[
            ('        "deal": deal.uuid,\n', f'{ROUTE_ROWS}        "deal": deal.uuid,\n'),
            ("def served()", f"{TRASHED}def served()"),
        ],
    ),
    Step(
        "tests/query_counts.json",
        '  "GET /api/industries": 2,\n  "GET /api/industries/{industry}": 2,\n',
        "The number of queries of each list and row.",
        '  "GET /api/lost-reasons": ',
        guard=COUNTED,
        further=[OF_EACH_KIND],
    ),
    Step(
        "tests/staff/test_leaks.py",
        "from industries.models import Industry\nfrom industries.services import create_industry\n",
        "Include its pages in the walk, in TENANT_MODELS, and a row of each organization.",
        "from pipelines.models import",
        guard=WALKED,
        further=[
            ("    SavedView,\n)", "    SavedView,\n    Industry,\n)"),
            ('            "import": source,\n', f'            "import": source,\n{LEAKING}'),
        ],
    ),
    Step(
        "tests/journal/test_every_service.py",
        WALK,
        "Try each of its services.",
        '    "undo": (\n',
        guard=SERVED,
        further=[
            ("class WalkTests", f"{WALKED_ROWS}class WalkTests"),
            (
                "from pipelines import services",
                "from industries import services as industries_services\nfrom pipelines import services",
            ),
        ],
    ),
]

RECIPE = Recipe("a kind", "industries", "Industry", FILES, EDITS)

if __name__ == "__main__":
    main(RECIPE)
