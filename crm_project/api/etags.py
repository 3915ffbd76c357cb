"""Entity tags: `"<version>-<digest of the body>"`. If-None-Match compares all of it, If-Match the version."""

import hashlib
import re

from rest_framework.request import Request

from crm_project.api.errors import InvalidHeader
from crm_project.versions import Versions

TAG = r'(?:W/)?"[!#-~\x80-\xff]*"'
TAGS = re.compile(rf"{TAG}(?:[ \t]*,[ \t]*{TAG})*")
VERSION = re.compile(r'"([0-9]{1,10})(?:-[0-9a-f]+)?"')


def etag(body: bytes, version: int | None = None) -> str:
    """A strong tag; of a list without a version."""
    digest = hashlib.blake2b(body, digest_size=12).hexdigest()
    return f'"{digest}"' if version is None else f'"{version}-{digest}"'


def not_modified(request: Request, tag: str) -> bool:
    """Whether If-None-Match names the tag, by the weak comparison."""
    given = _tags(request, "If-None-Match")
    return given is not None and ("*" in given or tag in {one.removeprefix("W/") for one in given})


def expected_versions(request: Request) -> Versions | None:
    """The versions that If-Match accepts; None where there is no such header."""
    given = request.headers.get("If-Match")
    return None if given is None else versions_of(given)


def versions_of(text: str) -> Versions:
    """The versions in the tags of If-Match, by the strong comparison: a weak tag names none."""
    tags = parse(text, "If-Match")
    if "*" in tags:
        return Versions.any()
    found = (VERSION.fullmatch(tag) for tag in tags)
    return Versions(frozenset(int(match[1]) for match in found if match))


def _tags(request: Request, header: str) -> list[str] | None:
    given = request.headers.get(header)
    return None if given is None else parse(given, header)


def parse(text: str, header: str) -> list[str]:
    text = text.strip(" \t")
    if text == "*":
        return ["*"]
    if not TAGS.fullmatch(text):
        raise InvalidHeader(f'{header} is * or a list of entity tags, such as "3-1f0c".')
    return re.findall(TAG, text)
