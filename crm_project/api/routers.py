"""Routes of a resource, without final slash and format suffix."""

from typing import Any

from rest_framework.routers import SimpleRouter


def routes(prefix: str, viewset: Any, name: str) -> list[Any]:
    router = SimpleRouter(trailing_slash=False, use_regex_path=False)
    router.register(prefix, viewset, basename=name)
    return router.urls
