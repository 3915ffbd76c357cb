"""The OpenAPI documents: built once in each process, and served with a tag, 304 and compression."""

import gzip
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.test import Client

from crm_project.api import documents
from crm_project.api.schema import OneAtATime
from crm_project.dialects.registry import DIALECTS

PATHS = ("/api/schema", "/api/schema?format=yaml", *(f"/dialects/{system}/schema" for system in DIALECTS))


@pytest.fixture
def builds(monkeypatch):
    """The documents that are built during the test."""
    built = []
    generate = OneAtATime.get_schema

    def counted(self, *args, **kwargs):
        built.append(type(self))
        return generate(self, *args, **kwargs)

    monkeypatch.setattr(documents, "_stored", {})
    monkeypatch.setattr(OneAtATime, "get_schema", counted)
    return built


def test_parallel_requests_build_a_document_once(builds):
    for path in ("/api/schema", "/dialects/intum/schema"):
        builds.clear()
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(lambda _, path=path: Client().get(path), range(33)))

        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.content for answer in answers}) == 1
        assert len(builds) == 1


@pytest.mark.parametrize("path", PATHS)
def test_a_document_has_a_tag_and_is_compressed(path):
    plain = Client().get(path)
    small = Client().get(path, headers={"Accept-Encoding": "gzip"})

    assert small["Content-Encoding"] == "gzip"
    assert gzip.decompress(small.content) == plain.content
    assert len(small.content) < 150_000
    assert plain["ETag"] == small["ETag"]
    assert plain["ETag"].startswith('"')
    assert plain["Cache-Control"] == "public, max-age=300"
    assert {"Accept", "Accept-Encoding"} <= set(plain["Vary"].split(", "))
    for headers in ({}, {"Accept-Encoding": "gzip"}):
        again = Client().get(path, headers={"If-None-Match": plain["ETag"], **headers})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", plain["ETag"])
    assert Client().get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_documents_are_distinguished():
    assert len({Client().get(path)["ETag"] for path in PATHS}) == len(PATHS)
