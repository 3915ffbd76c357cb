"""OpenAPI documents as bytes: each is built once per process, at its first request, and served with an ETag."""

import gzip
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from django.http import HttpResponse
from django.middleware.gzip import re_accepts_gzip
from django.utils.cache import patch_vary_headers
from drf_spectacular.renderers import OpenApiJsonRenderer2
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request

from crm_project.api import etags

# A release may change the document; a copy is checked after this number of seconds.
MAX_AGE = 300

_lock = threading.RLock()
_stored: dict[tuple[str, str], "Document"] = {}


@dataclass(frozen=True)
class Document:
    plain: bytes
    compressed: bytes
    etag: str


def stored_document(name: str, renderer: Any, generate: Callable[[], Any]) -> Document:
    """The document in the renderer's format. Requests that come while it is built wait for it."""
    key = name, renderer.format
    if key not in _stored:
        with _lock:
            if key not in _stored:
                plain = renderer.render(_content(name, renderer, generate))
                _stored[key] = Document(plain, gzip.compress(plain, mtime=0), etags.etag(plain))
    return _stored[key]


def _content(name: str, renderer: Any, generate: Callable[[], Any]) -> Any:
    """The generated document; for another format than JSON the stored one is read, since generating takes longer."""
    if renderer.format == OpenApiJsonRenderer2.format:
        return generate()
    return json.loads(stored_document(name, OpenApiJsonRenderer2(), generate).plain)


class StoredDocumentView(SpectacularAPIView):
    """Serves a stored document. `document_name` is unique among the documents."""

    document_name: ClassVar[str] = "api"
    schema = None

    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        renderer: Any = request.accepted_renderer
        found = stored_document(self.document_name, renderer, self._generate)
        headers = {"ETag": found.etag, "Cache-Control": f"public, max-age={MAX_AGE}"}
        if etags.not_modified(request, found.etag):
            response = HttpResponse(status=304, headers=headers)
            del response["Content-Type"]
        else:
            is_compressed = bool(re_accepts_gzip.search(request.headers.get("Accept-Encoding", "")))
            response = HttpResponse(
                found.compressed if is_compressed else found.plain,
                content_type=renderer.media_type,
                headers={**headers, **({"Content-Encoding": "gzip"} if is_compressed else {})},
            )
        patch_vary_headers(response, ["Accept", "Accept-Encoding"])
        return response

    def _generate(self) -> Any:
        return self.generator_class().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
