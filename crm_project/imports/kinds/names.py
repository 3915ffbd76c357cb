"""Names in a table: the row of a name, and a name of a row that identifies it."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_noop

from contacts.models import Contact
from contacts.rules import company_key, folded_name
from contacts.services import companies_by_name, create_contacts
from crm_project.accounts.actors import Actor
from crm_project.errors import DomainError, FieldError, Invalid, RowsRefused
from crm_project.imports.errors import UnreadableCell
from crm_project.imports.kinds.values import unknown
from crm_project.records.text import fold, tidy
from crm_project.records.writing.columns import rows_by_key

NUMBERED = re.compile(r"(?:.*\s)?#([0-9]{1,18})", re.DOTALL)


class Names:
    """Rows by their names. A name of several rows is written, and read, with the id after it: `Offer #12`."""

    def __init__(self, what: str, rows: Iterable[tuple[int, str]]) -> None:
        self.what = what
        self.name_of = dict(rows)
        self.count = Counter(self.name_of.values())
        self.exact = {name: row_id for row_id, name in self.name_of.items()}
        self.folded: dict[str, list[int]] = defaultdict(list)
        for row_id, name in self.name_of.items():
            self.folded[fold(name.strip())].append(row_id)

    def text_of(self, row_id: int | None) -> str:
        name = self.name_of.get(row_id, "") if row_id is not None else ""
        # A name that ends in a number itself could be read as the name of another row.
        ambiguous = name and (self.count[name] > 1 or NUMBERED.fullmatch(name) or not name.strip())
        return f"{name} #{row_id}" if ambiguous else name

    def find(self, name: str) -> int:
        """The id of the row of this name, regardless of case and accents; a name of several rows is an error."""
        numbered = NUMBERED.fullmatch(name)
        if numbered and int(numbered[1]) in self.name_of:
            return int(numbered[1])
        if self.count[name] == 1:
            return self.exact[name]
        found = self.folded.get(fold(name.strip()), [])
        if len(found) == 1:
            return found[0]
        if found:
            names = self._list(found)
            raise UnreadableCell("Several have this name; write one of: %(names)s.", {"names": names})
        raise unknown(self.what, name, [self.text_of(row_id) for row_id in sorted(self.name_of)])

    def _list(self, row_ids: Iterable[int]) -> str:
        return ", ".join(self.text_of(row_id) for row_id in row_ids)


def companies_named(actor: Actor, names: Sequence[str]) -> dict[str, Contact | None]:
    """The company of each name in any spelling, created if there is none; None if several have the name."""
    found = companies_by_name(actor, {tidy(name) for name in names})
    new = {company_key(name): tidy(name) for name in reversed(names) if not found[tidy(name)]}
    changes = [{"kind": "company", "name": name, "incomplete": True} for name in new.values()]
    created = dict(zip(new, create_contacts(actor=actor, changes=changes), strict=True)) if new else {}
    companies: dict[str, Contact | None] = {}
    for name in names:
        rows = found[tidy(name)] or [created[company_key(name)]]
        companies[name] = rows[0] if len(rows) == 1 else None
    return companies


def with_companies(
    actor: Actor, changes: Sequence[dict[str, Any]], field: str, target: str
) -> list[dict[str, Any]]:
    """The changes with the company's id (`target`) in place of its name (`field`); unknown companies are created.

    A name beside the id is compared with that of the row.
    """
    named = [change for change in changes if change.get(field)]
    names = list(dict.fromkeys(change[field] for change in named if change.get(target) is None))
    companies = companies_named(actor, names) if names else {}
    rows = rows_by_key(Contact.objects.visible_to(actor.member), [change.get(target) for change in named])
    ambiguous = FieldError(field, "ambiguous_match", "Several companies have this name.")
    errors: dict[int, DomainError] = {}
    resolved = []
    for index, change in enumerate(changes):
        name, key = change.get(field), change.get(target)
        company = companies[name] if name and key is None else None
        if name and key in rows and folded_name(rows[key].full_name) != folded_name(name):
            template = gettext_noop("The UUID names %(contact)s, who has another name.")
            conflict = FieldError(field, "contact_conflict", template, {"contact": rows[key].full_name})
            errors[index] = Invalid(fields=[conflict])
        elif name and key is None and company is None:
            errors[index] = Invalid(fields=[ambiguous])
        change = {name: value for name, value in change.items() if name != field}
        resolved.append(change if company is None else {**change, target: company.pk})
    refuse_rows(errors)
    return resolved


def refuse_rows(errors: Mapping[int, DomainError]) -> None:
    """Unlike `errors.refuse`, this raises RowsRefused for a list of one row too: the importer needs the index."""
    if errors:
        raise RowsRefused(dict(errors))
