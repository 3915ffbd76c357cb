"""What is wrong with a file as such; a row's own refusals are the core's."""

from crm_project.errors import FieldError, Invalid


class UnreadableFile(Invalid):
    """The file cannot be read; the sentence says why and, where it can, at which line."""

    def __init__(self, sentence: str) -> None:
        super().__init__(
            sentence, code="unreadable_file", fields=[FieldError("file", "unreadable_file", sentence)]
        )


class UnreadableCell(Exception):
    """A cell that does not say what its field asks for; the message is the sentence for it."""
