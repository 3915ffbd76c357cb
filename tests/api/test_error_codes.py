"""The table of error codes holds each code that `/api` can answer, and no other; docs/api.md holds the table."""

import ast
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from rest_framework import exceptions, serializers

import crm_project.urls  # noqa: F401  (imports every serializer)
from crm_project.api.error_codes import ERROR_CODES, GROUPS
from crm_project.api.errors import CODES, IGNORED_CODES
from crm_project.environment import BASE_DIR

pytestmark = pytest.mark.once

PACKAGES = ("crm_project", "contacts", "pipelines", "deals")
# Other edges have error shapes of their own.
OTHER_EDGES = {"migrations", "management", "dialects", "staff", "setup", "admin"}
# Services that only the admin and the sign-in call.
ADMIN_ONLY = {"last_admin", "last_operator", "member_exists", "slug_taken", "revoked", "too_many_attempts"}
ADMIN_ONLY |= {"already_sent", "link_ended"}
# Where a call has its code when it is not a keyword.
POSITION = {"FieldError": 1, "ErrorDetail": 1, "ValidationError": 1, "Problem": 1}
# Of fields that JSON cannot bring about: a date object, a local time, a number in a text, a list that may not be empty.
UNREACHABLE = {"date", "datetime", "make_aware", "max_string_length", "empty"}
# DRF raises it, and no view has a throttle.
NO_THROTTLE = {"throttled"}


def trees():
    for package in PACKAGES:
        for path in sorted((BASE_DIR / package).rglob("*.py")):
            if not OTHER_EDGES & {*path.relative_to(BASE_DIR).parts, path.stem}:
                yield path, ast.parse(path.read_text())


def constant(node):
    return {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()


def codes_of(node):
    """The codes that one node of the code's syntax tree holds as constants."""
    if isinstance(node, ast.Call):
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        at = POSITION.get(name, len(node.args))
        found = [keyword.value for keyword in node.keywords if keyword.arg == "code"] + node.args[at : at + 1]
    elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in ("code", "default_code"):
        found = [node.value]
    else:
        return set()
    return set().union(*map(constant, found))


def codes_of_the_core():
    return {code for _, tree in trees() for node in ast.walk(tree) for code in codes_of(node)} - {""}


def codes_of_rest_framework():
    """Of the exceptions that DRF raises itself; a validation error has the codes of its fields."""
    raised = set(exceptions.APIException.__subclasses__()) - {exceptions.ValidationError}
    own = [error for error in raised if error.__module__ == "rest_framework.exceptions"]
    return {CODES.get(error.status_code) or error.default_code for error in own}


def codes_of_fields():
    """Of every writable field of every serializer of the API, its own messages and its validators."""
    found = set()
    for cls in subclasses(serializers.Serializer):
        if cls.__module__.split(".")[0] in PACKAGES and ".dialects" not in cls.__module__:
            for field in cls().fields.values():
                if not field.read_only:
                    found |= {*field.error_messages, *(check.code for check in field.validators)}
    return found - IGNORED_CODES


def subclasses(cls):
    return {cls}.union(*map(subclasses, cls.__subclasses__()))


def test_every_code_has_one_entry():
    assert len(ERROR_CODES) == sum(map(len, GROUPS.values()))


def test_every_code_that_can_be_answered_is_in_the_table():
    possible = codes_of_the_core() | codes_of_rest_framework() | codes_of_fields()

    assert possible - ADMIN_ONLY - UNREACHABLE - NO_THROTTLE - ERROR_CODES.keys() == set()


def test_every_code_of_the_table_can_be_answered():
    assert ERROR_CODES.keys() - codes_of_the_core() - codes_of_rest_framework() - codes_of_fields() == set()


def test_every_exception_is_still_needed():
    found = codes_of_the_core() | codes_of_rest_framework() | codes_of_fields()

    assert (ADMIN_ONLY | UNREACHABLE | NO_THROTTLE) - found == set()


def test_a_code_in_any_of_the_forms_is_found():
    source = "FieldError('a', 'one', 'Text.')\nConflict('Text.', code='two')\nclass Error(Exception): code = 'three'"

    assert {code for node in ast.walk(ast.parse(source)) for code in codes_of(node)} == {
        "one",
        "two",
        "three",
    }


def test_the_document_holds_the_table():
    """Else: `manage.py error_codes`, and paste its output between the markers."""
    printed = StringIO()
    call_command("error_codes", stdout=printed)
    document = Path(BASE_DIR / "docs/api.md").read_text()

    begin, end = "<!-- error codes: begin -->", "<!-- error codes: end -->"
    assert document.partition(begin)[2].partition(end)[0].strip() == printed.getvalue().strip()
