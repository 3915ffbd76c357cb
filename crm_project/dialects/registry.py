"""Which dialects there are: one line for each."""

from collections.abc import Iterable


class Dialect:
    """A system whose API is spoken here, under its own folder and its own base path.

    `numbered` are the kinds of row (`row_kind`) that it names by our integer id; it names all others by uuid.
    `base` is the vendor's own base URL, which a client changes; `lacks` is what is not served.
    """

    def __init__(self, system: str, *, base: str, lacks: str, numbered: Iterable[str] = ()) -> None:
        self.system = system
        self.base = base
        self.lacks = lacks
        self.numbered = frozenset(numbered)

    @property
    def urls(self) -> str:
        return f"crm_project.dialects.{self.system}.urls"


DIALECTS = {
    dialect.system: dialect
    for dialect in (
        Dialect(
            "xalantis",
            base="https://xalantis.com",
            lacks="tickets, imports, legal data of clients, mandates of representatives, social links",
            numbered=["pipeline", "stage"],
        ),
        Dialect(
            "onlyoffice",
            base="https://<portal>",
            lacks="changes of people, tasks, history, cases, files, invoices, temperature and type of contacts, "
            "rates of exchange",
            numbered=["contact", "custom_field", "deal", "stage"],
        ),
        Dialect(
            "intum",
            base="https://<account>.intum.com",
            lacks="notes, projects, suppliers, categories, merging clients, bulk options",
            numbered=["contact", "deal", "stage", "user"],
        ),
        Dialect(
            "leadconnector",
            base="https://services.leadconnectorhq.com",
            lacks="notes, tasks, calendars, campaigns, businesses, workflows, OAuth, webhooks, contacts' followers,"
            " custom values; a location, its users and its list of tags are only read",
        ),
        Dialect(
            "gauzy",
            base="https://<host>",
            lacks="statistics and properties of deals, budgets, pictures, tags and projects of contacts",
        ),
    )
}
