"""Parts of the vendors' error bodies."""

from http import HTTPStatus

from crm_project.api.errors import Problem

# The reason phrases before RFC 9110, which newer Pythons follow and the vendors' servers do not.
OLDER_PHRASES = {413: "Payload Too Large", 422: "Unprocessable Entity"}


def reason_phrase(status: int) -> str:
    """`Not Found` for 404."""
    return OLDER_PHRASES.get(status) or HTTPStatus(status).phrase


def dotted_path(pointer: str, *, root: str = "body") -> str:
    """A JSON pointer as a dotted path: `/stages/0/name` is `stages.0.name`; `root` is the name of the whole body."""
    return pointer.lstrip("/").replace("/", ".") or root


def blockers(problem: Problem) -> str:
    """The number of deals for which a row cannot be deleted; `2+` if there are others that the member may not see."""
    extra = dict(problem.extra or {})
    return f"{extra.get('count', '')}{'+' if extra.get('others') else ''}"
