"""The recipe "an ordinary kind" of CONTRIBUTING.md as data: rows of a deal that sales staff write, here visits.

`python -m tests.recipes.ordinary_kind` carries it out in the working tree; `python -m tests.recipes.ordinary_kind
offers Offer` with another name of the app and of the model.
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

MODELS = '''"""The visits of a deal."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from crm_project.accounts.models import Member
from crm_project.records.constraints import organization_key, same_organization
from crm_project.records.fields import RowForeignKey
from crm_project.records.models import ExternalReference, Row, reference_constraints, reference_indexes
from crm_project.records.querysets import RowQuerySet
from deals.models import Deal


class Visit(Row):
    row_kind: ClassVar[str] = "visit"

    subject = models.CharField(max_length=255)
    held_on = models.DateField()
    owner = RowForeignKey(Member, null=True, blank=True)
    deal = RowForeignKey(Deal, related_name="visits")

    objects: Any = RowQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            organization_key("visits_visit"),
            *same_organization("visits_visit", "owner", "deal"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["organization", "-created_at", "-id"],
                condition=Q(deleted_at=None),
                name="visits_newest",
            ),
            models.Index(fields=["organization", "deal", "-id"], name="visits_of_deal"),
        ]

    def __str__(self) -> str:
        return self.subject


class VisitReference(ExternalReference):
    kind: ClassVar[str] = "visit"
    row: Any = RowForeignKey(Visit, related_name="references", db_index=True)

    class Meta(ExternalReference.Meta):
        constraints: ClassVar = reference_constraints("visits_visitreference")
        indexes: ClassVar = reference_indexes("visits")
'''

SERVICES = '''"""Services of visits: the only functions that write them."""

import datetime
from collections.abc import Mapping, Sequence

from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member
from crm_project.accounts.rules import Permission
from crm_project.errors import FieldError
from crm_project.records.bulk import Operation
from crm_project.records.writing.columns import Change
from crm_project.records.writing.receipts import Receipt
from crm_project.records.writing.rows import ANY, Lock, Relation, RowWriter
from crm_project.versions import Versions
from deals.models import Deal
from visits.models import Visit, VisitReference


def _errors(row: Visit) -> list[FieldError]:
    """The errors of a visit with its present values."""
    errors = []
    if not row.subject.strip():
        errors.append(FieldError("subject", "blank", "This may not be blank."))
    if row.held_on is None:
        errors.append(FieldError("held_on", "required", "This is required."))
    if row.deal_id is None:
        errors.append(FieldError("deal", "required", "This is required."))
    return errors


def _settle(row: Visit, change: Change, now: datetime.datetime) -> list[FieldError]:
    return _errors(row)


writer = RowWriter(
    Visit,
    VisitReference,
    Permission.EDIT_DEALS,
    columns=("subject", "held_on"),
    relations={
        "owner": Relation(
            lambda actor: Member.objects.visible_to(actor.member).select_related("user"), lock=Lock.NONE
        ),
        "deal": Relation(lambda actor: Deal.objects.visible_to(actor.member)),
    },
    settle=_settle,
    fit=_errors,
)


def create_visits(*, actor: Actor, changes: Sequence[Change]) -> list[Visit]:
    return writer.create(actor, changes)


def update_visits(*, actor: Actor, changes: Sequence[tuple[Visit, Change]]) -> list[Receipt[Visit]]:
    return writer.write(actor, changes)


def trash_visits(
    *, actor: Actor, rows: Sequence[Visit], if_match: Mapping[int, Versions] = ANY
) -> list[Visit]:
    return writer.trash(actor, rows, if_match)


def restore_visits(
    *, actor: Actor, rows: Sequence[Visit], if_match: Mapping[int, Versions] = ANY
) -> list[Visit]:
    return writer.restore(actor, rows, if_match)


def carry_out_visits(*, actor: Actor, operations: Sequence[Operation]) -> list[Receipt[Visit]]:
    return writer.carry_out(actor, operations)
'''

KINDS = '''"""The declaration of visits."""

from crm_project.accounts.rules import Permission
from crm_project.journal.row_undo import RowUndoer
from crm_project.records.kinds import AsParent, Kind, Services, register
from crm_project.records.writing.rows import MATCH
from visits import services
from visits.models import Visit, VisitReference


def connect() -> None:
    register(
        Kind(
            Visit,
            visible=AsParent("deal"),
            rank=88,
            permission=Permission.EDIT_DEALS,
            services=Services(
                create=services.create_visits,
                update=services.update_visits,
                trash=services.trash_visits,
                restore=services.restore_visits,
                carry_out=services.carry_out_visits,
            ),
            named_by="uuid",
            references=VisitReference,
            lists={"external_references": ""},
            match_keys=MATCH,
            undoer=RowUndoer(services.writer),
        )
    )
'''

APPS = '''"""Visits, of deals."""

from django.apps import AppConfig


class VisitsConfig(AppConfig):
    name = "visits"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from visits import kinds

        kinds.connect()
'''

SERIALIZERS = '''"""The shape of a visit."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from crm_project.api.compiled import Serializer
from crm_project.api.fields import OptionalText, StrictDate, StrictDateTime, StrictUUID, TextField
from crm_project.api.serializers import MemberSerializer, ReferenceListField, StrictSerializer, take_shorthand


class VisitDealSerializer(Serializer):
    uuid = StrictUUID()
    name = serializers.CharField(source="__str__")


class VisitSerializer(StrictSerializer):
    uuid = StrictUUID(read_only=True)
    subject = TextField()
    held_on = StrictDate()
    owner = MemberSerializer(read_only=True, allow_null=True)
    deal = VisitDealSerializer(read_only=True)
    external_references = ReferenceListField()
    created_at = StrictDateTime(read_only=True)
    updated_at = StrictDateTime(read_only=True)

    owner_uuid = StrictUUID(source="owner", write_only=True, required=False, allow_null=True)
    deal_uuid = StrictUUID(source="deal", write_only=True)
    external_id = OptionalText(write_only=True)
    external_system = TextField(write_only=True, required=False)

    def validate(self, attrs: Mapping[str, Any]) -> dict[str, Any]:
        return take_shorthand(attrs, self.instance)
'''

VIEWS = '''"""`/api/visits`."""

from typing import Any

from crm_project.api.filters import (
    ChangeSetFilter,
    MembersFilter,
    ReferencedFilterSet,
    UUIDsFilter,
    days,
    instants,
)
from crm_project.api.keyed import keyed_actions
from crm_project.api.views import RowViewSet
from crm_project.records.paging import Key
from visits.api.serializers import VisitSerializer
from visits.models import Visit

EXAMPLE = {
    "subject": "Measure the roof",
    "held_on": "2026-12-01",
    "deal_uuid": "0b6c2f1e-8f5e-4c59-9f0e-3d0a7f2f6c11",
}


class VisitFilter(ReferencedFilterSet):
    columns_of = Visit

    uuid = UUIDsFilter("uuid", help_text="Batch read: without `page_size`, all of them are on one page.")
    held_on = days()
    owner = MembersFilter("owner__uuid", nullable=True)
    deal = UUIDsFilter("deal__uuid")
    created_at = instants()
    updated_at = instants()
    change_set = ChangeSetFilter(help_text="Rows that the change set of an event has written.")


class VisitViewSet(RowViewSet):
    """Visits, of deals."""

    queryset = Visit.objects.none()
    serializer_class = VisitSerializer
    filterset_class = VisitFilter
    orderings = {
        "created_at": Key("created_at"),
        "updated_at": Key("updated_at"),
        "held_on": Key("held_on"),
    }
    upsert, bulk, external = keyed_actions("visit", VisitSerializer, EXAMPLE)

    def for_reading(self, rows: Any) -> Any:
        named = rows.select_related("owner__user", "deal__contact", "deal__client")
        return named.prefetch_related("references")
'''

URLS = '''"""Routes of visits."""

from crm_project.api.routers import routes
from visits.api.views import VisitViewSet

urlpatterns = routes("visits", VisitViewSet, "visit")
'''

ADMIN = '''"""Visits in the admin."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from crm_project.staff import display
from crm_project.staff.actions import RestoreAction, TrashAction
from crm_project.staff.base import Fieldsets, StaffModelAdmin
from crm_project.staff.filters import ChangeSetFilter, DayRange, RowFilter, choice_filter, range_filter
from crm_project.staff.forms import StaffForm, references_field
from crm_project.staff.request_actor import member_choices
from deals.models import Deal
from visits.models import Visit


class DealFilter(RowFilter):
    title = "Deal"
    parameter = "deal"
    model = Deal


class VisitForm(StaffForm):
    external_references = references_field()


@admin.register(Visit)
class VisitAdmin(StaffModelAdmin):
    form = VisitForm
    has_trash = True
    select_related: ClassVar[Any] = ("deal__contact", "deal__client", "owner__user")
    autocomplete_fields: ClassVar[Any] = ("deal", "owner")
    search_fields: ClassVar[Any] = ("subject",)
    palette_icon = "location_on"
    ordering: ClassVar[Any] = ("-created_at", "-id")
    keyset_columns: ClassVar[Any] = ("created_at",)
    list_display: ClassVar[Any] = ("subject", "held_on", "of_deal", "owned_by")
    list_filter: ClassVar[Any] = (
        choice_filter("Owner", "owner", member_choices),
        range_filter(DayRange, "Held on", "held_on"),
        DealFilter,
        ChangeSetFilter,
    )
    row_actions: ClassVar[Any] = (TrashAction(explanation="It can be restored for 30 days."), RestoreAction())

    def fieldsets_for(self, request: HttpRequest, row: Any) -> Fieldsets:
        return [(None, {"fields": ["subject", "held_on", "deal", "owner", "external_references"]})]

    def palette_description(self, row: Visit) -> str:
        return str(row.deal)

    @admin.display(description="Deal")
    def of_deal(self, row: Visit) -> Any:
        return display.link(row.deal)

    @admin.display(description="Owner")
    def owned_by(self, row: Visit) -> Any:
        return row.owner.full_name if row.owner else display.NOTHING
'''

SIDEBAR = """            (gettext_lazy("Visits"), "location_on", "admin:visits_visit_changelist", Permission.VIEW),
"""
ROUTES = """    route("GET    /api/visits                               200 200 200 200"),
    route("POST   /api/visits                               403 201 201 201", visit_body("Demo")),
    route(
        "POST   /api/visits/upsert                        403 201 201 201",
        visit_body("Demo", external_id="9"),
    ),
    route(
        "POST   /api/visits/bulk                          403 200 200 200",
        lambda rows: bulk(visit_body("Demo")(rows)),
    ),
    route("GET    /api/visits/external/erp/{key}            200 200 200 200"),
    route("GET    /api/visits/{visit}                       200 200 200 200"),
    route("PATCH  /api/visits/{visit}                       403 200 200 200", {"subject": "Other"}),
    route("DELETE /api/visits/{visit}                       403 204 204 204"),
    route("POST   /api/visits/{trashed_visit}/restore       403 200 200 200"),
"""
BODY = """def visit_body(subject: str, **more: Any) -> Any:
    given = {"subject": subject, "held_on": "2026-01-31", **more}
    return lambda rows: {**given, "deal_uuid": str(rows["deal"])}


"""
ROUTE_ROWS = """        **_visits(case, deal),
"""
VISITS = """def _visits(case: Any, deal: Any) -> dict[str, Any]:
    bodies = [visit_body("Demo", external_system="erp", external_id="K-1"), visit_body("Gone")]
    visit, trashed = (
        case.as_bob.post("/api/visits", body({"deal": deal.uuid})).json()["uuid"] for body in bodies
    )
    case.as_bob.delete(f"/api/visits/{trashed}")
    return {"visit": uuid.UUID(visit), "trashed_visit": uuid.UUID(trashed)}


"""

WALK = """    "create_visits": (
        lambda w: w.deal(),
        lambda run, w, deal: run(actor=w.bob, changes=[visit_of(deal)]),
    ),
    "update_visits": (
        lambda w: visit(w),
        lambda run, w, row: run(actor=w.bob, changes=[(row, {"subject": "Other"})]),
    ),
    "trash_visits": (lambda w: visit(w), lambda run, w, row: run(actor=w.bob, rows=[row])),
    "restore_visits": (lambda w: trashed_visit(w), lambda run, w, row: run(actor=w.bob, rows=[row])),
    "carry_out_visits": (
        lambda w: visit(w),
        lambda run, w, row: run(
            actor=w.bob,
            operations=[
                Operation("create", change=visit_of(row.deal)),
                Operation("update", row.uuid, change={"subject": "Other"}),
            ],
        ),
    ),
"""
WALKED_ROWS = """def visit_of(deal: Any) -> Any:
    return {"subject": "Demo", "held_on": datetime.date(2026, 1, 31), "deal": deal.pk}


def visit(w: Any) -> Any:
    return visits_services.create_visits(actor=w.bob, changes=[visit_of(w.deal())])[0]


def trashed_visit(w: Any) -> Any:
    row = visit(w)
    visits_services.trash_visits(actor=w.bob, rows=[row])
    return row


"""
LEAKING = """            "visit": cls._visit(actor, word, deal),
"""
VISIT = """    @classmethod
    def _visit(cls, actor, word, deal):
        change = {"subject": f"{word} visit", "held_on": timezone.localdate(), "deal": deal.pk}
        return create_visits(actor=actor, changes=[change])[0]

"""
HIDDEN = """        cls._visit(cls.alice, PRIVATE, cls.private)
"""

FILES = [
    Step("visits/__init__.py", "", "The app."),
    Step("visits/models.py", MODELS, "The row, its indexes and the table of its external references."),
    Step("visits/services.py", SERVICES, "Its writes, by a `RowWriter`."),
    Step("visits/kinds.py", KINDS, "Its declaration."),
    Step("visits/apps.py", APPS, "Registers the declaration at start."),
    Step("visits/api/__init__.py", "", "Its part of the API."),
    Step("visits/api/serializers.py", SERIALIZERS, "The shape of a row."),
    Step("visits/api/views.py", VIEWS, "The filters and the views."),
    Step("visits/api/urls.py", URLS, "The routes."),
    Step("visits/admin.py", ADMIN, "The pages of the admin.", guard=IN_ADMIN),
]

EDITS = [
    Step("crm_project/settings.py", '    "visits",\n', "Install the app.", '    "crm_project.api",\n'),
    Step(
        "crm_project/urls.py",
        '    path("api/", include("visits.api.urls")),\n',
        "Mount its routes.",
        '    path("api/", include("crm_project.references.urls")),\n',
        guard=IN_TABLE,
    ),
    Step(
        "pyproject.toml",
        '  "(visits)",\n',
        "Place it among the layers and the packages.",
        '  "(deals)",\n',
        guard=IN_LAYERS,
        further=[in_packages("visits")],
    ),
    Step(
        "crm_project/staff/theme.py",
        SIDEBAR,
        "Link it in the sidebar.",
        '            (gettext_lazy("Reports"),',
        guard=IN_SIDEBAR,
    ),
    Step(
        "tests/api/routes.py",
        ROUTES,
        "The status of each route for each role.",
        '    route("GET    /api/events  ',
        guard=IN_TABLE,
        further=[
            ('        "reference": deal.references', f'{ROUTE_ROWS}        "reference": deal.references'),
            ("def _saved_views(", f"{VISITS}def _saved_views("),
            ("FIELD = {", f"{BODY}FIELD = {{"),
        ],
    ),
    Step(
        "tests/query_counts.json",
        '  "GET /api/visits": 3,\n'
        '  "GET /api/visits/external/erp/{key}": 4,\n'
        '  "GET /api/visits/{visit}": 3,\n',
        "The number of queries of each list and row.",
        '  "GET /api/events": ',
        guard=COUNTED,
        further=[OF_EACH_KIND],
    ),
    Step(
        "tests/staff/test_leaks.py",
        "from visits.models import Visit\nfrom visits.services import create_visits\n",
        "Include its pages in the walk, in TENANT_MODELS, a row of each organization, and one of the private deal.",
        "\npytestmark = pytest.mark.once",
        guard=WALKED,
        further=[
            ("    Activity,\n", "    Activity,\n    Visit,\n"),
            ('            "company": company,\n', f'{LEAKING}            "company": company,\n'),
            ("    @classmethod\n    def _notification", f"{VISIT}    @classmethod\n    def _notification"),
            ("        for actor in (cls.alice,", f"{HIDDEN}        for actor in (cls.alice,"),
        ],
    ),
    Step(
        "tests/journal/test_every_service.py",
        WALK,
        "Try each of its services.",
        '    "create_activities": (\n',
        guard=SERVED,
        further=[
            ("class WalkTests", f"{WALKED_ROWS}class WalkTests"),
            ("\nGOAL = {", "from visits import services as visits_services\n\nGOAL = {"),
        ],
    ),
]

RECIPE = Recipe("an ordinary kind", "visits", "Visit", FILES, EDITS)

if __name__ == "__main__":
    main(RECIPE)
