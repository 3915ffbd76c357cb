"""What deals and contacts have in common as rows of a table."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Generic, TypeVar

from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member
from crm_project.errors import DomainError, FieldError, Invalid, RowsRefused
from crm_project.imports.cells import Habits, is_empty, refuse_cut
from crm_project.imports.errors import UnreadableCell
from crm_project.imports.fields import CUSTOM_PREFIX, Field, Shown, custom_fields
from crm_project.records.models import DEFAULT_SYSTEM, reference_models
from crm_project.records.writing.columns import definitions_of
from crm_project.records.writing.receipts import Receipt

T = TypeVar("T")
# Rows without a key of their own are known again by what they say, under this system.
OWN_SYSTEM = "import"
Values = dict[str, Any]


class RowKind(Generic[T]):
    """One kind of row: its fields, what a row of cells means as a change, and how changes are written."""

    model: ClassVar[Any]
    custom_kind: ClassVar[str]
    keys: ClassVar[Sequence[str]]
    # What is read of a row for the fields that are made of several things.
    parts: ClassVar[Sequence[str]]

    def __init__(self, actor: Actor, options: Mapping[str, Any]) -> None:
        self.actor = actor
        self.options = options
        self.habits = Habits.of(
            {"decimal": ".", "date_order": "ymd", **options}, actor.organization.time_zone
        )
        self.repeated: Counter[str] = Counter()

    def own_fields(self) -> list[Field]:
        raise NotImplementedError

    def named(self, values: Values) -> Values:
        """The values under the names of the core's change; what is wrong is an UnreadableCell of a field."""
        raise NotImplementedError

    def write(self, changes: Sequence[Values]) -> list[Receipt[T]]:
        """Create or update by each change's key."""
        raise NotImplementedError

    def for_export(self, rows: Any) -> Any:
        """What is shown of the rows and no more, as plain values: a great export has millions of them."""
        columns = [field.show for field in self.fields if isinstance(field.show, str)]
        return rows.prefetch_related(None).values(*{"id", "custom_fields", *self.parts, *columns})

    def complete(self, rows: Sequence[dict[str, Any]]) -> None:
        """Add what other tables hold of these rows, with one query for each."""
        for name, pairs in self.lists([row["id"] for row in rows]).items():
            held: dict[int, list[Any]] = defaultdict(list)
            for row_id, entry in pairs:
                held[row_id].append(entry)
            for row in rows:
                row[name] = held.get(row["id"], [])

    def lists(self, ids: Sequence[int]) -> dict[str, Iterable[tuple[int, Any]]]:
        """Pairs of a row's id and one entry of its list, in the list's order."""
        model: Any = reference_models()[self.custom_kind]
        found = model.objects.filter(row__in=ids).values_list("row_id", "system", "external_id")
        return {"references": ((row_id, names) for row_id, *names in found)}

    @cached_property
    def fields(self) -> list[Field]:
        return [
            *self.own_fields(),
            *custom_fields(definitions_of(self.actor.organization_id, self.custom_kind)),
        ]

    @cached_property
    def by_key(self) -> dict[str, Field]:
        return {field.key: field for field in self.fields}

    @cached_property
    def member_ids(self) -> dict[str, int]:
        members = Member.objects.visible_to(self.actor.member)
        return dict(members.values_list("user__email", "id"))

    def member(self, email: str) -> int:
        found = self.member_ids.get(email.strip().lower())
        if found is None:
            raise UnreadableCell("No member has this e-mail address.")
        return found

    def read(self, cells: Mapping[str, Any]) -> tuple[Values, list[FieldError]]:
        """The cells of one row, by field, as the core's change; all that cannot be read is named."""
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
                values[key] = field.read(cell, self.habits) if field.read else None
            except UnreadableCell as error:
                errors.append(FieldError(key, "invalid", str(error)))
        if errors:
            return {}, errors
        return self._change(values, cells, errors), errors

    def _change(self, values: Values, cells: Mapping[str, Any], errors: list[FieldError]) -> Values:
        custom = {
            key.removeprefix(CUSTOM_PREFIX): values.pop(key)
            for key in list(values)
            if key.startswith(CUSTOM_PREFIX)
        }
        self._take_reference(values)
        change = self._resolve(values, errors)
        if custom:
            change["custom_fields"] = custom
        self._choose_key(change, cells, errors)
        return change

    def _take_reference(self, values: Values) -> None:
        system = values.pop("external_system", None) or self.options.get("external_system", DEFAULT_SYSTEM)
        external_id = values.pop("external_id", None)
        if external_id:
            values["external_references"] = [(system, external_id)]

    def _resolve(self, values: Values, errors: list[FieldError]) -> Values:
        """Each name in the values becomes an id; a name that nobody has is told of its own field."""
        for key, find in self.resolvers.items():
            if values.get(key) is not None:
                try:
                    values[key] = find(values[key], values)
                except UnreadableCell as error:
                    errors.append(FieldError(key, "does_not_exist", str(error)))
        return {} if errors else self.named(values)

    @property
    def resolvers(self) -> Mapping[str, Any]:
        return {}

    def _choose_key(self, change: Values, cells: Mapping[str, Any], errors: list[FieldError]) -> None:
        """What makes this row the same row next time: the key asked for, the first it has, or all it says."""
        if errors:
            return
        wanted = self.options.get("match_on", "auto")
        if wanted != "uuid" and wanted != "auto":
            change.pop("uuid", None)
        if wanted == "none":
            return
        present = [key for key in self.keys if self._has(change, key)]
        key = wanted if wanted != "auto" else next(iter(present), None)
        if key is None:
            key = "external_reference"
            change["external_references"] = [(OWN_SYSTEM, self._digest(cells))]
        elif key not in present:
            field = {"external_reference": "external_id"}.get(key, key)
            errors.append(FieldError(field, "required", "Rows are matched on this; it may not be empty."))
        change["match_on"] = key

    def _has(self, change: Values, key: str) -> bool:
        return bool(change.get("external_references" if key == "external_reference" else key))

    def _digest(self, cells: Mapping[str, Any]) -> str:
        """Equal rows are told apart by their number among their like, so that each comes in once."""
        said = sorted((key, str(cell)) for key, cell in cells.items() if not is_empty(cell))
        digest = hashlib.sha256(json.dumps(said).encode("utf-8", "surrogatepass")).hexdigest()[:40]
        self.repeated[digest] += 1
        count = self.repeated[digest]
        return digest if count == 1 else f"{digest}-{count}"

    def key_of(self, change: Values) -> tuple[Any, ...] | None:
        """What no other row of the file may have."""
        match change.get("match_on"):
            case "external_reference":
                return ("external_reference", *change["external_references"][0])
            case "email":
                return ("email", change.get("kind", "person"), change["email"].strip().lower())
            case "uuid":
                return ("uuid", change["uuid"])
        return None


def oldest_reference(part: int) -> Callable[[Shown], str]:
    """The system, or the external id: an import adds references and takes none away."""
    return lambda row: row["references"][0][part] if row["references"] else ""


def refuse_rows(errors: Mapping[int, DomainError]) -> None:
    """Also for a list of one: the importer asks by index."""
    if errors:
        raise RowsRefused(dict(errors))


def required(field: str, sentence: str) -> Invalid:
    return Invalid(fields=[FieldError(field, "required", sentence)])
