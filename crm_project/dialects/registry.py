"""The dialects, one line for each."""

from collections.abc import Iterable

from django.utils.translation import gettext_noop


class Dialect:
    """A system whose HTTP API is served under `/dialects/<system>/`.

    `numbered` are the kinds of row (`row_kind`) whose default id in this dialect is our integer primary key; rows of
    all other kinds have their UUID. `webhooks` is the label of the form of its webhooks' bodies, where it has one, in
    a module of this name.
    """

    def __init__(self, system: str, *, numbered: Iterable[str] = (), webhooks: str = "") -> None:
        self.system = system
        self.numbered = frozenset(numbered)
        self.webhooks = webhooks

    @property
    def urls(self) -> str:
        return f"crm_project.dialects.{self.system}.urls"

    @property
    def webhooks_module(self) -> str:
        return f"crm_project.dialects.{self.system}.webhooks"


DIALECTS = {
    dialect.system: dialect
    for dialect in (
        Dialect("xalantis", numbered=["pipeline", "stage"]),
        Dialect("onlyoffice", numbered=["activity", "contact", "custom_field", "deal", "stage"]),
        Dialect("intum", numbered=["activity", "contact", "deal", "stage", "user"]),
        Dialect("leadconnector", webhooks=gettext_noop("LeadConnector's, such as OpportunityStageUpdate")),
        Dialect("gauzy"),
    )
}
