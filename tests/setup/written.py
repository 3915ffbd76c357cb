"""Dump of an organization's tables in which generated ids are replaced, so that two demos can be compared."""

from contacts.models import Contact
from crm_project.activities.models import Activity
from crm_project.journal.models import Counter, Event
from deals.models import Deal, DealAccess, DealContact, DealFollower, DealState

LINKS = (DealContact, DealFollower, DealAccess)


class Written:
    """The rows of the tables, with places in the order of creation instead of ids."""

    def __init__(self, organization):
        self.organization = organization
        self.places = {model.row_kind: self.places_of(model) for model in (Contact, Deal)}
        self.activities = self.places_of(Activity, "uuid")

    def rows(self, model):
        return model.objects.filter(organization=self.organization)

    def places_of(self, model, key="pk"):
        keys = self.rows(model).order_by("id").values_list(key, flat=True)
        return {key: place for place, key in enumerate(keys)}

    def dump(self):
        ordered = {Contact: ["id"], Deal: ["id"], DealState: ["deal_id", "valid_from"], Event: ["sequence"]}
        ordered |= {key: ["deal_id", "id"] for key in LINKS} | {Activity: ["id"]}
        tables = {model.__name__: self.table(model, order) for model, order in ordered.items()}
        return tables | {"last": Counter.objects.get(organization=self.organization).last}

    def table(self, model, order):
        kind = getattr(model, "row_kind", None)
        return [self.placed(row, kind) for row in self.rows(model).order_by(*order).values()]

    def placed(self, row, kind):
        """The columns of one row, or of one event's `row_id` and changes."""
        if "changes" in row:
            kind = row["kind"]
            changes = row["changes"].items() if kind in self.places else ()
            row = row | {"change_set": None, "row_uuid": None, "id": None}
            row["row_id"] = self.place("id", row["row_id"], kind)
            row["changes"] = {
                name: [self.place(name, value, kind) for value in pair] for name, pair in changes
            }
            return row
        return {name: self.place(name, value, kind) for name, value in row.items()}

    def place(self, name, value, kind):
        if value is None or name == "uuid":
            return None
        if name == "next_activity":
            return self.activities[value]
        if name == "members":
            return [self.places["contact"].get(key) for key in value]
        of = {"id": kind, "deal_id": "deal"} | dict.fromkeys(
            ("contact_id", "client_id", "company_id"), "contact"
        )
        if name not in of:
            return value
        return self.places[of[name]][value] if of[name] in self.places else None


CATALOGUE = (
    "organization_id",
    "stage_id",
    "owner_id",
    "created_by_id",
    "actor_id",
    "lost_reason_id",
    "member_id",
    "followers",
    "access_list",
)


def without_catalogue(dump):
    """The rows of a dump without the ids of the organization, its members and its stages, which are new each time."""
    tables = (rows for rows in dump.values() if isinstance(rows, list))
    return [_without_catalogue(row) for rows in tables for row in rows]


def _without_catalogue(row):
    row = {name: value for name, value in row.items() if name not in CATALOGUE}
    if "changes" in row:
        row["changes"] = {name: pair for name, pair in row["changes"].items() if name not in CATALOGUE}
        row["row_id"] = row["row_id"] if row["kind"] in ("contact", "deal") else None
    return row
