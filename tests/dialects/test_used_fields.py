"""Every field of every write of the five dialects: its value is answered, refused, or named as ignored."""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

import pytest

from deals.services import create_lost_reason
from tests.dialects.test_writes import Outcome, WriteCase
from tests.dialects.writes import WRITES, Write

DAY = "2031-02-03"
# Fields that may be answered in another form, or not at all, each with the reason.
EXCEPTIONS = {
    ("leadconnector", "customFields"): "sent as field_value, answered as fieldValue",
    ("leadconnector", "isRemoveAllFollowers"): "a new opportunity has no followers",
    ("leadconnector", "followersActionType"): "says what to do with followers that are sent",
    ("leadconnector", "dataType"): "a field of options is refused without any",
    ("intum", "closed"): "a status is sent as win or lost, and answered as true",
    ("intum", "noteable_type"): "names a row together with noteable_id, which is refused",
    ("intum", "noteable_id"): "names a row together with noteable_type",
    ("intum", "note_at"): "a day in the future is refused",
    ("intum", "priority"): "a place beyond the last one is the last one",
    ("xalantis", "client_type"): "a person is refused without a first name",
}


def rows_of(case: Any) -> dict[str, Any]:
    """Values that name rows, by the name of the field."""
    manager = case.manager.member
    return {
        "pipeline_id": case.renewals.pk,
        "pipeline_uuid": str(case.renewals.uuid),
        "stage_id": case.offer.pk,
        "stage_uuid": str(case.offer.uuid),
        "stageid": case.offer.pk,
        "stageId": str(case.offer.uuid),
        "status_id": case.offer.pk,
        "pipelineId": str(case.renewals.uuid),
        "pipelineStageId": str(case.offer.uuid),
        "contactid": case.acme.pk,
        "contactId": str(case.acme.uuid),
        "contact_id": case.ben.pk,
        "companyId": case.acme.pk,
        "clientId": str(case.acme.uuid),
        "client_id": case.acme.pk,
        "next_deal_id": case.next.pk,
        "responsibleid": str(manager.uuid),
        "responsible_id": manager.pk,
        "assignedTo": str(manager.uuid),
        "userId": str(manager.uuid),
        "categoryid": 2,
        "entityType": "opportunity",
        "entityid": case.row.pk,
        "locationId": str(case.organization.uuid),
        "lostReasonId": str(case.reason.uuid),
        "members": [case.acme.pk],
        "personList": [case.ben.pk],
        "accessList": [str(manager.uuid)],
        "managerList": [str(manager.uuid)],
        "followers": [str(manager.uuid)],
        "customFieldList": [{"key": case.size.pk, "value": "L"}],
        "customFields": [{"id": "size", "field_value": "L"}],
        "custom_fields": {"size": "L"},
    }


# Values of a certain form, by the name of the field.
FORMS: dict[str, Any] = {
    "email": "other@example.com",
    "contact_email": "other@example.com",
    "primaryEmail": "other@example.com",
    "phone": "+33 123456789",
    "currency": "USD",
    "bidCurrencyAbbr": "USD",
    "tax": "23",
    "color": "#445566",
    "url": "https://other.example",
    "website": "https://other.example",
    "www": "https://other.example",
    "stages": [{"name": "Two"}],
}


@pytest.mark.long
class TestUsedFields(WriteCase):
    def setUp(self) -> None:
        super().setUp()
        self.ben = self.person(first_name="Ben", last_name="Low", email="ben.low@example.com")
        self.next = self.deal(name="Next")
        self.reason = create_lost_reason(actor=self.alice, change={"name": "Price"})

    def samples(self, write: Write, name: str, schema: Any) -> Iterator[Any]:
        """Valid values of the field, without its default."""
        known = {**FORMS, **rows_of(self)}
        if name in known:
            yield known[name]
            return
        document = self.schemas[write.system]
        parts = [self.resolved(document, part) for part in schema.get("oneOf", [schema])]
        choices = [value for part in parts for value in part.get("enum", ()) if value not in (None, "")]
        types = [kind for part in parts for kind in listed(part.get("type", []))]
        if choices:
            yield from choices
        elif "boolean" in types:
            yield from (value for value in (True, False) if value is not schema.get("default"))
        elif any("date" in str(part.get("format", "")) for part in parts):
            yield DAY
        elif "integer" in types or "number" in types:
            yield from (7, 2)
        elif "object" in types:
            yield {"free": "L"}
        elif "array" in types:
            yield ["vip"]
        else:
            yield "Other"

    def check(self, system: str) -> None:
        wrong = []
        for write in (write for write in WRITES if write.system == system):
            plain = self.outcome(write, {})
            assert plain.status < 300, (write.method, write.template, plain)
            body = write.body(self)
            sent = body[write.inside] if write.inside else body
            for name, schema in self.fields(write).items():
                if (system, name) in EXCEPTIONS:
                    continue
                found = [
                    (value, self.verdict(plain, name, value, self.outcome(write, {name: value})))
                    for value in self.samples(write, name, schema)
                    if value != sent.get(name)
                ]
                # A value beside which all others are refused is what is there.
                is_constant = any(verdict == "refused" for _, verdict in found)
                good = ("", "refused", "dropped" if is_constant else "")
                wrong += [(write.method, write.template, name, *one) for one in found if one[1] not in good]
        assert wrong == []

    def verdict(self, plain: Outcome, name: str, value: Any, outcome: Outcome) -> str:
        """What is wrong with the answer to this value; "refused" is not wrong, if it has the name of the field."""
        if outcome.status >= 400:
            return "refused" if name in str(outcome.answer) else f"refused without its name: {outcome.answer}"
        if name in outcome.ignored:
            return ""
        shown = list(values_of(outcome.answer, name))
        if shown:
            return "" if any(same(one, value) for one in shown) else f"answered as {shown}"
        return "dropped" if outcome.state == plain.state else ""

    def test_xalantis(self) -> None:
        self.check("xalantis")

    def test_onlyoffice(self) -> None:
        self.check("onlyoffice")

    def test_intum(self) -> None:
        self.check("intum")

    def test_leadconnector(self) -> None:
        self.check("leadconnector")

    def test_gauzy(self) -> None:
        self.check("gauzy")


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def values_of(answer: Any, name: str) -> Iterator[Any]:
    """The values of all keys of this name, at any depth."""
    for key, value in answer.items() if isinstance(answer, dict) else ():
        if key == name:
            yield value
        yield from values_of(value, name)
    for value in answer if isinstance(answer, list) else ():
        yield from values_of(value, name)


def same(shown: Any, sent: Any) -> bool:
    """Equal, apart from the spelling of numbers and instants; a row may be answered whole where its id is sent."""
    if isinstance(sent, list):
        return isinstance(shown, list) and all(any(same(one, item) for one in shown) for item in sent)
    if isinstance(sent, dict):
        return isinstance(shown, dict) and all(same(shown.get(key), value) for key, value in sent.items())
    if isinstance(shown, dict):
        return same(shown.get("id"), sent)
    if isinstance(shown, bool) or isinstance(sent, bool):
        return shown is sent
    if sent == DAY:
        return str(shown).startswith(DAY)
    try:
        return Decimal(str(shown)) == Decimal(str(sent))
    except InvalidOperation:
        return bool(shown == sent)
