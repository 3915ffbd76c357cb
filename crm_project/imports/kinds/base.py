"""The base of the kinds of rows that are imported and exported.

Name, external references, match keys and services of a kind are those of its declaration (`records.kinds.Kind`).
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Generic, TypeVar

from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member
from crm_project.emails import fold_email
from crm_project.errors import FieldError
from crm_project.imports.cells import CellFormat, is_empty, refuse_cut
from crm_project.imports.errors import UnreadableCell
from crm_project.imports.fields import CUSTOM_PREFIX, ExportRow, ImportField, custom_fields
from crm_project.imports.kinds.names import with_companies
from crm_project.imports.mapping import MATCHES
from crm_project.records.bulk import Operation
from crm_project.records.expressions import IsOneOf
from crm_project.records.kinds import Kind, kind_of
from crm_project.records.models import DEFAULT_SYSTEM
from crm_project.records.writing.columns import definitions_of
from crm_project.records.writing.receipts import Receipt

T = TypeVar("T")
# The system of the references that identify rows without a key: digests of their cells.
OWN_SYSTEM = "import"
Values = dict[str, Any]


class ImportKind(Generic[T]):
    """One kind of row: its fields, how the cells of a row become a change, and how changes are written."""

    model: ClassVar[Any]
    # Its value of `Import.Kinds`, which is its name in URLs.
    plural: ClassVar[str]
    # The fields with the name and with the id of a company in a change.
    company_fields: ClassVar[tuple[str, str]]
    # The column paths that functions in `ImportField.show` read.
    parts: ClassVar[Sequence[str]]

    def __init__(self, actor: Actor, options: Mapping[str, Any]) -> None:
        self.actor = actor
        self.options = options
        self.cell_format = CellFormat.of(
            {"decimal": ".", "date_order": "ymd", **options}, actor.organization.time_zone
        )
        self.repeated: Counter[str] = Counter()

    @property
    def declaration(self) -> Kind:
        kind = kind_of(self.model)
        assert kind is not None, "registered by its app"
        return kind

    def own_fields(self) -> list[ImportField]:
        raise NotImplementedError

    def to_change(self, values: Values) -> Values:
        """The change for the service, from the values of the row's fields."""
        return {self.by_key[key].attribute: value for key, value in values.items()}

    def write(self, changes: Sequence[Values]) -> list[Receipt[T]]:
        """Create or update a row for each change."""
        services: Any = self.declaration.services
        changes = with_companies(self.actor, changes, *self.company_fields)
        if self.options.get("match_on") == "none":
            return [Receipt(row, "created") for row in services.create(actor=self.actor, changes=changes)]
        upserts = [Operation("upsert", change=change) for change in changes]
        return list(services.carry_out(actor=self.actor, operations=upserts))

    def for_export(self, rows: Any) -> Any:
        """The columns that the export needs, as dicts: an export may have millions of rows."""
        columns = [field.show for field in self.fields if isinstance(field.show, str)]
        return rows.prefetch_related(None).values(*{"id", "custom_fields", *self.parts, *columns})

    def complete(self, rows: Sequence[dict[str, Any]]) -> None:
        """Add the lists of these rows, with one query for each list."""
        for name, pairs in self.lists([row["id"] for row in rows]).items():
            entries: dict[int, list[Any]] = defaultdict(list)
            for row_id, entry in pairs:
                entries[row_id].append(entry)
            for row in rows:
                row[name] = entries.get(row["id"], [])

    def lists(self, ids: Sequence[int]) -> dict[str, Iterable[tuple[int, Any]]]:
        """Pairs of a row's id and one entry of its list, in the list's order, by the name of the list."""
        rows = self.declaration.references.objects.filter(IsOneOf("row", ids))
        references = rows.values_list("row_id", "system", "external_id")
        return {"references": ((row_id, names) for row_id, *names in references)}

    @cached_property
    def fields(self) -> list[ImportField]:
        return [
            *self.own_fields(),
            *custom_fields(definitions_of(self.actor.organization_id, self.declaration.name)),
        ]

    @cached_property
    def by_key(self) -> dict[str, ImportField]:
        return {field.key: field for field in self.fields}

    @cached_property
    def member_ids(self) -> dict[str, int]:
        members = Member.objects.visible_to(self.actor.member)
        return dict(members.values_list("user__email", "id"))

    def member(self, email: str) -> int:
        member_id = self.member_ids.get(fold_email(email))
        if member_id is None:
            raise UnreadableCell("No member has this e-mail address.")
        return member_id

    def field_key(self, path: str) -> str:
        """The key of the field that an error of the service is about; `path` is in the names of the change."""
        first, _, rest = path.partition(".")
        if first == "custom_fields":
            return f"{CUSTOM_PREFIX}{rest}"
        if first == "external_references":
            return "external_system" if rest.endswith("system") else "external_id"
        return next((field.key for field in self.fields if field.attribute == first), first)

    def read(self, cells: Mapping[str, Any]) -> tuple[Values, list[FieldError]]:
        """The change for the service from the cells of one row by field key, and an error for each wrong cell."""
        values: Values = {}
        errors: list[FieldError] = []
        for key, cell in cells.items():
            field = self.by_key[key]
            if is_empty(cell):
                if self.options.get("empty_cells") == "clear" and field.can_clear:
                    values[key] = field.clears
                continue
            try:
                refuse_cut(cell)
                values[key] = field.read(cell, self.cell_format) if field.read else None
            except UnreadableCell as error:
                errors.append(error.of(key))
        if values.get("external_system") and not values.get("external_id"):
            errors.append(
                FieldError("external_id", "required", "Required together with the external system.")
            )
        errors += self._resolve(values) if not errors else []
        if errors:
            return {}, errors
        change = self._change(values)
        return change, self._choose_key(change, cells)

    def _resolve(self, values: Values) -> list[FieldError]:
        """Replace names by ids; a name without a row is an error of its field."""
        errors = []
        for key, find in self.resolvers.items():
            if values.get(key) is not None:
                try:
                    values[key] = find(values[key], values)
                except UnreadableCell as error:
                    errors.append(error.of(key, "does_not_exist"))
        return errors

    @property
    def resolvers(self) -> Mapping[str, Any]:
        """Functions of a name and all values that return the id, by field key."""
        return {}

    def _change(self, values: Values) -> Values:
        custom = {
            key.removeprefix(CUSTOM_PREFIX): values.pop(key)
            for key in list(values)
            if key.startswith(CUSTOM_PREFIX)
        }
        system = values.pop("external_system", None) or self.options.get("external_system", DEFAULT_SYSTEM)
        external_id = values.pop("external_id", None)
        change = self.to_change(values)
        if external_id:
            change["external_references"] = [(system, external_id)]
        if custom:
            change["custom_fields"] = custom
        return change

    def _choose_key(self, change: Values, cells: Mapping[str, Any]) -> list[FieldError]:
        """Set `match_on`: the key of the options, else the first that the row has, else a digest of its cells."""
        match_on = self.options.get("match_on", "auto")
        if match_on != "uuid" and match_on != "auto":
            change.pop("uuid", None)
        if match_on == "none":
            return []
        keys = self.declaration.match_keys.items()
        present = [key for key, has_key in keys if key in MATCHES and has_key(change)]
        key = match_on if match_on != "auto" else next(iter(present), None)
        if key is None:
            key = "external_reference"
            change["external_references"] = [(OWN_SYSTEM, self._digest(cells))]
        elif key not in present:
            field = {"external_reference": "external_id"}.get(key, key)
            return [FieldError(field, "required", "Rows are matched on this field; it may not be empty.")]
        change["match_on"] = key
        return []

    def _digest(self, cells: Mapping[str, Any]) -> str:
        """A key of the row's content. Equal rows are numbered, so that each of them is imported once."""
        content = sorted((key, str(cell)) for key, cell in cells.items() if not is_empty(cell))
        digest = hashlib.sha256(json.dumps(content).encode("utf-8", "surrogatepass")).hexdigest()[:40]
        self.repeated[digest] += 1
        count = self.repeated[digest]
        return digest if count == 1 else f"{digest}-{count}"

    def key_of(self, change: Values) -> tuple[Any, ...] | None:
        """The key that must be unique in the file; None for a row that is always created."""
        match change.get("match_on"):
            case "external_reference":
                return ("external_reference", *change["external_references"][0])
            case "email":
                return ("email", change.get("kind", "person"), fold_email(change["email"]))
            case "uuid":
                return ("uuid", change["uuid"])
        return None


def oldest_reference(part: int) -> Callable[[ExportRow], str]:
    """The system (0) or the external id (1) of the oldest reference: an import adds references, it removes none."""
    return lambda row: row["references"][0][part] if row["references"] else ""
