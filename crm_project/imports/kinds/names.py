"""Names as a table has them: the row of a name, and the name of a row, unique enough to be read back."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from contacts.models import Contact
from contacts.services import create_contacts
from crm_project.accounts.actors import Actor
from crm_project.imports.errors import UnreadableCell
from crm_project.records.text import fold

NUMBERED = re.compile(r"(?:.*\s)?#([0-9]{1,18})", re.DOTALL)


class Names:
    """The names of some rows. A name that several have is written, and read, with the id behind it: `Offer #12`."""

    def __init__(self, what: str, rows: Iterable[tuple[int, str]]) -> None:
        self.what = what
        self.name_of = dict(rows)
        self.count = Counter(self.name_of.values())
        self.exact = {name: row_id for row_id, name in self.name_of.items()}
        self.folded: dict[str, list[int]] = defaultdict(list)
        for row_id, name in self.name_of.items():
            self.folded[fold(name.strip())].append(row_id)

    def shown(self, row_id: int | None) -> str:
        name = self.name_of.get(row_id, "") if row_id is not None else ""
        # A name that looks numbered itself would be read as another row's.
        alike = name and (self.count[name] > 1 or NUMBERED.fullmatch(name) or not name.strip())
        return f"{name} #{row_id}" if alike else name

    def find(self, name: str) -> int:
        """The row of this name, whatever its case and accents; several are refused, not chosen from."""
        numbered = NUMBERED.fullmatch(name)
        if numbered and int(numbered[1]) in self.name_of:
            return int(numbered[1])
        if self.count[name] == 1:
            return self.exact[name]
        found = self.folded.get(fold(name.strip()), [])
        if len(found) == 1:
            return found[0]
        if found:
            choices = ", ".join(self.shown(row_id) for row_id in found)
            raise UnreadableCell(f"Several have this name; write one of: {choices}.")
        raise UnreadableCell(f"There is no {self.what} of this name.{self._known()}")

    def _known(self) -> str:
        known = sorted(self.name_of)[:20]
        return f" Known: {', '.join(self.shown(row_id) for row_id in known)}." if known else ""


def companies_named(actor: Actor, names: Sequence[str]) -> dict[str, Contact | None]:
    """The company of each name, created where there is none; None where several have it."""
    wanted = {" ".join(name.split()): name for name in names}
    rows = Contact.objects.visible_to(actor.member).filter(kind=Contact.Kinds.COMPANY, name__in=list(wanted))
    found: dict[str, Contact | None] = {}
    for row in rows.only("id", "uuid", "name", "organization_id"):
        found[row.name] = None if row.name in found else row
    absent = [{"kind": "company", "name": name, "incomplete": True} for name in wanted if name not in found]
    if absent:
        created = create_contacts(actor=actor, changes=absent)
        found |= {company.name: company for company in created}
    return {written: found[name] for name, written in wanted.items()}
