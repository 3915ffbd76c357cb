"""Every route of the API with a request that works, and what each role gets for it: one line each."""

import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, resolve

from crm_project.accounts.models import ApiToken
from crm_project.imports.export_services import ask_for_export
from crm_project.imports.export_tasks import carry_out, claim
from crm_project.imports.files import receive
from crm_project.imports.services import upload_file
from crm_project.journal.models import Event
from crm_project.notifications.models import Notification
from crm_project.saved_views.services import create_saved_view, trash_saved_view
from crm_project.webhooks.services import create_webhook, send_test, trash_webhook
from tests.api.client import ApiClient, document
from tests.factories import (
    ActivityFactory,
    CustomFieldFactory,
    DealFactory,
    LostReasonFactory,
    PersonFactory,
    PipelineFactory,
    StageFactory,
)

SAFE = ("GET", "HEAD", "OPTIONS")
DOCUMENTED_METHODS = ("get", "post", "put", "patch", "delete")
UNKNOWN = {int: 2**62, str: "missing", uuid.UUID: uuid.UUID(int=1)}


@dataclass(frozen=True)
class Route:
    """`expected` holds the status for a viewer, a rep, a manager and an admin of the organization."""

    method: str
    path: str
    expected: tuple[int, ...]
    body: Callable[[dict[str, Any]], Any] | None = None

    @property
    def writes(self) -> bool:
        return self.method not in SAFE

    @property
    def names_a_row(self) -> bool:
        return "{" in self.path

    def request(self, rows: dict[str, Any]) -> tuple[Any, ...]:
        """Method, path and body with the rows' names filled in."""
        body = (self.body(rows),) if self.body else ()
        return (self.method, self.path.format(**rows), *body)

    def request_for_nothing(self, rows: dict[str, Any]) -> tuple[Any, ...]:
        """The same request with ids of no row."""
        method, _, *body = self.request(rows)
        return (method, self.path.format(**{name: UNKNOWN[type(key)] for name, key in rows.items()}), *body)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def route(line: str, body: Any = None) -> Route:
    """`PATCH /api/deals/{deal}  403 200 200 200`"""
    method, path, *expected = line.split()
    sent = body if callable(body) or body is None else lambda _: body
    return Route(method, path, tuple(map(int, expected)), sent)


def bulk(data: Any) -> Any:
    return {"operations": [{"op": "create", "data": data}]}


FIELD = {"kind": "deal", "key": "size", "label": "Size", "type": "number"}
FILE = {"kind": "deals", "content": "name\nA\n"}
SAVED = {"name": "Open", "list": "deals", "filters": {"status": "open"}}
HOOK = {"url": "https://example.com/hook", "events": ["deal.won"]}
RATE = {"currency": "USD", "date": "2024-01-01", "rate": "0.9"}
RATES = {"format": "csv", "content": "currency,date,rate\nUSD,2024-02-01,0.9\n"}
GOAL = {"month": "2024-01-01", "amount": "1000.00"}
STAGES = [{"name": "First"}, {"name": "Second"}]

ROUTES = [
    # The columns: viewer, rep, manager, admin.
    route("GET    /api/me                                   200 200 200 200"),
    route("GET    /api/me/preferences                       200 200 200 200"),
    route("PATCH  /api/me/preferences                       200 200 200 200", {"language": "fr"}),
    route("GET    /api/organization                         200 200 200 200"),
    route("PATCH  /api/organization                         403 403 403 200", {"country": "PL"}),
    route("GET    /api/users                                200 200 200 200"),
    route("GET    /api/users/{user}                         200 200 200 200"),
    route("GET    /api/tokens                               200 200 200 200"),
    route("POST   /api/tokens                               201 201 201 201", {"name": "shop"}),
    route("GET    /api/tokens/{token}                       404 200 404 200"),
    route("PATCH  /api/tokens/{token}                       404 200 404 200", {"name": "other"}),
    route("DELETE /api/tokens/{token}                       404 204 404 204"),
    route("GET    /api/custom-fields                        200 200 200 200"),
    route("POST   /api/custom-fields                        403 403 201 201", FIELD),
    route("GET    /api/custom-fields/{custom_field}         200 200 200 200"),
    route("PATCH  /api/custom-fields/{custom_field}         403 403 200 200", {"label": "Other"}),
    route("DELETE /api/custom-fields/{custom_field}         403 403 204 204"),
    route("POST   /api/custom-fields/{trashed_field}/restore    403 403 200 200"),
    route("GET    /api/contacts                             200 200 200 200"),
    route("POST   /api/contacts                             403 201 201 201", {"first_name": "Sophie"}),
    route("POST   /api/contacts/upsert                      403 201 201 201", {"email": "s@example.com"}),
    route("POST   /api/contacts/bulk                        403 200 200 200", bulk({"first_name": "Sophie"})),
    route("GET    /api/contacts/external/erp/{key}          200 200 200 200"),
    route("GET    /api/contacts/{contact}                   200 200 200 200"),
    route("PATCH  /api/contacts/{contact}                   403 200 200 200", {"city": "Paris"}),
    route("DELETE /api/contacts/{contact}                   403 204 204 204"),
    route("POST   /api/contacts/{trashed_contact}/restore   403 200 200 200"),
    route(
        "POST   /api/contacts/{contact}/merge             403 200 200 200",
        lambda rows: {"contact_uuids": [str(rows["double"])]},
    ),
    route("GET    /api/contacts/{contact}/duplicates        200 200 200 200"),
    route("GET    /api/pipelines                            200 200 200 200"),
    route(
        "POST   /api/pipelines                            403 403 201 201", {"name": "N", "stages": STAGES}
    ),
    route("GET    /api/pipelines/{pipeline}                 200 200 200 200"),
    route("PATCH  /api/pipelines/{pipeline}                 403 403 200 200", {"stages": STAGES}),
    route("DELETE /api/pipelines/{pipeline}                 403 403 204 204"),
    route("POST   /api/pipelines/{trashed_pipeline}/restore 403 403 200 200"),
    route("GET    /api/pipelines/{pipeline}/deals           200 200 200 200"),
    route("GET    /api/pipelines/{pipeline}/forecast        200 200 200 200"),
    route("GET    /api/pipelines/{pipeline}/funnel          200 200 200 200"),
    route("GET    /api/pipelines/{pipeline}/board?status=lost          200 200 200 200"),
    route("GET    /api/pipelines/{pipeline}/board/{stage}?status=lost  200 200 200 200"),
    route("GET    /api/stages                               200 200 200 200"),
    route(
        "POST   /api/stages                               403 403 201 201",
        lambda rows: {"name": "Third", "pipeline_id": rows["pipeline"]},
    ),
    route("GET    /api/stages/{stage}                       200 200 200 200"),
    route("PATCH  /api/stages/{stage}                       403 403 200 200", {"position": 0}),
    route("DELETE /api/stages/{stage}                       403 403 204 204"),
    route("POST   /api/stages/{trashed_stage}/restore       403 403 200 200"),
    route("GET    /api/lost-reasons                         200 200 200 200"),
    route("POST   /api/lost-reasons                         403 403 201 201", {"name": "Size"}),
    route("GET    /api/lost-reasons/{lost_reason}           200 200 200 200"),
    route("PATCH  /api/lost-reasons/{lost_reason}           403 403 200 200", {"name": "Size"}),
    route("DELETE /api/lost-reasons/{lost_reason}           403 403 204 204"),
    route("POST   /api/lost-reasons/{trashed_reason}/restore    403 403 200 200"),
    route("GET    /api/exchange-rates                       200 200 200 200"),
    route("POST   /api/exchange-rates                       403 403 201 201", RATE),
    route("POST   /api/exchange-rates/upload                403 403 200 200", RATES),
    route("GET    /api/exchange-rates/{rate}                200 200 200 200"),
    route("PATCH  /api/exchange-rates/{rate}                403 403 200 200", {"rate": "2"}),
    route("DELETE /api/exchange-rates/{rate}                403 403 204 204"),
    route("POST   /api/exchange-rates/{trashed_rate}/restore    403 403 200 200"),
    route("GET    /api/goals                                200 200 200 200"),
    route("POST   /api/goals                                403 403 201 201", GOAL),
    route("GET    /api/goals/{goal}                         200 200 200 200"),
    route("PATCH  /api/goals/{goal}                         403 403 200 200", {"amount": "2000"}),
    route("DELETE /api/goals/{goal}                         403 403 204 204"),
    route("POST   /api/goals/{trashed_goal}/restore         403 403 200 200"),
    route("GET    /api/deals                                200 200 200 200"),
    route("POST   /api/deals                                403 201 201 201", {"name": "Deal"}),
    route(
        "POST   /api/deals/upsert                         403 201 201 201", {"name": "D", "external_id": "9"}
    ),
    route("POST   /api/deals/bulk                           403 200 200 200", bulk({"name": "Deal"})),
    route("GET    /api/deals/changes?since=2024-01-01       200 200 200 200"),
    route("GET    /api/deals/summary                        200 200 200 200"),
    route("GET    /api/deals/metrics?group_by=stage,owner   200 200 200 200"),
    route("GET    /api/deals/external/erp/{key}             200 200 200 200"),
    route("GET    /api/deals/{deal}                         200 200 200 200"),
    route("PATCH  /api/deals/{deal}                         403 200 200 200", {"name": "Other"}),
    route("DELETE /api/deals/{deal}                         403 204 204 204"),
    route("POST   /api/deals/{trashed_deal}/restore         403 200 200 200"),
    route("PUT    /api/deals/{deal}/followers/{user}        403 200 200 200"),
    route("DELETE /api/deals/{deal}/followers/{follower}    403 200 200 200"),
    route("GET    /api/deals/{deal}/history                 200 200 200 200"),
    route("GET    /api/contacts/{contact}/history           200 200 200 200"),
    route("GET    /api/pipelines/{pipeline}/history         200 200 200 200"),
    route("GET    /api/deals/{deal}/timeline                200 200 200 200"),
    route("GET    /api/contacts/{contact}/timeline          200 200 200 200"),
    route("GET    /api/activities                           200 200 200 200"),
    route(
        "POST   /api/activities                           403 201 201 201",
        lambda rows: {"type": "call", "deal_uuid": str(rows["deal"])},
    ),
    route(
        "POST   /api/activities/upsert                    403 201 201 201",
        lambda rows: {"type": "call", "deal_uuid": str(rows["deal"]), "external_id": "9"},
    ),
    route(
        "POST   /api/activities/bulk                      403 200 200 200",
        lambda rows: bulk({"type": "call", "deal_uuid": str(rows["deal"])}),
    ),
    route("GET    /api/activities/external/erp/{key}        200 200 200 200"),
    route("GET    /api/activities/{activity}                200 200 200 200"),
    route("PATCH  /api/activities/{activity}                403 200 200 200", {"subject": "Other"}),
    route("DELETE /api/activities/{activity}                403 204 204 204"),
    route("POST   /api/activities/{trashed_activity}/restore    403 200 200 200"),
    route("GET    /api/events                               200 200 200 200"),
    route("POST   /api/events/{event}/undo                  403 200 200 200"),
    route("GET    /api/deals/export                         200 200 200 200"),
    route("GET    /api/contacts/export                      200 200 200 200"),
    route("GET    /api/activities/export                    200 200 200 200"),
    route("POST   /api/activities/export                    202 202 202 202"),
    route("POST   /api/deals/export                         202 202 202 202"),
    route("POST   /api/contacts/export                      202 202 202 202"),
    route("GET    /api/exports                              200 200 200 200"),
    # An export is nobody else's.
    route("GET    /api/exports/{export}                     404 404 404 200"),
    route("GET    /api/exports/{export}/file                404 404 404 200"),
    route("DELETE /api/exports/{export}                     404 404 404 204"),
    route("GET    /api/imports                              200 200 200 200"),
    route("POST   /api/imports                              403 201 201 201", FILE),
    route("GET    /api/imports/fields                       200 200 200 200"),
    route("GET    /api/imports/{import_file}                404 200 404 200"),
    route("PATCH  /api/imports/{import_file}                403 200 404 200", {"mapping": {"name": None}}),
    route("DELETE /api/imports/{import_file}                403 204 404 204"),
    route("POST   /api/imports/{import_file}/preview        403 202 404 202"),
    route("POST   /api/imports/{import_file}/run            403 202 404 202"),
    route("POST   /api/imports/{import_file}/undo           403 409 404 409"),
    route("GET    /api/imports/{import_file}/refused-rows   404 200 404 200"),
    route("GET    /api/imports/{import_file}/error-file     404 200 404 200"),
    route("GET    /api/saved-views                          200 200 200 200"),
    route("POST   /api/saved-views                          403 201 201 201", SAVED),
    route("GET    /api/saved-views/{saved_view}             200 200 200 200"),
    route("PATCH  /api/saved-views/{saved_view}             403 403 403 200", {"name": "Other"}),
    route("DELETE /api/saved-views/{saved_view}             403 403 403 204"),
    route("POST   /api/saved-views/{trashed_view}/restore   403 403 403 200"),
    route("GET    /api/webhooks                             200 200 200 200"),
    route("POST   /api/webhooks                             403 403 403 201", HOOK),
    route("GET    /api/webhooks/{webhook}                   404 404 404 200"),
    route("PATCH  /api/webhooks/{webhook}                   403 403 403 200", {"description": "Shop"}),
    route("DELETE /api/webhooks/{webhook}                   403 403 403 204"),
    route("POST   /api/webhooks/{trashed_webhook}/restore   403 403 403 200"),
    route("POST   /api/webhooks/{webhook}/rotate-secret     403 403 403 200"),
    route("POST   /api/webhooks/{webhook}/test              403 403 403 202"),
    route("POST   /api/webhooks/{webhook}/replay            403 403 403 202", {"since": 0}),
    route("GET    /api/webhooks/{webhook}/deliveries        404 404 404 200"),
    route("GET    /api/webhooks/{webhook}/deliveries/{delivery} 404 404 404 200"),
    route("POST   /api/webhooks/{webhook}/deliveries/{delivery}/resend  403 403 403 202"),
    route("GET    /api/notifications                        200 200 200 200"),
    route("POST   /api/notifications/read                   200 200 200 200"),
    route("GET    /api/notifications/settings               200 200 200 200"),
    route(
        "PATCH  /api/notifications/settings               200 200 200 200", {"deal_handed": {"mail": False}}
    ),
    route("GET    /api/notifications/{notification}         404 404 404 200"),
    route("POST   /api/notifications/{notification}/read    404 404 404 200"),
    route("GET    /api/external-references                  200 200 200 200"),
    route(
        "POST   /api/external-references                  403 201 201 201",
        lambda rows: {"system": "s", "kind": "deal", "external_id": "1", "row": str(rows["deal"])},
    ),
    route("GET    /api/external-references/{reference}      200 200 200 200"),
    route("PATCH  /api/external-references/{reference}      403 200 200 200", {"external_id": "other"}),
    route("DELETE /api/external-references/{reference}      403 204 204 204"),
]
PUBLIC = {
    "api",
    "api/problems",
    "api/problems/<str:code>",
    "api/schema",
    "api/docs",
    "api/<rest:rest>",
}


def make_rows(case: Any) -> dict[str, Any]:
    """One row of every kind in Alice's organization, by the name that the routes have for it."""
    pipeline, trashed_pipeline = PipelineFactory(actor=case.alice), PipelineFactory(actor=case.alice)
    trashed_stage = StageFactory(actor=case.alice, pipeline=pipeline.pk)
    trashed_field, trashed_reason = CustomFieldFactory(actor=case.alice), LostReasonFactory(actor=case.alice)
    contact, trashed_contact = (
        PersonFactory(actor=case.bob, external_references=[("erp", "K-1")]),
        PersonFactory(actor=case.bob),
    )
    deal = DealFactory(
        actor=case.bob, external_references=[("erp", "K-1")], followers=[case.viewer.member.pk]
    )
    trashed_deal = DealFactory(actor=case.bob)
    activity = ActivityFactory(
        actor=case.bob,
        deal=deal.pk,
        contact=contact.pk,
        owner=case.bob.member.pk,
        external_references=[("erp", "K-1")],
    )
    trashed_activity = ActivityFactory(actor=case.bob, deal=deal.pk)
    as_alice = ApiClient(case.alice)
    as_alice.delete(f"/api/custom-fields/{trashed_field.pk}")
    as_alice.delete(f"/api/lost-reasons/{trashed_reason.pk}")
    as_alice.delete(f"/api/stages/{trashed_stage.pk}")
    as_alice.delete(f"/api/pipelines/{trashed_pipeline.pk}")
    case.as_bob.delete(f"/api/contacts/{trashed_contact.uuid}")
    case.as_bob.delete(f"/api/deals/{trashed_deal.uuid}")
    case.as_bob.delete(f"/api/activities/{trashed_activity.uuid}")
    case.as_bob.patch(f"/api/deals/{deal.uuid}", {"origin": "fair"})
    return {
        "user": case.bob.member.uuid,
        "follower": case.viewer.member.uuid,
        "token": ApiToken.objects.get(member=case.bob.member).uuid,
        "custom_field": CustomFieldFactory(actor=case.alice).pk,
        "trashed_field": trashed_field.pk,
        "contact": contact.uuid,
        "trashed_contact": trashed_contact.uuid,
        "double": PersonFactory(actor=case.bob).uuid,
        "pipeline": pipeline.pk,
        "stage": StageFactory(actor=case.alice, pipeline=pipeline.pk).pk,
        "trashed_pipeline": trashed_pipeline.pk,
        "trashed_stage": trashed_stage.pk,
        "lost_reason": LostReasonFactory(actor=case.alice).pk,
        "trashed_reason": trashed_reason.pk,
        "rate": case.as_alice.post("/api/exchange-rates", {**RATE, "currency": "CHF"}).json()["id"],
        "trashed_rate": _trashed_rate(case),
        **_goals(case),
        "deal": deal.uuid,
        "trashed_deal": trashed_deal.uuid,
        "activity": activity.uuid,
        "trashed_activity": trashed_activity.uuid,
        "reference": deal.references.get().uuid,
        "event": Event.objects.filter(kind="deal", action="updated").latest("sequence").sequence,
        "import_file": upload_file(
            actor=case.bob, kind="deals", upload=receive("deals.csv", [b"name\nA\n"])
        ).uuid,
        "export": _export(case.alice).uuid,
        **_webhooks(case.alice),
        **_saved_views(case.alice),
        "notification": _notification(case, deal).uuid,
        "key": "K-1",
    }


def _saved_views(admin: Any) -> dict[str, Any]:
    shared = {**SAVED, "is_shared": True}
    view, trashed = (create_saved_view(actor=admin, change=shared) for _ in range(2))
    trash_saved_view(actor=admin, saved_view=trashed)
    return {"saved_view": view.uuid, "trashed_view": trashed.uuid}


def _notification(case: Any, deal: Any) -> Any:
    """Of Alice; Bob's list has one, too."""
    common = {"organization": case.organization, "kind": "deal_handed", "key": "event:1", "sequence": 1}
    of_row = {"row_kind": "deal", "row_id": deal.pk}
    Notification.objects.create(member=case.bob.member, **common, **of_row)
    return Notification.objects.create(member=case.alice.member, **common, **of_row)


def _export(actor: Any) -> Any:
    """An export that is done."""
    export = ask_for_export(actor=actor, kind="deals", file_format="csv", listing="api", query="")
    carry_out(claim(export.pk))
    return export


def _webhooks(admin: Any) -> dict[str, Any]:
    webhook, trashed = (create_webhook(actor=admin, change=HOOK)[0] for _ in range(2))
    trash_webhook(actor=admin, webhook=trashed)
    return {
        "webhook": webhook.uuid,
        "trashed_webhook": trashed.uuid,
        "delivery": send_test(actor=admin, webhook=webhook).uuid,
    }


def _trashed_rate(case: Any) -> int:
    row: int = case.as_alice.post("/api/exchange-rates", {**RATE, "currency": "PLN"}).json()["id"]
    case.as_alice.delete(f"/api/exchange-rates/{row}")
    return row


def _goals(case: Any) -> dict[str, Any]:
    months = ("2024-02-01", "2024-03-01")
    goal, trashed = (
        case.as_alice.post("/api/goals", {**GOAL, "month": month}).json()["uuid"] for month in months
    )
    case.as_alice.delete(f"/api/goals/{trashed}")
    return {"goal": uuid.UUID(goal), "trashed_goal": uuid.UUID(trashed)}


def served() -> dict[str, Any]:
    """Every pattern under /api, with its view."""
    return dict(_walk(get_resolver().url_patterns, ""))


def _walk(patterns: Any, prefix: str) -> Any:
    for pattern in patterns:
        place = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, place)
        elif isinstance(pattern, URLPattern) and place.startswith("api"):
            yield place, pattern.callback


def served_methods(view: Any) -> set[str]:
    return {method.upper() for method in view.actions if method in view.cls.http_method_names} - {"HEAD"}


def pattern_of(path: str) -> str:
    return str(resolve(path.partition("?")[0]).route)


def operations() -> Iterator[tuple[str, str, Any]]:
    """Path, method and description of each operation of the document."""
    for path, item in document()["paths"].items():
        for method in DOCUMENTED_METHODS:
            if method in item:
                yield path, method, item[method]


def places(rows: dict[str, Any]) -> dict[str, dict[str, str]]:
    """For each path of the document, the names of rows that exist."""
    found = {}
    for route in ROUTES:
        path = route.path.partition("?")[0]
        pattern = re.compile(re.sub(r"\{\w+\}", r"\\{(\\w+)\\}", path))
        for place in document()["paths"]:
            if match := pattern.fullmatch(place):
                names = re.findall(r"\{(\w+)\}", path)
                found[place] = {name: str(rows[row]) for name, row in zip(match.groups(), names, strict=True)}
    return found
