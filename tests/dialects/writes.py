"""The writes of rows in the five dialects: a valid request of each, and another value of each of its fields."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

OFFICE = "/api/2.0/crm"


@dataclass(frozen=True)
class Write:
    """`path` and `body` take the test case. `inside` is the key of the object in the body that has the fields."""

    system: str
    method: str
    template: str
    """The path in the OpenAPI document, below the dialect's."""
    path: Callable[[Any], str]
    body: Callable[[Any], dict[str, Any]]
    inside: str = ""


def located(case: Any, **body: Any) -> dict[str, Any]:
    return {"locationId": str(case.organization.uuid), **body}


def opportunity(case: Any) -> dict[str, Any]:
    return {
        "title": "Deal",
        "stageid": case.new.pk,
        "responsibleid": str(case.bob.member.uuid),
        "bidValue": 5,
    }


def activity(case: Any) -> dict[str, Any]:
    return {"categoryid": 3, "contactid": case.ann.pk}


MONEY = {"total_amount_net": 100, "total_amount_gross": 110, "tax": "10"}
PERSON = {"contact_email": "ann@example.com", "contact_first_name": "Ann"}
WRITES = [
    Write(
        "xalantis", "POST", "/api/deals", lambda case: "/api/deals", lambda case: {"name": "Deal", **PERSON}
    ),
    Write(
        "xalantis",
        "POST",
        "/api/v1/deals",
        lambda case: "/api/v1/deals",
        lambda case: {"name": "Deal", **PERSON},
    ),
    Write(
        "xalantis",
        "PATCH",
        "/api/v1/deals/{row}",
        lambda case: f"/api/v1/deals/{case.row.uuid}",
        lambda case: {},
    ),
    Write(
        "xalantis",
        "POST",
        "/api/v1/contacts",
        lambda case: "/api/v1/contacts",
        lambda case: {"first_name": "Ben", "email": "ben@example.com"},
    ),
    Write(
        "xalantis",
        "PATCH",
        "/api/v1/contacts/{row}",
        lambda case: f"/api/v1/contacts/{case.ann.uuid}",
        lambda case: {},
    ),
    Write(
        "xalantis",
        "POST",
        "/api/v1/clients",
        lambda case: "/api/v1/clients",
        lambda case: {"client_type": "company", "company": "Ltd"},
    ),
    Write(
        "xalantis",
        "PATCH",
        "/api/v1/clients/{row}",
        lambda case: f"/api/v1/clients/{case.acme.uuid}",
        lambda case: {},
    ),
    Write(
        "xalantis",
        "POST",
        "/api/v1/clients/{row}/representatives",
        lambda case: f"/api/v1/clients/{case.acme.uuid}/representatives",
        lambda case: {"first_name": "Ben", "last_name": "Low", "title": "Head"},
    ),
    Write("onlyoffice", "POST", f"{OFFICE}/opportunity", lambda case: f"{OFFICE}/opportunity", opportunity),
    Write(
        "onlyoffice",
        "PUT",
        f"{OFFICE}/opportunity/{{id}}",
        lambda case: f"{OFFICE}/opportunity/{case.row.pk}",
        opportunity,
    ),
    Write(
        "onlyoffice",
        "PUT",
        f"{OFFICE}/opportunity/{{id}}/access",
        lambda case: f"{OFFICE}/opportunity/{case.row.pk}/access",
        lambda case: {"isPrivate": True, "accessList": [str(case.bob.member.uuid)]},
    ),
    Write(
        "onlyoffice",
        "POST",
        f"{OFFICE}/opportunity/stage",
        lambda case: f"{OFFICE}/opportunity/stage",
        lambda case: {"title": "Next", "color": "#112233"},
    ),
    Write(
        "onlyoffice",
        "PUT",
        f"{OFFICE}/opportunity/stage/{{id}}",
        lambda case: f"{OFFICE}/opportunity/stage/{case.offer.pk}",
        lambda case: {"title": "Next", "color": "#112233"},
    ),
    Write(
        "onlyoffice",
        "POST",
        f"{OFFICE}/contact/company",
        lambda case: f"{OFFICE}/contact/company",
        lambda case: {"companyName": "Ltd"},
    ),
    Write(
        "onlyoffice",
        "PUT",
        f"{OFFICE}/contact/company/{{id}}",
        lambda case: f"{OFFICE}/contact/company/{case.acme.pk}",
        lambda case: {"companyName": "Acme"},
    ),
    Write(
        "onlyoffice",
        "POST",
        f"{OFFICE}/contact/person",
        lambda case: f"{OFFICE}/contact/person",
        lambda case: {"firstName": "Ben", "lastName": "Low"},
    ),
    Write(
        "onlyoffice",
        "PUT",
        f"{OFFICE}/contact/person/{{id}}",
        lambda case: f"{OFFICE}/contact/person/{case.ann.pk}",
        lambda case: {"firstName": "Ann", "lastName": "Lee"},
    ),
    Write(
        "onlyoffice",
        "POST",
        f"{OFFICE}/task",
        lambda case: f"{OFFICE}/task",
        lambda case: {**activity(case), "title": "Title", "deadline": "2031-02-03"},
    ),
    Write(
        "onlyoffice",
        "PUT",
        f"{OFFICE}/task/{{id}}",
        lambda case: f"{OFFICE}/task/{case.task.pk}",
        lambda case: {**activity(case), "title": "Title", "deadline": "2031-02-03"},
    ),
    Write(
        "onlyoffice",
        "POST",
        f"{OFFICE}/history",
        lambda case: f"{OFFICE}/history",
        lambda case: {**activity(case), "content": "Text"},
    ),
    Write(
        "intum",
        "POST",
        "/crm/deals.json",
        lambda case: "/crm/deals.json",
        lambda case: {"deal": {"name": "Deal", **MONEY}},
        "deal",
    ),
    Write(
        "intum",
        "PATCH",
        "/crm/deals/{row}.json",
        lambda case: f"/crm/deals/{case.row.pk}.json",
        lambda case: {"deal": {}},
        "deal",
    ),
    Write(
        "intum",
        "POST",
        "/crm/contacts.json",
        lambda case: "/crm/contacts.json",
        lambda case: {"contact": {"first_name": "Ben"}},
        "contact",
    ),
    Write(
        "intum",
        "PATCH",
        "/crm/contacts/{row}.json",
        lambda case: f"/crm/contacts/{case.ann.pk}.json",
        lambda case: {"contact": {}},
        "contact",
    ),
    Write(
        "intum",
        "POST",
        "/crm/clients.json",
        lambda case: "/crm/clients.json",
        lambda case: {"client": {"name": "Ltd"}},
        "client",
    ),
    Write(
        "intum",
        "PATCH",
        "/crm/clients/{row}.json",
        lambda case: f"/crm/clients/{case.acme.pk}.json",
        lambda case: {"client": {}},
        "client",
    ),
    Write(
        "intum",
        "POST",
        "/crm/clients/upsert.json",
        lambda case: "/crm/clients/upsert.json",
        lambda case: {"external_id": "e9", "client": {"name": "Ltd"}},
        "client",
    ),
    Write(
        "intum",
        "POST",
        "/crm/notes.json",
        lambda case: "/crm/notes.json",
        lambda case: {"note": {"name": "Note", "noteable_type": "Crm::Contact", "noteable_id": case.ann.pk}},
        "note",
    ),
    Write(
        "intum",
        "PATCH",
        "/crm/notes/{row}.json",
        lambda case: f"/crm/notes/{case.note.pk}.json",
        lambda case: {"note": {}},
        "note",
    ),
    Write(
        "intum",
        "POST",
        "/crm/statuses.json",
        lambda case: "/crm/statuses.json",
        lambda case: {"status": {"name": "Next"}},
        "status",
    ),
    Write(
        "intum",
        "PATCH",
        "/crm/statuses/{row}.json",
        lambda case: f"/crm/statuses/{case.offer.pk}.json",
        lambda case: {"status": {}},
        "status",
    ),
    Write(
        "leadconnector",
        "POST",
        "/opportunities",
        lambda case: "/opportunities",
        lambda case: located(
            case, pipelineId=str(case.pipeline.uuid), contactId=str(case.ann.uuid), name="Deal", status="open"
        ),
    ),
    Write(
        "leadconnector",
        "PUT",
        "/opportunities/{row_id}",
        lambda case: f"/opportunities/{case.row.uuid}",
        lambda case: {},
    ),
    Write(
        "leadconnector",
        "POST",
        "/opportunities/upsert",
        lambda case: "/opportunities/upsert",
        lambda case: located(
            case, id="x1", pipelineId=str(case.pipeline.uuid), contactId=str(case.ann.uuid), name="Deal"
        ),
    ),
    Write(
        "leadconnector",
        "PUT",
        "/opportunities/{row_id}/status",
        lambda case: f"/opportunities/{case.row.uuid}/status",
        lambda case: {"status": "lost"},
    ),
    Write(
        "leadconnector",
        "POST",
        "/opportunities/{row_id}/followers",
        lambda case: f"/opportunities/{case.row.uuid}/followers",
        lambda case: {"followers": [str(case.bob.member.uuid)]},
    ),
    Write(
        "leadconnector",
        "POST",
        "/contacts",
        lambda case: "/contacts",
        lambda case: located(case, firstName="Ben"),
    ),
    Write(
        "leadconnector",
        "PUT",
        "/contacts/{row_id}",
        lambda case: f"/contacts/{case.ann.uuid}",
        lambda case: {},
    ),
    Write(
        "leadconnector",
        "POST",
        "/contacts/upsert",
        lambda case: "/contacts/upsert",
        lambda case: located(case, email="ann@example.com"),
    ),
    Write(
        "leadconnector",
        "POST",
        "/contacts/{row_id}/tags",
        lambda case: f"/contacts/{case.ann.uuid}/tags",
        lambda case: {"tags": ["vip"]},
    ),
    Write(
        "leadconnector",
        "POST",
        "/contacts/{contact_id}/notes",
        lambda case: f"/contacts/{case.ann.uuid}/notes",
        lambda case: {"body": "Text"},
    ),
    Write(
        "leadconnector",
        "PUT",
        "/contacts/{contact_id}/notes/{row_id}",
        lambda case: f"/contacts/{case.ann.uuid}/notes/{case.note.uuid}",
        lambda case: {},
    ),
    Write(
        "leadconnector",
        "POST",
        "/contacts/{contact_id}/tasks",
        lambda case: f"/contacts/{case.ann.uuid}/tasks",
        lambda case: {"title": "Title", "dueDate": "2031-02-03", "completed": False},
    ),
    Write(
        "leadconnector",
        "PUT",
        "/contacts/{contact_id}/tasks/{row_id}",
        lambda case: f"/contacts/{case.ann.uuid}/tasks/{case.task.uuid}",
        lambda case: {},
    ),
    Write(
        "leadconnector",
        "PUT",
        "/contacts/{contact_id}/tasks/{row_id}/completed",
        lambda case: f"/contacts/{case.ann.uuid}/tasks/{case.task.uuid}/completed",
        lambda case: {"completed": True},
    ),
    Write(
        "leadconnector",
        "POST",
        "/opportunities/pipelines",
        lambda case: "/opportunities/pipelines",
        lambda case: located(case, name="Second", stages=[{"name": "One", "position": 0}]),
    ),
    Write(
        "leadconnector",
        "PUT",
        "/opportunities/pipelines/{row_id}",
        lambda case: f"/opportunities/pipelines/{case.renewals.uuid}",
        lambda case: located(case),
    ),
    Write(
        "leadconnector",
        "POST",
        "/locations/{location_id}/customFields",
        lambda case: f"/locations/{case.organization.uuid}/customFields",
        lambda case: {"name": "Colour", "dataType": "TEXT", "model": "opportunity"},
    ),
    Write(
        "leadconnector",
        "PUT",
        "/locations/{location_id}/customFields/{row_id}",
        lambda case: f"/locations/{case.organization.uuid}/customFields/{case.size.uuid}",
        lambda case: {},
    ),
    Write(
        "gauzy",
        "POST",
        "/api/deals",
        lambda case: "/api/deals",
        lambda case: {"title": "Deal", "stageId": str(case.new.uuid)},
    ),
    Write("gauzy", "PUT", "/api/deals/{row}", lambda case: f"/api/deals/{case.row.uuid}", lambda case: {}),
    Write(
        "gauzy",
        "POST",
        "/api/organization-contact",
        lambda case: "/api/organization-contact",
        lambda case: {"name": "Ltd"},
    ),
    Write(
        "gauzy",
        "PUT",
        "/api/organization-contact/{row}",
        lambda case: f"/api/organization-contact/{case.acme.uuid}",
        lambda case: {},
    ),
    Write(
        "gauzy",
        "POST",
        "/api/pipelines",
        lambda case: "/api/pipelines",
        lambda case: {"name": "Second", "stages": [{"name": "One"}]},
    ),
    Write(
        "gauzy",
        "PUT",
        "/api/pipelines/{row}",
        lambda case: f"/api/pipelines/{case.renewals.uuid}",
        lambda case: {},
    ),
    Write(
        "gauzy",
        "POST",
        "/api/pipelines/{row}/stages",
        lambda case: f"/api/pipelines/{case.pipeline.uuid}/stages",
        lambda case: {"name": "Next"},
    ),
    Write(
        "gauzy",
        "PUT",
        "/api/pipelines/{row}/stages/{stage}",
        lambda case: f"/api/pipelines/{case.pipeline.uuid}/stages/{case.offer.uuid}",
        lambda case: {},
    ),
]

# Requests with a body that are not in the table, by a part of their path, each with the reason.
EXEMPT = {
    "/authentication": "a login",
    "/api/auth/": "a login",
    "/batch": "a list of other requests, or of infos",
    "/search": "a read",
    "/filter/": "a filter, and the fields of another write",
    "/organize/": "another path of Intum's statuses",
    "/customfield": "a value or a definition, without optional fields that hold something",
    "/tag": "one name",
    "/stage/{stage}": "one id, which may be in the path alone",
    "/color": "one value",
    "/reorder": "a list of ids",
    "/access": "a list of ids, and the fields of another write",
    "/creationdate": "one instant",
    "/lastmodifeddate": "one instant",
    "/addressdata": "an object",
    "/data": "tested with contact infos",
    "/quick": "a list",
    "/merge": "two ids",
    "/company/{id}/person": "one id",
    f"{OFFICE}/contact ": "a list of ids",
    f"{OFFICE}/opportunity ": "a list of ids",
    "/settings/currency": "one value",
    "/employee": "lists of ids",
    "/bulk/tags": "lists",
}
