"""The base of the kinds of rows that are imported and exported.

Name, external references, match keys and services of a kind are those of its declaration (`records.kinds.Kind`).
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any, ClassVar, Generic, TypeVar
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member
from crm_project.accounts.rules import Permission
from crm_project.accounts.services import create_former_member
from crm_project.emails import fold_email
from crm_project.errors import FieldError
from crm_project.imports.cells import CellFormat, is_empty, refuse_cut
from crm_project.imports.fields import CUSTOM_PREFIX, ExportRow, ImportField, custom_fields, with_headers
from crm_project.imports.kinds.links import Link, linked, mapped
from crm_project.imports.kinds.names import with_companies
from crm_project.imports.kinds.values import CREATE, EMPTY, ValueField, unknown
from crm_project.imports.mapping import MATCHES
from crm_project.imports.new_fields import new_field, new_fields
from crm_project.imports.people import Several
from crm_project.imports.sources import source_named
from crm_project.readers import Unreadable
from crm_project.records.bulk import Operation
from crm_project.records.expressions import IsOneOf
from crm_project.records.kinds import Kind, kind_of
from crm_project.records.models import DEFAULT_SYSTEM
from crm_project.records.text import fold
from crm_project.records.writing.columns import definitions_for
from crm_project.records.writing.receipts import Receipt

T = TypeVar("T")
# The system of the references that identify rows without a key: digests of their cells.
OWN_SYSTEM = "import"
Values = dict[str, Any]
# Texts of a column that are remembered with their values, and their length.
MOST_KNOWN, REPEATED_LENGTH = 2_000, 40
NO_FORMATS: Mapping[str, CellFormat] = MappingProxyType({})


class ImportKind(Generic[T]):
    """One kind of row: its fields, how the cells of a row become a change, and how changes are written."""

    model: ClassVar[Any]
    # Its value of `Import.Kinds`, which is its name in URLs.
    plural: ClassVar[str]
    # The fields with the name and with the id of a company in a change, if the kind has them.
    company_fields: ClassVar[tuple[str, str] | None] = None
    has_custom_fields: ClassVar[bool] = True
    # The column paths that functions in `ImportField.show` read.
    parts: ClassVar[Sequence[str]]
    # The fields with ids that another system has for contacts.
    links: ClassVar[Sequence[Link]] = ()
    # Fields whose column is named in errors of other ones, which are made of it.
    stand_ins: ClassVar[Mapping[str, Sequence[str]]] = MappingProxyType({})
    # The fields of a column of the admin's list, by the name of the column in the API; others have that name.
    in_lists: ClassVar[Mapping[str, Sequence[str]]] = MappingProxyType({})

    def __init__(self, actor: Actor, options: Mapping[str, Any]) -> None:
        self.actor = actor
        self.options = options
        self.cell_format = CellFormat(zone=ZoneInfo(actor.organization.time_zone))
        self.source = source_named(self.plural, options.get("recognized_as", ""))
        self.repeated: Counter[str] = Counter()
        # The entries of cells with several, which are left out: by field, with the first ones.
        self.left_over: dict[str, list[str]] = defaultdict(list)

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

    @cached_property
    def mapped_links(self) -> Sequence[Link]:
        return mapped(self.links, self.options.get("mapped", ()))

    def write(self, changes: Sequence[Values]) -> list[Receipt[T]]:
        """Create or update a row for each change, after the rows are found that it names by ids."""
        if not self.mapped_links:
            return self.write_linked(changes)
        systems = {self.source.system: self.source.company_system} if self.source else {}
        found = linked(self.actor, self.mapped_links, changes, systems)
        receipts = self.write_linked(found.changes)
        for index, keys in found.unknown.items():
            receipts[index].ignored = [*receipts[index].ignored, *keys]
        return receipts

    def write_linked(self, changes: Sequence[Values]) -> list[Receipt[T]]:
        services: Any = self.declaration.services
        if self.company_fields:
            changes = with_companies(self.actor, changes, *self.company_fields)
        if self.options.get("match_on") == "none":
            return [Receipt(row, "created") for row in services.create(actor=self.actor, changes=changes)]
        upserts = [Operation("upsert", change=change) for change in changes]
        return list(services.carry_out(actor=self.actor, operations=upserts))

    def preview(self, row: T) -> list[list[str]]:
        """What a person compares with the file first, as pairs of a label and the value as it is stored."""
        return []

    def for_export(self, rows: Any) -> Any:
        """The columns that the export needs, as dicts: an export may have millions of rows."""
        columns = [field.show for field in self.fields if isinstance(field.show, str)]
        stored = {"id", "custom_fields"} if self.has_custom_fields else {"id"}
        return rows.prefetch_related(None).values(*{*stored, *self.parts, *columns})

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
        own = with_headers(self.plural, self.own_fields())
        if not self.has_custom_fields:
            return own
        definitions = definitions_for(self.actor.organization, self.declaration.name)
        return [*own, *custom_fields(definitions)]

    def keys_of_list(self, columns: Iterable[str]) -> list[str]:
        """The fields that a list shows, and the UUID, by which an import finds the rows again."""
        keys = [key for column in columns for key in self.in_lists.get(column, (column,))]
        return list(dict.fromkeys([*keys, "uuid"]))

    @cached_property
    def by_key(self) -> dict[str, ImportField]:
        """All fields, and those that the mapping of the file makes."""
        made = ((key, self.made_field(key)) for key in self.options.get("mapped", ()))
        return {field.key: field for field in self.fields} | {key: field for key, field in made if field}

    def made_field(self, key: str) -> ImportField | None:
        """A field that is none of the list but made by its key, which names something of the file."""
        return new_field(key) if self.may_define_fields else None

    @property
    def may_define_fields(self) -> bool:
        return self.has_custom_fields and self.actor.may(Permission.EDIT_PIPELINES)

    def offered_fields(self) -> list[ImportField]:
        """The fields that are offered for the columns of the file."""
        found = [field for field in self.fields if not field.is_read_only]
        return [*found, *new_fields()] if self.may_define_fields else found

    @cached_property
    def ignorable(self) -> Mapping[str, str]:
        """The mapped fields whose values may be left out when a row is written, with the reason."""
        return {link.key: "unknown_id" for link in self.mapped_links}

    def may_map(self, key: str) -> bool:
        return self.made_field(key) is not None or any(
            field.key == key and not field.is_read_only for field in self.fields
        )

    def guess_made(self, columns: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """The columns whose headers make a field, with its key."""
        return {}

    @cached_property
    def prepared_keys(self) -> Sequence[str]:
        """The fields whose texts `prepare` reads."""
        return list(self.value_fields)

    def values_of_headers(
        self, columns: Sequence[Mapping[str, Any]], mapping: Mapping[str, Any]
    ) -> Mapping[str, tuple[list[str], Counter[str]]]:
        """The unknown values that headers name instead of cells, by field: the columns, and the values."""
        return {}

    @cached_property
    def value_fields(self) -> Mapping[str, ValueField]:
        """The fields whose cells name one of a few things, by key."""
        return {}

    @cached_property
    def members(self) -> list[tuple[int, str, str, bool]]:
        """Id, e-mail address, full name and whether the member has access, in the order of names."""
        rows = Member.objects.visible_to(self.actor.member).select_related("user")
        found = [(row.pk, row.user.email, row.full_name, row.has_access) for row in rows]
        return sorted(found, key=lambda member: (not member[3], member[2].casefold()))

    @cached_property
    def member_ids(self) -> dict[str, int]:
        """The member of each e-mail address and of each full name, folded, that only one has."""
        by_name: dict[str, set[int]] = defaultdict(set)
        for member_id, _email, name, _has_access in self.members:
            by_name[in_any_order(name)].add(member_id)
        unique = {name: next(iter(ids)) for name, ids in by_name.items() if len(ids) == 1}
        return unique | {email: member_id for member_id, email, *_rest in self.members}

    def member(self, written: str) -> int:
        """By e-mail address, or by a full name that only one member has, in either order."""
        member_id = self.member_ids.get(fold_email(written)) or self.member_ids.get(in_any_order(written))
        if member_id is None:
            raise unknown(
                "member", written, [email for _id, email, _name, has_access in self.members if has_access]
            )
        return member_id

    def member_field(self) -> ValueField:
        """A field that names a member."""
        uuids = dict(Member.objects.visible_to(self.actor.member).values_list("id", "uuid"))
        ids = {str(uuid): member_id for member_id, uuid in uuids.items()}
        return ValueField(
            self.member,
            lambda: [
                (
                    str(uuids[member_id]),
                    name if has_access else _("%(name)s (deactivated)") % {"name": name},
                )
                for member_id, _email, name, has_access in self.members
            ],
            lambda value: ids[value],
            self.create_members if self.actor.may(Permission.ADMINISTER) else None,
            gettext_noop("create a former member, without a login"),
        )

    def create_members(self, names: Sequence[str]) -> None:
        """Create deactivated members, who cannot sign in, for people who have left."""
        for name in names:
            create_former_member(actor=self.actor, name=name)
        for cached in ("members", "member_ids"):
            self.__dict__.pop(cached, None)

    def prepare(self, pairs: Iterable[Mapping[str, Any]]) -> None:
        """Create what was chosen to be created, before the rows are read. `pairs` are the texts of value fields."""
        for key, choices in self.options.get("value_choices", {}).items():
            field = self.value_fields.get(key)
            names = [text for text, value in choices.items() if value == CREATE]
            if field is not None and field.create is not None:
                field.create([name for name in names if not field.knows(name)])

    def field_key(self, path: str) -> str:
        """The key of the field that an error of the service is about; `path` is in the names of the change."""
        first, _dot, rest = path.partition(".")
        if first == "custom_fields":
            return f"{CUSTOM_PREFIX}{rest}"
        if first == "external_references":
            return "external_system" if rest.endswith("system") else "external_id"
        return next((field.key for field in self.fields if field.attribute == first), first)

    def read(
        self, cells: Mapping[str, Any], formats: Mapping[str, CellFormat] = NO_FORMATS
    ) -> tuple[Values, list[FieldError]]:
        """The change for the service from the cells of one row by field key, and an error for each wrong cell."""
        values: Values = {}
        errors: list[FieldError] = []
        by_key, clears = self.by_key, self.options.get("empty_cells") == "clear"
        for key, cell in cells.items():
            field = by_key[key]
            if cell is None or is_empty(cell):
                if clears and field.can_clear:
                    values[key] = field.clears
                continue
            try:
                value = self._value(field, cell, formats.get(key, self.cell_format))
                values[key] = self._first(key, value, values) if isinstance(value, Several) else value
            except Unreadable as error:
                errors.append(FieldError(key, "invalid", error.template, error.params))
        if values.get("external_system") and not values.get("external_id"):
            errors.append(
                FieldError("external_id", "required", "Required together with the external system.")
            )
        errors += self.combine(values) if not errors else []
        errors += self._resolve(values) if not errors else []
        if errors:
            return {}, errors
        change = self._change(values)
        return change, self._choose_key(change, cells)

    def _value(self, field: ImportField, cell: Any, cell_format: CellFormat) -> Any:
        """The value of a cell. A short text that the column has repeated is read once."""
        known = cell_format.known
        place = (field.key, cell) if isinstance(cell, str) and len(cell) <= REPEATED_LENGTH else None
        if place in known:
            return known[place]
        refuse_cut(cell)
        value = field.read(cell, cell_format) if field.read else None
        if place is not None and not isinstance(value, list):
            if len(known) >= MOST_KNOWN:
                known.clear()
            known[place] = value
        return value

    def _first(self, key: str, several: Several, values: Values) -> str:
        """The entry that the field takes; the others may have another place among the values."""
        if several.others:
            self.left_over[key] += several.others
        return several.first

    def combine(self, values: Values) -> list[FieldError]:
        """Complete the values of a row by each other; returns the errors of those that contradict each other."""
        return []

    def _resolve(self, values: Values) -> list[FieldError]:
        """Replace names by ids; a name without a row is an error of its field."""
        errors = []
        for key, find in self.resolvers.items():
            if values.get(key) is not None:
                try:
                    chosen = self._choice(key, values[key])
                    if chosen == EMPTY:
                        del values[key]
                        continue
                    found = self.value_fields[key].chosen(chosen) if chosen else find(values[key], values)
                    if found is None:
                        del values[key]
                    else:
                        values[key] = found
                except Unreadable as error:
                    errors.append(FieldError(key, "does_not_exist", error.template, error.params))
        return errors

    def _choice(self, key: str, written: Any) -> str | None:
        """What was chosen for an unknown value: a value of the field, empty, or None to look its name up."""
        chosen = (
            self.options.get("value_choices", {}).get(key, {}).get(written)
            if isinstance(written, str)
            else None
        )
        if chosen in (None, CREATE) or key not in self.value_fields:
            return None
        offered = self._offered(key)
        return str(chosen) if chosen in offered else None

    def _offered(self, key: str) -> frozenset[str]:
        if key not in self._offers:
            self._offers[key] = frozenset(value for value, _label in self.value_fields[key].choices()) | {
                EMPTY
            }
        return self._offers[key]

    @cached_property
    def _offers(self) -> dict[str, frozenset[str]]:
        return {}

    @cached_property
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
        for link in self.mapped_links:
            if ids := change.get(link.key):
                change[link.key] = [(system, one) for one in ids]
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


def in_any_order(name: str) -> str:
    """`Girard, Mathieu` and `Mathieu GIRARD` → `girard mathieu`."""
    return " ".join(sorted(fold(name.replace(",", " ")).split()))


def oldest_reference(part: int) -> Callable[[ExportRow], str]:
    """The system (0) or the external id (1) of the oldest reference: an import adds references, it removes none."""
    return lambda row: row["references"][0][part] if row["references"] else ""
