"""Which dialects there are: one line for each."""

from collections.abc import Iterable


class Dialect:
    """A system whose API is spoken here, under its own folder and its own base path.

    `numbered` are the kinds of row (`row_kind`) that it names by our integer id; it names all others by uuid.
    """

    def __init__(self, system: str, *, numbered: Iterable[str] = ()) -> None:
        self.system = system
        self.numbered = frozenset(numbered)

    @property
    def urls(self) -> str:
        return f"crm_project.dialects.{self.system}.urls"


DIALECTS = {
    dialect.system: dialect
    for dialect in (
        Dialect("xalantis", numbered=["pipeline", "stage"]),
        Dialect("leadconnector"),
        Dialect("gauzy"),
        Dialect("onlyoffice", numbered=["contact", "custom_field", "deal", "stage"]),
        Dialect("intum", numbered=["contact", "deal", "stage", "user"]),
    )
}
